import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { pushFiles } from '../../src/artifact/push-files.js'
import { someBytes } from '../registry/test-registry.js'
import { CANARY, LocalBench, type StartOptions } from './local-bench.js'
import { failingCallScript, type FailingCall } from './local-system-calls.js'

/** A program in which a call that concerns the folder fails. */
async function failing(bench: LocalBench, call: FailingCall, folder: string): Promise<StartOptions> {
  const script = join(bench.programs, 'fail.cjs')
  await writeFile(script, failingCallScript(call, folder))
  return { environment: { NODE_OPTIONS: `--require ${script}` } }
}

describe('33: when the system refuses', () => {
  test.each<[string, FailingCall, RegExp]>([
    ['to make a file durable', { call: 'sync', code: 'EIO' }, /i\/o error/],
    ['to make another file durable', { call: 'sync', after: 2, code: 'EIO' }, /i\/o error/],
    ['the first write', { call: 'write', code: 'ENOSPC' }, /no space left on device/],
    ['a later write', { call: 'write', after: 2, code: 'ENOSPC' }, /no space left on device/],
    ['to rename once', { call: 'rename', times: 1, code: 'EXDEV' }, /cross-device link|on another file system/],
    ['to rename later', { call: 'rename', after: 3, times: 1, code: 'EACCES' }, /permission denied/],
    ['to rename later still', { call: 'rename', after: 5, times: 1, code: 'EACCES' }, /permission denied/],
    ['to make a folder', { call: 'mkdir', code: 'EROFS' }, /read-only file system/],
  ])('33: %s, a pull names the path and changes nothing', async (_what, call, message) => {
    const bench = await LocalBench.open()
    const names = ['one.bin', 'two.bin', 'three.bin']
    for (const [index, name] of names.entries()) {
      await bench.write(name, someBytes(300_000 + index))
      await bench.write(`output/${name}`, `an older ${name}\n`)
    }
    await bench.write('folder/inside', 'inside')
    const files = [...names, 'folder'].map((name) => ({ name, path: bench.path(name) }))
    await pushFiles(bench.behind(), files, { tags: ['v1'], artifactType: 'test/file' })
    const words = ['pull', bench.reference('v1'), '-o', bench.output, '--plain-http']
    const { stderr } = await bench.fails(words, message, await failing(bench, call, bench.output))
    expect(stderr).toContain(bench.output)
    await bench.succeeds(words)
  })

  test.each<[string, FailingCall, RegExp]>([
    ['to make the file durable', { call: 'sync', code: 'EIO' }, /i\/o error/],
    ['to write', { call: 'write', code: 'ENOSPC' }, /no space left on device/],
    ['to give the file its name', { call: 'rename', code: 'EACCES' }, /permission denied/],
  ])('33: %s, a login names the file and leaves it as it is', async (_what, call, message) => {
    const bench = await LocalBench.open({ auth: 'basic' })
    await writeFile(bench.configFile, '{"auths":{"other.example":{}}}', { mode: 0o600 })
    const words = ['login', bench.wire.host, '-u', 'someone', '--password-stdin', '--plain-http']
    const options = await failing(bench, call, join(bench.root, 'home/.docker'))
    const { stderr } = await bench.fails(words, message, { stdin: CANARY, ...options })
    expect(stderr).toContain(bench.configFile)
  })

  test.each<[string, FailingCall, RegExp]>([
    ['to make a blob durable', { call: 'sync', code: 'EIO' }, /i\/o error/],
    ['to give a blob its name', { call: 'rename', code: 'EXDEV' }, /cross-device link/],
    ['to write the second blob', { call: 'write', after: 1, code: 'ENOSPC' }, /no space left on device/],
    ['to give the new list its name', { call: 'rename', after: 2, code: 'EROFS' }, /read-only file system/],
  ])('33: %s, a copy to a layout names the path and leaves the list as it is', async (_what, call, message) => {
    const bench = await LocalBench.open()
    await bench.seed(someBytes(100_000), { tag: 'v0' })
    await bench.seed(someBytes(200_000))
    const words = (tag: string): string[] => [
      ...['copy', bench.reference(tag), '--to-oci-layout', `layout:${tag}`, '--from-plain-http'],
    ]
    await bench.succeeds(words('v0'))
    const index = await readFile(bench.path('layout/index.json'))
    const before = await bench.snapshot()
    const { code, stderr } = await bench.run(words('v1'), await failing(bench, call, bench.path('layout')))
    expect(stderr).toMatch(message)
    expect(stderr).toMatch(/layout\/(?:blobs\/sha256\/[0-9a-f]{64}|index\.json)/)
    expect(code).toBe(1)
    expect((await readFile(bench.path('layout/index.json'))).equals(index)).toBe(true)
    const blob = /^work\/layout\/blobs\/sha256\/([0-9a-f]{64}) 444 \d+ \1$/
    expect((await bench.snapshot()).filter((line) => before.includes(line) || !blob.test(line))).toEqual(before)
    await bench.succeeds(words('v1'))
  })
})

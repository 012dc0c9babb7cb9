import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { pack } from 'tar-stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { collectBytes } from '../../../src/util/bytes.js'
import { createFixture, type Fixture } from '../fixture.js'
import { runCli, startCli } from '../run-cli.js'

let fixture: Fixture
let tar: string

beforeAll(async () => {
  fixture = await createFixture()
  const archive = pack()
  archive.entry({ name: 'a.txt', mtime: new Date(0) }, 'a')
  archive.finalize()
  const bytes = await collectBytes(archive as AsyncIterable<Buffer>, 1_000_000, 'tar')
  tar = join(fixture.folder, 'layer.tar')
  await writeFile(tar, bytes)
  await writeFile(`${tar}.gz`, gzipSync(bytes))
})
afterAll(() => fixture.close())

describe('append', () => {
  test('prints nothing but the digest reference on stdout', async () => {
    const name = `${fixture.registry}/image`
    const { code, stdout, stderr } = await runCli(['append', '-f', tar, '-t', `${name}:v1`])
    expect(stdout).toMatch(new RegExp(`^${name}@sha256:[0-9a-f]{64}\n$`))
    expect(stderr).toMatch(/^base unspecified, using empty image\nUploading /)
    expect(code).toBe(0)
    const manifest = await runCli([
      'manifest',
      'fetch',
      '--format',
      'go-template={{len .content.layers}}',
      `${name}:v1`,
    ])
    expect(manifest.stdout).toBe('1')
    const config = JSON.parse((await runCli(['manifest', 'fetch-config', `${name}:v1`])).stdout) as object
    expect(config).toMatchObject({
      rootfs: { type: 'layers', diff_ids: [expect.stringMatching(/^sha256:/) as string] },
    })
  })

  test('to a base, from a file and from stdin, the same image', async () => {
    const name = `${fixture.registry}/image`
    await runCli(['append', '-f', tar, '-t', `${name}:base`, '-q'])
    const { readFile } = await import('node:fs/promises')
    const fromFile = await runCli(['append', '-q', '-b', `${name}:base`, '-f', `${tar}.gz`, '-t', `${name}:file`])
    const fromStdin = await runCli(['append', '-q', '-b', `${name}:base`, '-f', '-', '-t', `${name}:stdin`], {
      stdin: await readFile(`${tar}.gz`),
    })
    expect(fromFile.stderr).toBe('')
    expect(fromStdin.stdout).toBe(fromFile.stdout)
  })

  test.each([
    [['-t', 'x/y:1'], 2, 'required flag(s) "new_layer" not set'],
    [['-f', 'nosuch.tar', '-t', 'localhost:1/y:1'], 1, 'no such file or directory'],
    [['-f', 'x', '-t', 'x/y:1', '-b', 'x/z', '--oci-empty-base'], 2, 'cannot be used at the same time'],
  ])('refuses %j', async (words, exitCode, reason) => {
    const { code, stderr } = await runCli(['append', ...words])
    expect(stderr).toContain(reason)
    expect(code).toBe(exitCode)
  })
})

describe('registry serve', () => {
  test('serves a folder until it is interrupted, and again', async () => {
    const disk = join(fixture.folder, 'disk')
    await mkdir(disk)
    const first = startCli(['registry', 'serve', '--disk', disk])
    const name = `${await registryOf(first)}/hello:v1`
    expect((await runCli(['push', name, '--artifact-type', 'a/b'])).code).toBe(0)
    expect(await first.interrupt()).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('PUT /v2/hello') as string,
    })
    const second = startCli(['registry', 'serve', '--disk', disk, '--read-only', '--quiet'])
    const again = `${await registryOf(second)}/hello`
    expect((await runCli(['resolve', `${again}:v1`])).code).toBe(0)
    const refused = await runCli(['push', `${again}:v2`, '--artifact-type', 'a/c'])
    expect(refused.code).not.toBe(0)
    expect(await second.interrupt()).toMatchObject({ code: 0, stderr: '' })
  })

  test.each([
    [['--address', '0.0.0.0:0'], 2, 'other machines could connect'],
    [['--address', 'nonsense'], 2, 'expecting host:port'],
    [['--tls-cert', 'x'], 2, '--tls-cert must be used in conjunction with --tls-key'],
    [['--htpasswd', 'nosuch'], 1, 'no such file or directory'],
    [['--htpasswd', '/dev/null', '--auth', 'x'], 2, 'Available options: basic, bearer'],
  ])('refuses %j', async (words, exitCode, reason) => {
    const { code, stderr } = await runCli(['registry', 'serve', ...words])
    expect(stderr).toContain(reason)
    expect(code).toBe(exitCode)
  })
})

async function registryOf(cli: ReturnType<typeof startCli>): Promise<string> {
  const line = await cli.firstLine()
  return (/^Serving registry (\S+) from /.exec(line)?.[1] ?? '').replace('127.0.0.1', 'localhost')
}

import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { pushFiles } from '../../src/artifact/push-files.js'
import { someBytes } from '../registry/test-registry.js'
import { gantryProgram } from '../scenarios/harness/program.js'
import { LocalBench } from './local-bench.js'

const MIB = 1024 * 1024
const LARGE = someBytes(3 * MIB)
const SMALL = someBytes(MIB / 2)

/** Runs a command whose files may not grow above a size. Without the trap the process would just end. */
const limited = (kibibytes: number, words: readonly string[]): readonly string[] => {
  const shell = `trap "" XFSZ; ulimit -f ${kibibytes}; exec "$@"`
  return ['bash', '-c', shell, 'bash', process.execPath, gantryProgram, ...words]
}

async function benchWithFiles(): Promise<LocalBench> {
  const bench = await LocalBench.open()
  await bench.write('small.bin', SMALL)
  await bench.write('large.bin', LARGE)
  await bench.write('folder/inside.bin', randomBytes(3 * MIB))
  const files = ['small.bin', 'large.bin', 'folder'].map((name) => ({ name, path: bench.path(name) }))
  await pushFiles(bench.behind(), files, { tags: ['v1'], artifactType: 'test/file' })
  await pushFiles(bench.behind(), files.slice(0, 2), { tags: ['files'], artifactType: 'test/file' })
  await bench.write('output/small.bin', 'an older file\n')
  return bench
}

const pull = (bench: LocalBench, output = bench.output, tag = 'v1'): string[] => [
  ...['pull', bench.reference(tag), '-o', output, '--plain-http'],
]
const copy = (bench: LocalBench): string[] => [
  ...['copy', bench.reference('v1'), '--to-oci-layout', 'layout:v1', '--from-plain-http'],
]

describe.skipIf(process.platform === 'win32')('33: a file that grows larger than it may', () => {
  test.each([
    ['the first write', 100],
    ['a write into the second file', 1000],
    ['one of the last writes', 2900],
  ])('33: at %s of a pull changes nothing', async (_when, kibibytes) => {
    const bench = await benchWithFiles()
    await bench.failsAs(
      limited(kibibytes, pull(bench)),
      /^Error from destination: cannot write .*\/output\/.*: file too large$/m,
    )
  })

  test('33: in a layout keeps what was there, and what is whole', async () => {
    const bench = await benchWithFiles()
    await bench.seed(Buffer.from('first'), { tag: 'v0' })
    await bench.succeeds(['copy', bench.reference('v0'), '--to-oci-layout', 'layout:v0', '--from-plain-http'])
    const index = await readFile(bench.path('layout/index.json'))
    const before = await bench.snapshot()
    const { code, stderr } = await bench.startProgram(limited(1000, copy(bench))).ended
    expect(stderr).toMatch(/^Error.*: cannot write .*layout\/blobs\/sha256\/[0-9a-f]{64}: file too large$/m)
    expect(code).toBe(1)
    expect((await readFile(bench.path('layout/index.json'))).equals(index)).toBe(true)
    const after = await bench.snapshot()
    expect(after).toEqual(expect.arrayContaining([...before]))
    for (const line of after.filter((one) => !before.includes(one))) {
      expect(line).toMatch(/^work\/layout\/blobs\/sha256\/([0-9a-f]{64}) 444 \d+ \1$/)
    }
    await bench.succeeds(copy(bench))
  })

  test('33: while a folder is packed pushes nothing', async () => {
    const bench = await benchWithFiles()
    const words = limited(1000, ['push', bench.reference('v2'), 'folder', '--plain-http'])
    await bench.failsAs(words, /^Error: cannot write .*: file too large$/m)
    expect(bench.wire.find('PUT', /manifests/)).toEqual([])
  })

  test('33: with credentials keeps the old ones', async () => {
    const bench = await LocalBench.open({ auth: 'basic' })
    await writeFile(bench.configFile, JSON.stringify({ auths: {}, long: 'x'.repeat(5000) }))
    const words = ['login', bench.wire.host, '-u', 'someone', '--password-stdin', '--plain-http']
    await bench.failsAs(limited(4, words), /^Error: cannot write .*\/config\.json: file too large$/m, {
      stdin: 'canary-5e3d1',
    })
  })
})

/** Whether this process may mount file systems, in a name space of their own. */
const canMount = ((): boolean => {
  try {
    execFileSync('sh', ['-c', 'unshare -m mount -t tmpfs -o size=64k none /mnt'], { stdio: 'ignore' })
    return true
  } catch {
    // Not as root, or not on Linux.
    return false
  }
})()

/** Runs a command with a file system of two mebibytes, or one that cannot be written, in the place of a folder. */
const mounted = (mount: string, words: readonly string[]): readonly string[] => {
  return [
    'unshare',
    '-m',
    'sh',
    '-c',
    `${mount} && shift 0 && exec "$@"`,
    'sh',
    process.execPath,
    gantryProgram,
    ...words,
  ]
}

describe.skipIf(!canMount)('33: a disk', () => {
  test('33: that is full keeps an older file, and nothing of the new ones', async () => {
    const bench = await benchWithFiles()
    const disk = bench.path('disk')
    await mkdir(disk)
    // What is on that disk is gone with the process: it is listed before it ends.
    const shell = `mount -t tmpfs -o size=2m none ${disk} && echo old > ${disk}/small.bin && "$@"; echo code $?; ls -A ${disk}; cat ${disk}/small.bin`
    const words = [
      'unshare',
      '-m',
      'sh',
      '-c',
      shell,
      'sh',
      process.execPath,
      gantryProgram,
      ...pull(bench, disk, 'files'),
    ]
    const before = await bench.snapshot()
    const { stdout, stderr } = await bench.startProgram(words).ended
    expect(stderr).toMatch(/^Error from destination: cannot write .*\/disk\/.*: no space left on device$/m)
    expect(stdout).toMatch(/code 1\nsmall\.bin\nold\n$/)
    expect(await bench.snapshot()).toEqual(before)
  })

  test('33: that cannot be written is named', async () => {
    const bench = await benchWithFiles()
    const disk = bench.path('disk')
    await mkdir(disk)
    const words = mounted(`mount -t tmpfs -o ro none ${disk}`, pull(bench, disk))
    await bench.failsAs(words, /^Error from destination: cannot create .*\/disk.*: read-only file system$/m)
  })

  test('33: that begins below the folder is no obstacle', async () => {
    const bench = await LocalBench.open()
    await bench.seed(SMALL, { title: 'sub/file.bin' })
    await mkdir(bench.path('output/sub'))
    const shell = `mount -t tmpfs none ${bench.path('output/sub')} && "$@" && sha256sum < ${bench.path('output/sub/file.bin')}`
    const words = ['unshare', '-m', 'sh', '-c', shell, 'sh', process.execPath, gantryProgram, ...pull(bench)]
    const { code, stdout, stderr } = await bench.startProgram(words).ended
    expect(code, stderr).toBe(0)
    expect(stdout).toContain(createHash('sha256').update(SMALL).digest('hex'))
  })
})

const withoutRights =
  process.getuid?.() === 0 && existsSync('/usr/bin/setpriv') ? ['setpriv', '--bounding-set=-all'] : []

describe.skipIf(process.platform === 'win32')('33: a folder', () => {
  test.skipIf(process.getuid?.() === 0 && withoutRights.length === 0)(
    '33: that may not be written is named, and stays as it is',
    async () => {
      const bench = await benchWithFiles()
      await chmod(bench.output, 0o555)
      const words = [...withoutRights, process.execPath, gantryProgram, ...pull(bench)]
      await bench.failsAs(words, /^Error from destination: cannot create .*\/output.*: permission denied$/m)
      await chmod(bench.output, 0o755)
    },
  )

  test.each([
    ['below a file', 'small.bin/output', /small\.bin/],
    ['with a name that is too long', 'n'.repeat(300), /name too long/],
  ])('33: %s is an error', async (_what, output, message) => {
    const bench = await benchWithFiles()
    await bench.fails(pull(bench, join(bench.root, 'work', output)), message)
  })

  test('33: in the place of a file is an error that changes nothing', async () => {
    const bench = await benchWithFiles()
    await mkdir(bench.path('output/large.bin/inside'), { recursive: true })
    await bench.fails(pull(bench), /large\.bin/)
  })
})

test.skipIf(!existsSync('/dev/full'))('33: a device that is full is named', async () => {
  const bench = await LocalBench.open()
  const { digest } = await bench.seed(SMALL)
  const words = ['manifest', 'fetch', `${bench.reference('v1').split(':v1')[0] ?? ''}@${digest}`, '-o', '/dev/full']
  await bench.fails([...words, '--plain-http'], /cannot write \/dev\/full: .*no space left on device/)
})

import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createFixture, seedArtifact, type Fixture } from '../fixture.js'
import { runCli } from '../run-cli.js'

let fixture: Fixture
let name: string
let folders = 0

beforeAll(async () => {
  fixture = await createFixture()
  name = `${fixture.registry}/pull`
  const details = join(fixture.folder, 'details')
  await mkdir(join(details, 'deep'), { recursive: true })
  await writeFile(join(fixture.folder, 'hi.txt'), 'hello\n')
  await writeFile(join(details, 'deep', 'more.md'), 'more')
  const titles = join(fixture.folder, 'titles.json')
  const [file, folder] = [join(fixture.folder, 'hi.txt'), details]
  await writeFile(
    titles,
    JSON.stringify({
      [file]: { 'org.opencontainers.image.title': 'hi.txt' },
      [folder]: { 'org.opencontainers.image.title': 'details' },
    }),
  )
  const flags = ['--disable-path-validation', '--annotation-file', titles]
  const { code, stderr } = await runCli(['push', `${name}:v1`, file, folder, ...flags])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
})
afterAll(() => fixture.close())

const newFolder = () => join(fixture.folder, `out-${folders++}`)

describe('pull', () => {
  test('files and folders, and again over what is there', async () => {
    const out = newFolder()
    const first = await runCli(['pull', `${name}:v1`, '-o', out])
    expect(first.stderr).toBe('')
    const lines = first.stdout.split('\n')
    expect(lines[0]).toMatch(/^Downloading [0-9a-f]{12} application\/vnd\.oci\.image\.manifest\.v1\+json$/)
    expect(lines[1]).toMatch(/^Processing {2}[0-9a-f]{12} application/)
    expect(lines).toContain('Downloaded  5891b5b522d5 hi.txt')
    expect(lines.slice(-3, -1)).toEqual([`Pulled [registry] ${name}:v1`, expect.stringMatching(/^Digest: sha256:/)])
    expect(await readFile(join(out, 'hi.txt'), 'utf8')).toBe('hello\n')
    expect(await readFile(join(out, 'details', 'deep', 'more.md'), 'utf8')).toBe('more')
    await writeFile(join(out, 'hi.txt'), 'changed')
    expect((await runCli(['pull', `${name}:v1`, '-o', out])).code).toBe(0)
    expect(await readFile(join(out, 'hi.txt'), 'utf8')).toBe('hello\n')
    expect((await readdir(out)).sort()).toEqual(['details', 'hi.txt'])
  })

  test('as JSON, with a slash behind a folder', async () => {
    const out = newFolder()
    const { stdout } = await runCli(['pull', `${name}:v1`, '-o', out, '--format', 'json'])
    const { files } = JSON.parse(stdout) as { files: { path: string; reference: string; digest: string }[] }
    expect(files.map(({ path }) => path)).toEqual([join(out, 'hi.txt'), `${join(out, 'details')}/`])
    expect(files[0]?.reference).toBe(`${name}@${files[0]?.digest ?? ''}`)
  })

  test('nothing but errors with --quiet', async () => {
    expect(await runCli(['pull', '-q', `${name}:v1`, '-o', newFolder()])).toEqual({ code: 0, stdout: '', stderr: '' })
  })

  test('--keep-old-files changes nothing when one is there', async () => {
    const out = newFolder()
    await mkdir(out)
    await writeFile(join(out, 'hi.txt'), 'mine')
    const { code, stderr } = await runCli(['pull', `${name}:v1`, '-o', out, '-k'])
    expect(stderr).toContain('failed to resolve path for writing: overwrite disallowed')
    expect(code).toBe(1)
    expect(await readdir(out)).toEqual(['hi.txt'])
    expect(await readFile(join(out, 'hi.txt'), 'utf8')).toBe('mine')
  })

  test.each(['../evil', '/abs/evil', 'a/../../evil', 'C:evil', '..\\evil', '.', '..'])(
    'a title %j leads nowhere, and nothing is fetched',
    async (title) => {
      const repository = `evil${folders}`
      await seedArtifact(fixture.repository(repository), { tag: 'v1', title })
      const out = newFolder()
      const { code, stderr } = await runCli(['pull', `${fixture.registry}/${repository}:v1`, '-o', out])
      expect(stderr).toMatch(/^Error: failed to resolve path for writing: /)
      expect(code).not.toBe(0)
      await expect(stat(out)).rejects.toThrow('ENOENT')
    },
  )

  test('a title that not every system can have, where that was allowed', async () => {
    await seedArtifact(fixture.repository('colon'), { tag: 'v1', title: 'hi:txt' })
    const words = ['pull', `${fixture.registry}/colon:v1`, '-o', newFolder()]
    expect((await runCli(words)).stderr).toContain('--allow-unportable-names')
    expect((await runCli([...words, '--allow-unportable-names'])).code).toBe(0)
  })

  test('a title that leads out, where that was allowed', async () => {
    const outside = join(fixture.folder, 'outside.txt')
    await seedArtifact(fixture.repository('trusted'), { tag: 'v1', title: outside })
    const words = ['pull', `${fixture.registry}/trusted:v1`, '-o', newFolder(), '-T']
    expect((await runCli(words)).code).toBe(0)
    expect(await readFile(outside, 'utf8')).toBe('hello\n')
  })

  test('layers without a name are no files', async () => {
    const { registry } = fixture
    const tar = join(fixture.folder, 'empty.tar')
    await writeFile(tar, new Uint8Array(1024))
    await runCli(['append', '-q', '-f', tar, '-t', `${registry}/image:v1`])
    const { code, stdout } = await runCli(['pull', `${registry}/image:v1`, '-o', newFolder()])
    expect(stdout).toContain(
      'Skipped pulling layers without file name in "org.opencontainers.image.title"\n' +
        `Use 'gantry copy ${registry}/image:v1 --to-oci-layout <layout-dir>' to pull all layers.\n`,
    )
    expect(code).toBe(0)
  })

  test('the config as a file, and the subject with it', async () => {
    const subject = await seedArtifact(fixture.repository('subject'), { tag: 'v1', title: 'subject.txt' })
    await seedArtifact(fixture.repository('subject'), { tag: 'note', title: 'note.txt', text: 'note', subject })
    const out = newFolder()
    const words = [
      'pull',
      `${fixture.registry}/subject:note`,
      '-o',
      out,
      '--include-subject',
      '--config',
      'config.json',
    ]
    expect((await runCli(words)).code).toBe(0)
    expect((await readdir(out)).sort()).toEqual(['config.json', 'note.txt', 'subject.txt'])
  })

  test('what was pulled once comes from the cache', async () => {
    const cached = await createFixture()
    await seedArtifact(cached.repository('app'), { tag: 'v1' })
    const environment = { GANTRY_CACHE: join(fixture.folder, 'cache') }
    expect((await runCli(['pull', `${cached.registry}/app:v1`, '-o', newFolder()], { environment })).code).toBe(0)
    expect(await readdir(join(fixture.folder, 'cache', 'blobs', 'sha256'))).toContain(
      '5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03',
    )
    await cached.close()
  })

  test('what is not there', async () => {
    const out = newFolder()
    expect(await runCli(['pull', `${name}:nosuch`, '-o', out])).toEqual({
      code: 6,
      stdout: '',
      stderr: `Error response from registry: ${name}:nosuch: not found\n`,
    })
    await expect(stat(out)).rejects.toThrow('ENOENT')
  })
})

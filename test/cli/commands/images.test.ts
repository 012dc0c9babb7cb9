import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { linux, pushImage, pushIndex } from '../../graph/sample-graph.js'
import { namesIn, pushLayeredImage } from '../../image/layered-image.js'
import { createFixture, type Fixture } from '../fixture.js'
import { runCli } from '../run-cli.js'

let fixture: Fixture
let name: string
let count = 0

beforeAll(async () => {
  fixture = await createFixture()
})
afterAll(() => fixture.close())

beforeEach(async () => {
  name = `${fixture.registry}/image${++count}`
  const repository = fixture.repository(`image${count}`)
  const images = [await pushImage(repository, linux('amd64')), await pushImage(repository, linux('arm64'))]
  await repository.tag(images[0]!, 'v1')
  await pushIndex(repository, images, { tag: 'index' })
})

async function stdoutOf(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await runCli(words)
  expect([code, stderr.replace(/^(Uploading|Uploaded|Exists|Mounted|Tagged|Copying).*\n/gm, '')]).toEqual([0, ''])
  return stdout
}

async function documentOf(...words: string[]): Promise<Record<string, unknown>> {
  return JSON.parse(await stdoutOf(...words)) as Record<string, unknown>
}

describe('config', () => {
  test('prints the bytes, of an index those for linux/amd64 or for the platform', async () => {
    const config = '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}'
    expect(await stdoutOf('config', `${name}:v1`)).toBe(config)
    expect(await stdoutOf('config', `${name}:index`)).toBe(config)
    expect(await documentOf('config', '--platform', 'linux/arm64', `${name}:index`)).toMatchObject({
      architecture: 'arm64',
    })
    expect(await documentOf('config', '--format', 'json', `${name}:v1`)).toMatchObject({
      reference: expect.stringMatching(`^${name}@sha256:`) as string,
      content: { architecture: 'amd64' },
    })
  })
})

test('digest prints a full reference for either spelling of the flag', async () => {
  const digest = (await stdoutOf('digest', `${name}:v1`)).trim()
  expect(await stdoutOf('digest', '--full-ref', `${name}:v1`)).toBe(`${name}@${digest}\n`)
})

test('export writes the file system to a file and to stdout', async () => {
  await pushLayeredImage(
    fixture.repository(`image${count}`),
    [
      [['a', '1']],
      [
        ['.wh.a', ''],
        ['b', '2'],
      ],
    ],
    { tag: 'fs' },
  )
  const file = join(fixture.folder, `fs${count}.tar`)
  expect(await stdoutOf('export', `${name}:fs`, file)).toBe('')
  const written = await readFile(file)
  expect(await namesIn(Readable.from([written]))).toEqual(['b: 2'])
  expect(await stdoutOf('export', `${name}:fs`)).toBe(written.toString())
  expect(await stdoutOf('export', `${name}:fs`, '-')).toBe(written.toString())
  expect(await documentOf('export', '--format', 'json', `${name}:fs`, file)).toEqual({
    reference: `${name}:fs`,
    path: file,
  })
  expect((await runCli(['export', '--format', 'json', `${name}:fs`])).code).toBe(2)
})

describe('mutate', () => {
  test('changes an image in its place and prints the digest reference', async () => {
    const reference = await stdoutOf('mutate', '-l', 'a=b,c=d', '-l', 'e=f,g', '--cmd', 'x,"y,z"', `${name}:v1`)
    expect(reference).toBe(`${name}@${(await stdoutOf('digest', `${name}:v1`)).trim()}\n`)
    expect(await documentOf('config', `${name}:v1`)).toMatchObject({
      config: { Labels: { a: 'b', c: 'd', e: 'f,g' }, Cmd: ['x', 'y,z'] },
    })
    await stdoutOf('mutate', '--cmd', '', `${name}:v1`)
    expect(await documentOf('config', `${name}:v1`)).not.toHaveProperty('config.Cmd')
  })

  test('keeps the tag that stands before a digest', async () => {
    const digest = (await stdoutOf('digest', `${name}:v1`)).trim()
    const reference = await stdoutOf('mutate', '-u', 'me', `${name}:v1@${digest}`)
    expect(reference).toBe(`${name}@${(await stdoutOf('digest', `${name}:v1`)).trim()}\n`)
    expect(reference).not.toContain(digest)
  })

  test('pushes to a tag, to a repository, to a layout and to an archive', async () => {
    const target = `${fixture.registry}/other${count}`
    const reference = await stdoutOf('mutate', '-u', 'me', '-t', `${target}:v2`, `${name}:v1`)
    const digest = reference.trim().split('@')[1] ?? ''
    expect((await stdoutOf('digest', `${target}:v2`)).trim()).toBe(digest)
    const repo = `${fixture.registry}/by-digest${count}`
    expect(await stdoutOf('mutate', '-u', 'me', '--repo', repo, `${name}:v1`)).toBe(`${repo}@${digest}\n`)
    for (const place of [
      `oci-layout:${join(fixture.folder, `l${count}`)}`,
      `oci-archive:${fixture.folder}/${count}.tar`,
    ]) {
      await stdoutOf('mutate', '-u', 'me', '-t', `${place}:v2`, `${name}:v1`)
      expect((await stdoutOf('digest', `${place}:v2`)).trim()).toBe(digest)
    }
    expect((await runCli(['mutate', '-t', 'a', '--repo', 'b', `${name}:v1`])).code).toBe(2)
  })

  test('keeps an index, and changes one of its images', async () => {
    await stdoutOf('mutate', '--label', 'a=b', '--platform', 'linux/arm64', `${name}:index`)
    expect(await documentOf('config', `${name}:index`)).not.toHaveProperty('config.Labels')
    expect(await documentOf('config', '--platform', 'linux/arm64', `${name}:index`)).toMatchObject({
      config: { Labels: { a: 'b' } },
    })
  })

  test('appends a layer from stdin, also a compressed one, and takes SOURCE_DATE_EPOCH', async () => {
    const tar = join(fixture.folder, `layer${count}.tar`)
    await writeFile(tar, Buffer.alloc(1024))
    const environment = { SOURCE_DATE_EPOCH: '86400' }
    const fromStdin = await runCli(['mutate', '--append', '-', `${name}:v1`, '-t', `${name}:a`], {
      stdin: gzipSync(Buffer.alloc(1024)),
      environment,
    })
    expect(fromStdin.code).toBe(0)
    await stdoutOf('mutate', '--append', tar, `${name}:v1`, '-t', `${name}:b`)
    const [a, b] = [await documentOf('config', `${name}:a`), await documentOf('config', `${name}:b`)]
    expect(a.rootfs).toEqual(b.rootfs)
    expect([a.created, b.created]).toEqual(['1970-01-02T00:00:00Z', '0001-01-01T00:00:00Z'])
  })

  test.each([
    [['-l', 'a'], 'a must be formatted as key=value'],
    [['-e', 'a'], '"a" is not a variable'],
    [['--set-platform', 'all'], 'an image runs on one platform'],
  ])('refuses %j', async (flags, message) => {
    const { code, stderr } = await runCli(['mutate', ...flags, `${name}:v1`])
    expect(code).not.toBe(0)
    expect(stderr).toContain(message)
  })
})

test('flatten and rebase make images, with bases from flags or annotations', async () => {
  const repository = fixture.repository(`image${count}`)
  const old = await pushLayeredImage(repository, [[['base', 'old']]], { tag: 'old' })
  await pushLayeredImage(repository, [[['base', 'new']]], { tag: 'new' })
  const annotations = {
    'org.opencontainers.image.base.name': `${name}:new`,
    'org.opencontainers.image.base.digest': old.digest,
  }
  await pushLayeredImage(repository, [[['base', 'old']], [['app', '1']]], { tag: 'app', fields: { annotations } })
  const byAnnotations = await stdoutOf('rebase', '-t', `${name}:a`, `${name}:app`)
  const byFlags = await stdoutOf(
    'rebase',
    '--old_base',
    `${name}:old`,
    '--new_base',
    `${name}:new`,
    '-t',
    `${name}:b`,
    `${name}:app`,
  )
  expect(byFlags).toBe(byAnnotations)
  const flat = await stdoutOf('flatten', `${name}:a`)
  expect(flat).toBe(`${name}@${(await stdoutOf('digest', `${name}:a`)).trim()}\n`)
  const exported = await runCli(['export', `${name}:a`])
  expect(await namesIn(Readable.from([Buffer.from(exported.stdout)]))).toEqual(['app: 1', 'base: new'])
  expect((await runCli(['rebase', `${name}:old`])).stderr).toContain('could not determine the new base')
})

test('validate says PASS, or FAIL with what is wrong and exit code 1', async () => {
  const repository = fixture.repository(`image${count}`)
  await pushLayeredImage(repository, [[['a', '1']]], { tag: 'good' })
  await pushLayeredImage(
    repository,
    [
      [
        ['a', '1'],
        ['a', '2'],
      ],
    ],
    { tag: 'bad' },
  )
  expect(await stdoutOf('validate', `${name}:good`)).toBe(`PASS: ${name}:good\n`)
  expect(await stdoutOf('validate', '--fast', '--remote', `${name}:bad`)).toBe(`PASS: ${name}:bad\n`)
  const { code, stdout } = await runCli(['validate', `${name}:bad`])
  expect([code, stdout]).toEqual([1, expect.stringContaining('it has "a" twice')])
  const json = await runCli(['validate', '--format', 'json', `${name}:bad`])
  expect(json.code).toBe(1)
  expect(JSON.parse(json.stdout)).toMatchObject({ valid: false, problems: [{}] })
  expect((await runCli(['validate'])).code).toBe(2)
})

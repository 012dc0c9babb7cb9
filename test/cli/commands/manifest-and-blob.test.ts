import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { digestOf } from '../../../src/oci/digest.js'
import type { Descriptor } from '../../../src/oci/descriptor.js'
import { createFixture, CREATED, seedArtifact, type Fixture } from '../fixture.js'
import { runCli } from '../run-cli.js'

const HELLO = digestOf('hello\n')
const ABSENT = `sha256:${'0'.repeat(64)}`
let fixture: Fixture
let root: Descriptor
let name: string

beforeAll(async () => {
  fixture = await createFixture()
  name = `${fixture.registry}/hello`
  root = await seedArtifact(fixture.repository('hello'), { tag: 'v1' })
})
afterAll(() => fixture.close())

describe('resolve', () => {
  test('a tag', async () => {
    expect(await runCli(['resolve', `${name}:v1`])).toEqual({ code: 0, stdout: `${root.digest}\n`, stderr: '' })
  })
  test('as a full reference', async () => {
    const { stdout } = await runCli(['digest', '-l', `${name}:v1`])
    expect(stdout).toBe(`${name}@${root.digest}\n`)
  })
  test('what is not there', async () => {
    expect(await runCli(['resolve', `${name}:nosuch`])).toEqual({
      code: 6,
      stdout: '',
      stderr: `Error response from registry: failed to resolve digest: ${name}:nosuch: not found\n`,
    })
  })
})

describe('tag', () => {
  test('several tags, in the order in which they were given', async () => {
    const { code, stdout } = await runCli(['tag', `${name}:v1`, 't1', 't2'])
    expect(stdout).toBe(`Tagging [registry] ${name}@${root.digest}\nTagged t1\nTagged t2\n`)
    expect(code).toBe(0)
    expect((await runCli(['resolve', `${name}:t2`])).stdout).toBe(`${root.digest}\n`)
  })
  test('a tag that is none', async () => {
    const { code, stderr } = await runCli(['tag', `${name}:v1`, 'not/a/tag'])
    expect(stderr).toContain('not/a/tag')
    expect(code).not.toBe(0)
  })
})

describe('manifest fetch', () => {
  test('byte for byte, without a line end', async () => {
    const { stdout } = await runCli(['manifest', 'fetch', `${name}:v1`])
    expect(digestOf(stdout)).toBe(root.digest)
  })
  test('indented', async () => {
    const { stdout } = await runCli(['manifest', 'get', '--pretty', `${name}:v1`])
    expect(stdout).toBe(`${JSON.stringify(JSON.parse(stdout), undefined, 2)}\n`)
    expect(stdout).toContain('\n  "schemaVersion": 2,\n')
  })
  test('the descriptor', async () => {
    const { stdout } = await runCli(['manifest', 'fetch', '--descriptor', `${name}:v1`])
    expect(stdout).toBe(`{"mediaType":"${root.mediaType}","digest":"${root.digest}","size":${root.size}}`)
  })
  test('as JSON, with the keys of the content in order', async () => {
    const { stdout } = await runCli(['manifest', 'fetch', '--format', 'json', `${name}:v1`])
    const result = JSON.parse(stdout) as { content: object }
    expect(Object.keys(result)).toEqual(['reference', 'mediaType', 'digest', 'size', 'content'])
    expect(Object.keys(result.content)).toEqual([
      'annotations',
      'artifactType',
      'config',
      'layers',
      'mediaType',
      'schemaVersion',
    ])
  })
  test('through a template', async () => {
    const words = ['manifest', 'fetch', '--format', 'go-template={{(index .content.layers 0).digest}}', `${name}:v1`]
    expect((await runCli(words)).stdout).toBe(HELLO)
  })
  test('as a media type of the caller, which layouts do not know', async () => {
    const words = ['manifest', 'fetch', '--media-type', 'application/vnd.oci.image.manifest.v1+json,a/b']
    expect(digestOf((await runCli([...words, `${name}:v1`])).stdout)).toBe(root.digest)
    expect(await runCli([...words, '--oci-layout', 'x:v1'])).toMatchObject({ code: 2 })
  })
  test('and keep it in the cache, with its config and its blobs', async () => {
    const cache = join(fixture.folder, 'cache')
    const environment = { ORAS_CACHE: cache }
    await runCli(['manifest', 'fetch', `${name}:v1`], { environment })
    await runCli(['manifest', 'fetch-config', `${name}:v1`], { environment })
    expect((await runCli(['blob', 'fetch', '-o', '-', `${name}@${HELLO}`], { environment })).stdout).toBe('hello\n')
    expect((await readdir(join(cache, 'blobs', 'sha256'))).sort()).toEqual(
      [root.digest, digestOf('{}'), HELLO].map((digest) => digest.slice(7)).sort(),
    )
  })
  test('into a file', async () => {
    const file = join(fixture.folder, 'manifest.json')
    expect((await runCli(['manifest', 'fetch', '-o', file, `${name}:v1`])).stdout).toBe('')
    expect(digestOf(await readFile(file))).toBe(root.digest)
  })
  test('what is not there', async () => {
    const { code, stderr } = await runCli(['manifest', 'fetch', `${name}:nosuch`])
    expect(stderr).toBe(
      `Error response from registry: failed to fetch the content of "${name}:nosuch": ${name}:nosuch: not found\n`,
    )
    expect(code).toBe(6)
  })
  test('the config', async () => {
    expect((await runCli(['manifest', 'fetch-config', `${name}:v1`])).stdout).toBe('{}')
    const { stdout } = await runCli(['manifest', 'get-config', '--descriptor', `${name}:v1`])
    expect(JSON.parse(stdout)).toMatchObject({ mediaType: 'application/vnd.oci.empty.v1+json', size: 2, data: 'e30=' })
  })
})

describe('manifest push', () => {
  test('under several tags, and again', async () => {
    const file = join(fixture.folder, 'push.json')
    const manifest = {
      schemaVersion: 2,
      mediaType: root.mediaType,
      config: blobOf('{}'),
      layers: [],
      annotations: { CREATED },
    }
    await writeFile(file, JSON.stringify(manifest))
    const digest = digestOf(await readFile(file))
    const first = await runCli(['manifest', 'push', `${name}:mp,mp2`, file])
    expect(first).toEqual({
      code: 0,
      stderr: '',
      stdout:
        `Uploading ${digest.slice(7, 19)} ${root.mediaType}\nUploaded  ${digest.slice(7, 19)} ${root.mediaType}\n` +
        `Pushed: [registry] ${name}:mp\nTagged mp2\nDigest: ${digest}\n`,
    })
    const again = await runCli(['manifest', 'push', `${name}:mp`, '-'], { stdin: await readFile(file) })
    expect(again.stdout).toBe(
      `Exists    ${digest.slice(7, 19)} ${root.mediaType}\nPushed: [registry] ${name}:mp\nDigest: ${digest}\n`,
    )
    expect((await runCli(['resolve', `${name}:mp2`])).stdout).toBe(`${digest}\n`)
    // A tag of its own is something new, also for a manifest that is there.
    const other = await runCli(['manifest', 'push', `${name}:mp3`, file])
    expect(other.stdout.split('\n', 1)).toEqual([`Uploading ${digest.slice(7, 19)} ${root.mediaType}`])
  })
  test.each([
    ['{', 'is not valid JSON'],
    ['{}', 'media type is not specified via the flag "--media-type" nor in "-"'],
  ])('refuses %s', async (text, reason) => {
    const { code, stderr } = await runCli(['manifest', 'push', `${name}:bad`, '-'], { stdin: text })
    expect(stderr).toContain(reason)
    expect(code).not.toBe(0)
  })
  test('refuses a manifest that is not the one of the digest', async () => {
    const { stderr } = await runCli(['manifest', 'push', `${name}@${ABSENT}`, '-'], { stdin: '{"mediaType":"a/b"}' })
    expect(stderr).toContain('digest mismatch')
  })
})

describe('manifest delete', () => {
  test('asks, and does nothing after a no', async () => {
    const { code, stdout } = await runCli(['manifest', 'delete', `${name}:v1`], { stdin: 'n\n' })
    expect(stdout).toBe(
      `Are you sure you want to delete the manifest "${root.digest}" and all tags associated with it? [y/N] Operation cancelled.\n`,
    )
    expect(code).toBe(0)
    expect((await runCli(['resolve', `${name}:v1`])).code).toBe(0)
  })

  test('asks on stderr where a program reads the result', async () => {
    const answer = { stdin: 'n\n' }
    const { stdout, stderr } = await runCli(['manifest', 'delete', `${name}:v1`, '--format', 'json'], answer)
    expect(JSON.parse(stdout)).toMatchObject({ outcome: 'cancelled' })
    expect(stderr).toMatch(/^Are you sure .*\? \[y\/N\] Operation cancelled\.\n$/)
    const blob = `${fixture.registry}/hello@${root.digest}`
    const asked = await runCli(['blob', 'delete', blob, '--format', 'json'], answer)
    expect(asked.stdout).not.toContain('Are you sure')
  })

  test('fails where nobody answers, and names the flag', async () => {
    const { code, stderr } = await runCli(['manifest', 'delete', `${name}:v1`])
    expect(stderr).toBe(
      'Error: nobody has answered the question, and nothing was deleted\nAnswer "y" on stdin, or delete without a question with -f (--force).\n',
    )
    expect(code).toBe(2)
    expect((await runCli(['resolve', `${name}:v1`])).code).toBe(0)
  })
  test('after a yes; a second time it is missing', async () => {
    const other = `${fixture.registry}/delete`
    const { digest } = await seedArtifact(fixture.repository('delete'), { tag: 'a' })
    const { stdout } = await runCli(['manifest', 'rm', `${other}:a`], { stdin: 'y\n' })
    expect(stdout).toBe(
      `Are you sure you want to delete the manifest "${digest}" and all tags associated with it? [y/N] Deleted [registry] ${other}:a\n`,
    )
    expect(await runCli(['manifest', 'delete', '-f', `${other}:a`])).toMatchObject({
      code: 0,
      stdout: `Missing ${other}:a\n`,
    })
    expect(await runCli(['manifest', 'delete', `${other}:a`])).toMatchObject({
      code: 6,
      stderr: `Error: ${other}:a: the specified manifest does not exist\n`,
    })
  })
  test('with everything that refers to it, leaves first', async () => {
    const repository = fixture.repository('graph')
    const subject = await seedArtifact(repository, { tag: 'v1' })
    const sbom = await seedArtifact(repository, { subject, artifactType: 'sbom/example' })
    const signature = await seedArtifact(repository, { subject: sbom, artifactType: 'signature/example' })
    const graph = `${fixture.registry}/graph`
    const { stdout } = await runCli(['manifest', 'delete', '-r', '-f', `${graph}:v1`])
    expect(stdout).toBe(`Deleted ${signature.digest}\nDeleted ${sbom.digest}\nDeleted [registry] ${graph}:v1\n`)
    for (const { digest } of [subject, sbom, signature]) {
      expect((await runCli(['manifest', 'fetch', `${graph}@${digest}`])).code).toBe(6)
    }
  })
})

describe('blob', () => {
  test('push, twice', async () => {
    const file = join(fixture.folder, 'blob.txt')
    await writeFile(file, 'some blob')
    const digest = digestOf('some blob')
    const tail = `Pushed: [registry] ${name}\nDigest: ${digest}\n`
    const line = `${digest.slice(7, 19)} application/vnd.oci.image.layer.v1.tar\n`
    expect((await runCli(['blob', 'push', name, file])).stdout).toBe(`Uploading ${line}Uploaded  ${line}${tail}`)
    expect((await runCli(['blob', 'push', name, file])).stdout).toBe(`Exists    ${line}${tail}`)
    const { stdout } = await runCli(['blob', 'push', '--descriptor', name, file])
    expect(stdout).toBe(`{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"${digest}","size":9}`)
  })
  test('push from stdin, with the right size only', async () => {
    const digest = digestOf('from stdin')
    const right = await runCli(['blob', 'push', '--size', '10', `${name}@${digest}`, '-'], { stdin: 'from stdin' })
    expect(right.stdout).toContain(`Digest: ${digest}`)
    const wrong = await runCli(['blob', 'push', '--size', '5', name, '-'], { stdin: 'from stdin' })
    expect(wrong.stderr).toBe('Error: input size 5 does not match the actual content size 10\n')
  })
  test('fetch', async () => {
    expect((await runCli(['blob', 'fetch', '-o', '-', `${name}@${HELLO}`])).stdout).toBe('hello\n')
    expect((await runCli(['blob', 'fetch', '--descriptor', `${name}@${HELLO}`])).stdout).toBe(
      `{"mediaType":"application/octet-stream","digest":"${HELLO}","size":6}`,
    )
    const file = join(fixture.folder, 'fetched')
    expect(await runCli(['blob', 'get', '-o', file, `${name}@${HELLO}`])).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(await readFile(file, 'utf8')).toBe('hello\n')
  })
  test('fetch what is not there leaves no file', async () => {
    const folder = join(fixture.folder, 'empty')
    await mkdir(folder)
    const { code, stderr } = await runCli(['blob', 'fetch', '-o', join(folder, 'x'), `${name}@${ABSENT}`])
    expect(stderr).toBe(`Error response from registry: ${name}@${ABSENT}: not found\n`)
    expect(code).toBe(6)
  })
  test('delete', async () => {
    const digest = digestOf('to be deleted')
    await runCli(['blob', 'push', '--size', '13', name, '-'], { stdin: 'to be deleted' })
    const question = `Are you sure you want to delete the blob "${digest}"? [y/N] `
    expect(await runCli(['blob', 'delete', `${name}@${digest}`])).toMatchObject({ code: 2, stdout: `${question}\n` })
    expect((await runCli(['blob', 'rm', '-f', `${name}@${digest}`])).stdout).toBe(
      `Deleted [registry] ${name}@${digest}\n`,
    )
    expect((await runCli(['blob', 'rm', '-f', `${name}@${digest}`])).stdout).toBe(`Missing ${name}@${digest}\n`)
    expect((await runCli(['blob', 'rm', `${name}@${digest}`])).stderr).toBe(
      `Error: ${name}@${digest}: the specified blob does not exist\n`,
    )
  })
})

describe('repo', () => {
  test('ls, whole and below a namespace', async () => {
    await seedArtifact(fixture.repository('team/app'), { tag: 'v1' })
    const all = (await runCli(['repo', 'ls', fixture.registry])).stdout.split('\n')
    expect(all).toContain('team/app')
    expect((await runCli(['repo', 'list', `${fixture.registry}/team`])).stdout).toBe('app\n')
    expect(JSON.parse((await runCli(['repo', 'ls', `${fixture.registry}/team`, '--format', 'json'])).stdout)).toEqual({
      registry: fixture.registry,
      repositories: ['team/app'],
    })
  })
  test('tags, without those that referrers need', async () => {
    const repository = fixture.repository('tags')
    const { digest } = await seedArtifact(repository, { tag: 'v1' })
    const tags = `${fixture.registry}/tags`
    const digestTag = digest.replace(':', '-')
    await runCli(['tag', `${tags}:v1`, 'v2', digestTag, `${digestTag}.sig`])
    expect((await runCli(['repo', 'tags', tags])).stdout).toBe(`${digestTag}.sig\nv1\nv2\n`)
    expect((await runCli(['repo', 'tags', '--exclude-digest-tags', tags])).stdout).toBe('v1\nv2\n')
    expect((await runCli(['repo', 'tags', '--exclude-digest-tags=false', '--last', 'v1', tags])).stdout).toBe('v2\n')
    expect(
      JSON.parse((await runCli(['repo', 'tags', tags, '--exclude-digest-tags', '--format', 'json'])).stdout),
    ).toEqual({
      tags: ['v1', 'v2'],
    })
  })
  test('tags of one manifest', async () => {
    const repository = fixture.repository('same')
    await seedArtifact(repository, { tag: 'a' })
    await seedArtifact(repository, { tag: 'b', text: 'other' })
    await runCli(['tag', `${fixture.registry}/same:a`, 'c'])
    const { stdout, stderr } = await runCli(['repo', 'tags', `${fixture.registry}/same:a`])
    expect(stdout).toBe('a\nc\n')
    expect(stderr).toMatch(
      /^\[\S+\]\[WARNING\]: \[Experimental\] querying tags associated to sha256:[0-9a-f]{64}, it may take a while\.\.\.\n/,
    )
  })
  test('tags of a repository that is not there', async () => {
    const { code, stderr } = await runCli(['repo', 'tags', `${fixture.registry}/nosuch`])
    expect(stderr).toMatch(/^Error response from registry: name unknown: /)
    expect(code).toBe(6)
  })
})

function blobOf(text: string): Descriptor {
  return { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf(text), size: text.length }
}

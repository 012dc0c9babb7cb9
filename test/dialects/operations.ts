import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { Repository } from '../../src/registry/repository.js'
import { descriptorOf } from '../../src/oci/descriptor.js'
import { digestOf, type Digest } from '../../src/oci/digest.js'
import { MediaType } from '../../src/oci/media-types.js'
import { openBytes } from '../../src/util/bytes.js'
import type { CliResult } from '../cli/run-cli.js'
import type { Workbench } from './workbench.js'

/** Something that people do with a registry. Fails unless the result is right; returns what the command said. */
export type Operation = (bench: Workbench) => Promise<CliResult>

const MIB = 1024 * 1024
const PATHS = '--disable-path-validation'

/** Content that does not compress and is never the same twice. */
export function bytesOf(size: number, seed: number): Buffer {
  const bytes = Buffer.alloc(size)
  let state = seed
  for (let index = 0; index + 4 <= size; index += 4) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes.writeUInt32LE(state, index)
  }
  return bytes
}

function worked(result: CliResult): CliResult {
  if (result.code !== 0) throw new Refused(result)
  return result
}

/** The command did not work; whether that is right is for the profile to say. */
export class Refused extends Error {
  constructor(readonly result: CliResult) {
    super(`ended with ${result.code}: ${result.stderr}${result.stdout}`)
  }
}

function tagged(bench: Workbench, name: string, tag: string): Digest | undefined {
  return bench.emulator.storage.digestOfTag(bench.name(name), tag)
}

/** Checks that a repository has a manifest and all that it names. */
async function expectComplete(bench: Workbench, name: string, digest: Digest | undefined): Promise<void> {
  const { storage } = bench.emulator
  expect(digest).toBeDefined()
  const chunks: Uint8Array[] = []
  for await (const chunk of storage.open(digest!)) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString()
  expect(digestOf(text)).toBe(digest)
  const { config, layers } = JSON.parse(text) as {
    config: { digest: Digest }
    layers: { digest: Digest; size: number }[]
  }
  for (const blob of [config, ...layers]) {
    expect(storage.blobSize(bench.name(name), blob.digest), `blob ${blob.digest}`).toBeDefined()
  }
}

async function pushBytes(bench: Workbench, name: string, bytes: Uint8Array): Promise<CliResult> {
  const file = await bench.write(`${name}/content.bin`, bytes)
  const result = worked(
    await bench.run('push', `${bench.repository(name)}:v1`, file, '--artifact-type', 'test/file', PATHS),
  )
  const digest = tagged(bench, name, 'v1')
  expect(result.stdout).toContain(`Digest: ${digest}`)
  expect(bench.emulator.storage.blobSize(bench.name(name), digestOf(bytes))).toBe(bytes.length)
  await expectComplete(bench, name, digest)
  return result
}

const login: Operation = (bench) => bench.login().then(worked)

const pushFile: Operation = (bench) => pushBytes(bench, 'file', Buffer.from('hello\n'))

const pushFolder: Operation = async (bench) => {
  await bench.write('tree/one.txt', 'one\n')
  await bench.write('tree/below/two.txt', 'two\n')
  const result = worked(await bench.run('push', `${bench.repository('tree')}:v1`, join(bench.folder, 'tree'), PATHS))
  await expectComplete(bench, 'tree', tagged(bench, 'tree', 'v1'))
  return result
}

const pushLarge: Operation = (bench) => pushBytes(bench, 'large', bytesOf(64 * MIB, 7))

/** Only in chunks where somebody asks for it: the size is what a proxy would allow. */
const pushChunks: Operation = async (bench) => {
  const bytes = bytesOf(13 * MIB, 11)
  const descriptor = descriptorOf(MediaType.octetStream, bytes)
  const transport = bench.connect()
  try {
    const repository = new Repository(transport, bench.name('chunks'), {
      uploadChunkSize: 6 * MIB,
      backoff: { base: 1 },
    })
    await repository.push(descriptor, openBytes(bytes))
  } finally {
    await transport.close()
  }
  expect(bench.emulator.storage.blobSize(bench.name('chunks'), descriptor.digest)).toBe(bytes.length)
  return { code: 0, stdout: '', stderr: '' }
}

const pull: Operation = async (bench) => {
  const bytes = bytesOf(3 * MIB, 13)
  await bench.seedFile('pull', 'v1', { title: 'content.bin', bytes })
  const folder = join(bench.folder, 'pulled')
  const result = worked(await bench.run('pull', `${bench.repository('pull')}:v1`, '-o', folder))
  expect(digestOf(await readFile(join(folder, 'content.bin')))).toBe(digestOf(bytes))
  return result
}

const attach: Operation = async (bench) => {
  const subject = await bench.seed(bench.name('attach'), ['v1'])
  const file = await bench.write('attach/sbom.json', '{}')
  const words = ['attach', `${bench.repository('attach')}:v1`, file, '--artifact-type', 'test/sbom', PATHS]
  const result = worked(await bench.run(...words))
  const [referrer] = bench.emulator.storage.referrers(bench.name('attach'), subject)
  expect(referrer?.artifactType).toBe('test/sbom')
  expect(result.stdout).toContain(`Digest: ${referrer?.digest}`)
  await expectComplete(bench, 'attach', referrer?.digest)
  const found = await discovered(bench, `${bench.repository('attach')}:v1`)
  expect(found).toEqual([referrer?.digest])
  return result
}

/** Registries that take the tag of a list for its subject have no place for a list. */
function listed(bench: Workbench, referrer: string): readonly string[] {
  return bench.profile.options.referrers?.tagResolvesToSubject === true ? [] : [referrer]
}

async function discovered(bench: Workbench, reference: string): Promise<readonly string[]> {
  const { stdout } = worked(await bench.run('discover', reference, '-o', 'json'))
  return (JSON.parse(stdout) as { manifests: { digest: string }[] }).manifests.map(({ digest }) => digest)
}

const discover: Operation = async (bench) => {
  const { referrer } = await bench.seedGraph('discover')
  const result = worked(await bench.run('discover', `${bench.repository('discover')}:v1`))
  const expected = listed(bench, referrer)
  for (const digest of expected) expect(result.stdout).toContain(digest)
  expect(await discovered(bench, `${bench.repository('discover')}:v1`)).toEqual(expected)
  return result
}

const copyOut: Operation = async (bench) => {
  const digest = await bench.seedFile('out', 'v1', { title: 'a.txt', bytes: Buffer.from('out\n') })
  const layout = join(bench.folder, 'out-layout')
  const words = ['copy', `${bench.repository('out')}:v1`, '--to-oci-layout', `${layout}:v1`, ...bench.flags('from-')]
  const result = worked(await bench.runWith({}, words))
  const index = JSON.parse(await readFile(join(layout, 'index.json'), 'utf8')) as { manifests: { digest: string }[] }
  expect(index.manifests.map((entry) => entry.digest)).toEqual([digest])
  return result
}

const copyIn: Operation = async (bench) => {
  const file = await bench.write('in/a.txt', 'in\n')
  const layout = join(bench.folder, 'in-layout')
  worked(await bench.runWith({}, ['push', '--oci-layout', `${layout}:v1`, file, '--artifact-type', 'test/in', PATHS]))
  const words = ['copy', '--from-oci-layout', `${layout}:v1`, `${bench.repository('in')}:v1`, ...bench.flags('to-')]
  const result = worked(await bench.runWith({}, words))
  await expectComplete(bench, 'in', tagged(bench, 'in', 'v1'))
  return result
}

const copyWithin: Operation = async (bench) => {
  const bytes = bytesOf(MIB, 17)
  const digest = await bench.seedFile('within', 'v1', { title: 'a.bin', bytes })
  const words = ['copy', `${bench.repository('within')}:v1`, `${bench.repository('other')}:v1`]
  const ends = [...bench.flags('from-'), ...bench.flags('to-')]
  bench.emulator.log.clear()
  const result = worked(await bench.runWith({}, [...words, ...ends]))
  expect(tagged(bench, 'other', 'v1')).toBe(digest)
  await expectComplete(bench, 'other', digest)
  const uploads = bench.emulator.log.find('PUT', /uploads/)
  const isMounted = (bench.profile.options.mount?.status ?? 201) === 201
  if (isMounted) expect(uploads, 'a mount uploads nothing').toEqual([])
  // Once more, there is nothing left to move.
  bench.emulator.log.clear()
  worked(await bench.runWith({}, [...words, ...ends]))
  expect(
    bench.emulator.log.entries.filter(({ method }) => ['POST', 'PATCH'].includes(method) && !isToken(bench, method)),
  ).toEqual([])
  return result
}

/** A POST can also be a request for a token. */
function isToken(bench: Workbench, method: string): boolean {
  return method === 'POST' && bench.profile.options.token?.refreshOnly === true
}

const copyGraph: Operation = async (bench) => {
  const { subject, referrer } = await bench.seedGraph('graph')
  const words = ['copy', '-r', `${bench.repository('graph')}:v1`, `${bench.repository('graph-copy')}:v1`]
  const result = worked(await bench.runWith({}, [...words, ...bench.flags('from-'), ...bench.flags('to-')]))
  expect(tagged(bench, 'graph-copy', 'v1')).toBe(subject)
  const expected = listed(bench, referrer)
  for (const digest of expected) {
    expect(bench.emulator.storage.manifest(bench.name('graph-copy'), digest as Digest)).toBeDefined()
  }
  expect(await discovered(bench, `${bench.repository('graph-copy')}:v1`)).toEqual(expected)
  return result
}

const listTags: Operation = async (bench) => {
  const tags = Array.from({ length: 1234 }, (_, index) => `t${index}`)
  await bench.seed(bench.name('tags'), tags)
  const result = worked(await bench.run('repo', 'tags', bench.repository('tags')))
  expect(result.stdout.trim().split('\n').sort()).toEqual(tags.sort())
  return result
}

const deleteByTag: Operation = async (bench) => {
  const digest = await bench.seed(bench.name('delete-tag'), ['v1', 'also'])
  const result = worked(await bench.run('manifest', 'delete', '-f', `${bench.repository('delete-tag')}:v1`))
  expect(bench.emulator.storage.manifest(bench.name('delete-tag'), digest)).toBeUndefined()
  return result
}

const deleteByDigest: Operation = async (bench) => {
  const digest = await bench.seed(bench.name('delete-digest'), ['v1'])
  const result = worked(await bench.run('manifest', 'delete', '-f', `${bench.repository('delete-digest')}@${digest}`))
  expect(bench.emulator.storage.manifest(bench.name('delete-digest'), digest)).toBeUndefined()
  return result
}

const deleteGraph: Operation = async (bench) => {
  const { subject, referrer } = await bench.seedGraph('delete-graph')
  const result = worked(await bench.run('manifest', 'delete', '-r', '-f', `${bench.repository('delete-graph')}:v1`))
  const { storage } = bench.emulator
  expect(storage.manifest(bench.name('delete-graph'), subject)).toBeUndefined()
  // Where nothing without a tag can be deleted, the registry collects it itself.
  if (bench.profile.options.delete?.manifest?.digest === 404) return result
  for (const digest of listed(bench, referrer)) {
    expect(storage.manifest(bench.name('delete-graph'), digest as Digest)).toBeUndefined()
  }
  return result
}

const deleteBlob: Operation = async (bench) => {
  const bytes = Buffer.from('blob to delete\n')
  const digest = await bench.seedBlob('delete-blob', bytes)
  const result = worked(await bench.run('blob', 'delete', '-f', `${bench.repository('delete-blob')}@${digest}`))
  expect(bench.emulator.storage.blobSize(bench.name('delete-blob'), digest)).toBeUndefined()
  return result
}

const append: Operation = async (bench) => {
  const layer = await bench.write('append/layer.tar', Buffer.alloc(1024))
  const words = ['append', '-f', layer, '-t', `${bench.repository('image')}:v1`]
  const isOciOnly = bench.profile.options.manifest?.rejectTypes?.types.test(MediaType.dockerManifest) === true
  if (isOciOnly) {
    const refused = await bench.run(...words)
    expect(refused.code).toBe(1)
    expect(refused.stderr).toMatch(/does not take the Docker media type .*\n.*--oci-empty-base/)
  }
  const result = worked(await bench.run(...words, ...(isOciOnly ? ['--oci-empty-base'] : [])))
  await expectComplete(bench, 'image', tagged(bench, 'image', 'v1'))
  return result
}

const listRepositories: Operation = async (bench) => {
  await bench.seed(bench.name('listed'), ['v1'])
  const result = worked(await bench.run('repo', 'ls', bench.registry))
  expect(result.stdout.split('\n')).toContain(bench.name('listed'))
  return result
}

/** Everything that people do, by the words of the matrix. */
export const OPERATIONS = {
  'log in': login,
  'push a file': pushFile,
  'push a folder': pushFolder,
  'push 64 MiB': pushLarge,
  'push in chunks': pushChunks,
  pull,
  attach,
  discover,
  'copy in': copyIn,
  'copy out': copyOut,
  'copy within': copyWithin,
  'copy -r': copyGraph,
  'list tags': listTags,
  append,
  'delete by tag': deleteByTag,
  'delete by digest': deleteByDigest,
  'delete -r': deleteGraph,
  'delete a blob': deleteBlob,
  'list repositories': listRepositories,
} as const satisfies Readonly<Record<string, Operation>>

export type OperationName = keyof typeof OPERATIONS

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { backup } from '../../src/artifact/backup.js'
import { restore } from '../../src/artifact/restore.js'
import { descriptorOf, type Descriptor } from '../../src/oci/descriptor.js'
import { packManifest } from '../../src/oci/pack.js'
import { LayoutTar } from '../../src/store/layout-tar.js'
import { LayoutStore } from '../../src/store/layout.js'
import { MemoryStore } from '../../src/store/memory.js'
import { TarFile } from '../../src/store/tar-file.js'
import { openBytes } from '../../src/util/bytes.js'
import { blobPathOf } from '../../src/oci/image-layout.js'
import { pushSeeds } from '../cli/transcripts/seeds.js'
import { projectFolder } from '../scenarios/harness/program.js'

let folder: string
let source: MemoryStore
let seeds: ReadonlyMap<string, Descriptor>

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gantry-backup-'))
  source = new MemoryStore()
  seeds = await pushSeeds(source)
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const at = (name: string): string => join(folder, name)

async function tagsOf(store: { tags(): AsyncIterable<string> }): Promise<string[]> {
  const tags: string[] = []
  for await (const tag of store.tags()) tags.push(tag)
  return tags
}

/** Pushes a file of its own under a tag. */
async function pushFile(text: string, tag: string): Promise<{ layer: Descriptor; manifest: Descriptor }> {
  const bytes = Buffer.from(text)
  const layer = descriptorOf('text/plain', bytes)
  await source.push(layer, openBytes(bytes))
  const packed = packManifest({ layers: [layer], artifactType: 'test/file' })
  for (const blob of packed.blobs) await source.push(blob.descriptor, openBytes(blob.bytes))
  await source.push(packed.descriptor, openBytes(packed.bytes), { tag })
  return { layer, manifest: packed.descriptor }
}

describe('backup and restore', () => {
  test.each(['all', 'all.tar'])('carry every tag and what refers to it across in %s', async (name) => {
    const saved = await backup(source, at(name), { referrers: true })
    expect(saved.tags.map(({ tag, referrers }) => [tag, referrers])).toEqual([
      ['a', 3],
      ['b', 0],
      ['c', 0],
    ])
    expect(saved.size === undefined).toBe(name === 'all')
    const sink = new MemoryStore()
    await restore([at(name)], sink)
    expect(await tagsOf(sink)).toEqual(['a', 'b', 'c'])
    for (const descriptor of seeds.values()) expect(await sink.has(descriptor)).toBe(true)
    expect(await sink.referrers(seeds.get('file')!)).toMatchObject([{ digest: seeds.get('signature')!.digest }])
  })

  test('leave referrers out, and tags that are not named', async () => {
    await backup(source, at('some'), { tags: ['a', 'b'] })
    expect(await (await LayoutStore.open(at('some'))).referrers(seeds.get('a')!)).toEqual([])
    await backup(source, at('with.tar'), { referrers: true })
    const sink = new MemoryStore()
    const restored = await restore([at('with.tar')], sink, { tags: ['a'], referrers: false })
    expect(restored.map(({ tag, referrers }) => [tag, referrers])).toEqual([['a', 0]])
    expect(await tagsOf(sink)).toEqual(['a'])
    expect(await sink.has(seeds.get('note')!)).toBe(false)
  })

  test('make the same archive again', async () => {
    await backup(source, at('one.tar'), { concurrency: 1 })
    await writeFile(at('two.tar'), 'replaced')
    await backup(source, at('two.tar'), { concurrency: 1 })
    expect(await readFile(at('one.tar'))).toEqual(await readFile(at('two.tar')))
  })

  test('leave nothing behind when a tag is not there', async () => {
    await expect(backup(source, at('x.tar'), { tags: ['a', 'nosuch'] })).rejects.toThrow(
      'failed to resolve tag "nosuch"',
    )
    await expect(backup(source, at('x'), { tags: ['nosuch'] })).rejects.toMatchObject({ code: 'not-found' })
    await expect(backup(new MemoryStore(), at('x'))).rejects.toThrow('no tags found')
    expect(await readdir(folder)).toEqual([])
  })

  test('rehearse a restore without writing', async () => {
    await backup(source, at('all.tar'), { referrers: true })
    const sink = new MemoryStore()
    const rehearsed = await restore([at('all.tar')], sink, { dryRun: true })
    expect(rehearsed.map(({ tag, referrers }) => [tag, referrers])).toEqual([
      ['a', 3],
      ['b', 0],
      ['c', 0],
    ])
    expect(await tagsOf(sink)).toEqual([])
  })

  test('refuse a backup without tags, and one that is none', async () => {
    await LayoutStore.open(at('empty'), { create: true }).then((store) =>
      store.push(descriptorOf('text/plain', Buffer.from('x')), openBytes(Buffer.from('x'))),
    )
    await expect(restore([at('empty')], new MemoryStore())).rejects.toThrow(
      `no tags found in OCI layout "${at('empty')}"`,
    )
    await writeFile(at('none.tar'), 'no tar')
    await expect(restore([at('none.tar')], new MemoryStore())).rejects.toThrow(
      /^failed to prepare OCI store from tar archive/,
    )
    await expect(restore([at('absent')], new MemoryStore())).rejects.toThrow(/^failed to access input path/)
  })
})

describe('what oras has backed up', () => {
  test.each([
    ['oras-backup', ['a', 'b']],
    ['oras-backup.tar', ['a', 'b', 'c']],
  ])('%s is restored', async (name, tags) => {
    const sink = new MemoryStore()
    const restored = await restore([join(projectFolder, 'fixtures/layouts', name)], sink)
    expect(restored.map(({ tag, referrers }) => [tag, referrers])).toEqual(
      tags.map((tag) => [tag, tag === 'a' ? 3 : 0]),
    )
    for (const tag of tags) expect((await sink.resolve(tag)).digest).toBe(seeds.get(tag)!.digest)
    expect(await sink.referrers(seeds.get('a')!, { artifactType: 'sig/ex' })).toHaveLength(1)
  })

  test('is what a newer backup adds to', async () => {
    const old = join(projectFolder, 'fixtures/layouts/oras-backup.tar')
    const { manifest } = await pushFile('something new', 'd')
    await backup(source, at('new.tar'), { since: [old] })
    const sink = new MemoryStore()
    await restore([old, at('new.tar')], sink)
    expect(await tagsOf(sink)).toEqual(['a', 'b', 'c', 'd'])
    expect((await sink.resolve('d')).digest).toBe(manifest.digest)
  })
})

describe('a backup since an older one', () => {
  test('holds only what is new, and is restored together with the older one', async () => {
    await backup(source, at('old.tar'), { referrers: true })
    const old = await TarFile.open(at('old.tar'))
    const { layer, manifest } = await pushFile('something new', 'd')
    await source.untag('b')
    await backup(source, at('new.tar'), { referrers: true, since: [at('old.tar')] })
    const archive = await TarFile.open(at('new.tar'))
    expect([layer, manifest].map(({ digest }) => archive.placeOf(blobPathOf(digest)) !== undefined)).toEqual([
      true,
      true,
    ])
    for (const { digest } of seeds.values()) {
      expect(old.placeOf(blobPathOf(digest))).toBeDefined()
      expect(archive.placeOf(blobPathOf(digest))).toBeUndefined()
    }
    expect(await tagsOf(await LayoutTar.open(at('new.tar')))).toEqual(['a', 'c', 'd'])

    const sink = new MemoryStore()
    await restore([at('old.tar'), at('new.tar')], sink)
    // What was taken away since stays away.
    expect(await tagsOf(sink)).toEqual(['a', 'c', 'd'])
    expect(await sink.referrers(seeds.get('a')!)).toHaveLength(2)
  })

  test('says what is missing when the older one is left out, and restores nothing', async () => {
    await backup(source, at('old.tar'))
    await pushFile('something new', 'd')
    await backup(source, at('new.tar'), { since: [at('old.tar')] })
    const sink = new MemoryStore()
    await expect(restore([at('new.tar')], sink)).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining(seeds.get('a')!.digest),
      hint: expect.stringContaining('old.tar'),
    })
    expect(await tagsOf(sink)).toEqual([])
    // What is whole can be restored alone, but for the blob that both share.
    await expect(restore([at('new.tar')], sink, { tags: ['d'] })).rejects.toThrow('the backup is incomplete')
  })

  test('may follow one that follows another', async () => {
    await backup(source, at('1.tar'))
    await pushFile('second', 'd')
    await backup(source, at('2.tar'), { since: [at('1.tar')] })
    const { manifest } = await pushFile('third', 'd')
    await backup(source, at('3.tar'), { since: [at('1.tar'), at('2.tar')] })
    const sink = new MemoryStore()
    await restore([at('1.tar'), at('2.tar'), at('3.tar')], sink)
    expect((await sink.resolve('d')).digest).toBe(manifest.digest)
    await expect(
      restore([at('1.tar'), at('3.tar')], new MemoryStore(), { tags: ['a', 'b', 'c'] }),
    ).resolves.toHaveLength(3)
  })

  test('is a tar', async () => {
    await backup(source, at('old.tar'))
    await expect(backup(source, at('new'), { since: [at('old.tar')] })).rejects.toMatchObject({
      code: 'invalid-argument',
    })
  })
})

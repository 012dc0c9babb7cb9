import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { plainDescriptor, type Descriptor } from '../../src/oci/descriptor.js'
import { LayoutStore } from '../../src/store/layout.js'
import { acquireFileLock } from '../../src/util/file-lock.js'
import { formatOwner, ownIdentity } from '../../src/util/process-identity.js'
import { temporaryFolder } from '../util/temporary-folder.js'
import { describeStore } from './contract.js'
import { blob, contentOf, emptyConfig, inChunks, index, listAll, manifest, readAll, type Content } from './content.js'
import { blobFile, listedIn, snapshotOf, writeBlob, writeLayout } from './layout-folder.js'

const REF_NAME = 'org.opencontainers.image.ref.name'

describeStore('an image layout in a folder', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-layout-'))
  const store = await LayoutStore.open(join(folder, 'layout'), { create: true })
  return {
    sink: store,
    source: async () => store,
    close: async () => {
      rmSync(folder, { recursive: true, force: true })
    },
  }
})

async function newLayout(): Promise<{ folder: string; store: LayoutStore }> {
  const folder = join(temporaryFolder(), 'layout')
  const store = await LayoutStore.open(folder, { create: true })
  await store.push(emptyConfig.descriptor, emptyConfig.open)
  return { folder, store }
}

async function pushAll(store: LayoutStore, ...contents: readonly Content[]): Promise<void> {
  for (const { descriptor, open } of contents) await store.push(descriptor, open)
}

const listedDigests = (folder: string): string[] => listedIn(folder).map(({ digest }) => digest)
const digestsOf = (...contents: readonly Content[]): string[] => contents.map(({ descriptor }) => descriptor.digest)

describe('a layout that is opened', () => {
  test('appears with the first write, and holds what a layout has to hold', async () => {
    const folder = join(temporaryFolder(), 'deep', 'layout')
    const store = await LayoutStore.open(folder, { create: true })
    expect(await store.has(emptyConfig.descriptor)).toBe(false)
    await expect(store.resolve('v1')).rejects.toMatchObject({ code: 'not-found' })
    expect(await listAll(store.tags())).toEqual([])
    expect(existsSync(folder)).toBe(false)
    await pushAll(store, emptyConfig)
    expect(readdirSync(folder).sort()).toEqual(['blobs', 'index.json', 'oci-layout'])
    expect(readFileSync(join(folder, 'oci-layout'), 'utf8')).toBe('{"imageLayoutVersion":"1.0.0"}')
    expect(listedIn(folder)).toEqual([])
    expect(statSync(blobFile(folder, emptyConfig.descriptor)).mode & 0o777).toBe(0o444 & ~umask())
    expect(await (await LayoutStore.open(folder)).has(emptyConfig.descriptor)).toBe(true)
  })

  test('may be made in a folder that holds other things', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'readme'), 'x')
    await expect(LayoutStore.open(folder)).rejects.toMatchObject({ code: 'invalid-content' })
    await pushAll(await LayoutStore.open(folder, { create: true }), emptyConfig)
    expect(readdirSync(folder).sort()).toEqual(['blobs', 'index.json', 'oci-layout', 'readme'])
  })

  test('is left as it is by reading and by pushing again', async () => {
    const { folder, store } = await newLayout()
    const content = manifest()
    await store.push(content.descriptor, content.open, { tag: 'v1' })
    const before = snapshotOf(folder)
    const inode = statSync(join(folder, 'index.json')).ino
    const again = await LayoutStore.open(folder)
    await again.readManifest('v1')
    await again.push(content.descriptor, content.open, { tag: 'v1' })
    await again.push(emptyConfig.descriptor, emptyConfig.open)
    expect(snapshotOf(folder)).toEqual(before)
    expect(statSync(join(folder, 'index.json')).ino).toBe(inode)
  })
})

describe('index.json', () => {
  test('lists what has a name, and what nothing else leads to', async () => {
    const { folder, store } = await newLayout()
    const [first, second, alone] = [manifest(), manifest(), manifest()]
    const parent = index([first.descriptor, second.descriptor])
    const referrer = manifest({ subject: parent.descriptor })
    await pushAll(store, first, second, alone)
    expect(listedDigests(folder)).toEqual(digestsOf(first, second, alone))
    await store.tag(second.descriptor, 'second')
    await pushAll(store, parent, referrer)
    expect(listedDigests(folder).sort()).toEqual(digestsOf(alone, second, parent, referrer).sort())
    // What the index leads to is there, is found, and is not listed by another push.
    await pushAll(store, first)
    expect(await store.has(first.descriptor)).toBe(true)
    expect(listedDigests(folder)).not.toContain(first.descriptor.digest)
    expect(plainDescriptor(await store.resolve(first.descriptor.digest))).toEqual(first.descriptor)
    await store.untag('second')
    expect(listedDigests(folder).sort()).toEqual(digestsOf(alone, parent, referrer).sort())
  })

  test('carries what is known of a manifest, and the name on top of it', async () => {
    const { folder, store } = await newLayout()
    const content = manifest()
    const known = { artifactType: 'test/known', annotations: { created: '2020' } }
    await store.push({ ...content.descriptor, ...known }, content.open, { tag: 'v1' })
    await store.tag(content.descriptor, 'any/name: 2')
    const withName = (name: string): Descriptor => ({
      ...content.descriptor,
      artifactType: 'test/known',
      annotations: { created: '2020', [REF_NAME]: name },
    })
    expect(listedIn(folder)).toEqual([withName('v1'), withName('any/name: 2')])
    expect(await store.resolve('v1')).toEqual(withName('v1'))
    expect(await store.resolve('any/name: 2')).toEqual(withName('any/name: 2'))
    expect(await store.resolve(content.descriptor.digest)).toEqual({ ...content.descriptor, ...known })
  })

  test('does not list what an index leads to when its name moves to another', async () => {
    const { folder, store } = await newLayout()
    const [child, next, last] = [manifest(), manifest(), manifest()]
    const parent = index([child.descriptor])
    await pushAll(store, child, parent)
    await store.tag(child.descriptor, 'v1')
    await store.push(next.descriptor, next.open, { tag: 'v1' })
    expect(listedDigests(folder)).toEqual(digestsOf(parent, next))
    await store.tag(child.descriptor, 'v2')
    await pushAll(store, last)
    await store.tag(last.descriptor, 'v2')
    expect(listedDigests(folder).sort()).toEqual(digestsOf(parent, next, last).sort())
    expect(await store.has(child.descriptor)).toBe(true)
  })

  test('lists again what an index contained when that is deleted', async () => {
    const { folder, store } = await newLayout()
    const [shared, own, missing] = [manifest(), manifest(), manifest()]
    const inner = index([own.descriptor])
    const outer = index([inner.descriptor, shared.descriptor, missing.descriptor])
    const other = index([shared.descriptor])
    await pushAll(store, shared, own, inner, outer, other)
    expect(listedDigests(folder)).toEqual(digestsOf(outer, other))
    await store.delete(inner.descriptor)
    expect(listedDigests(folder)).toEqual(digestsOf(outer, other, own))
    await store.delete(outer.descriptor)
    expect(listedDigests(folder)).toEqual(digestsOf(other, own))
    for (const { descriptor } of [shared, own]) expect(await store.has(descriptor)).toBe(true)
  })

  test('lists of these only what none of the others leads to', async () => {
    const { folder, store } = await newLayout()
    const child = manifest()
    const inner = index([child.descriptor])
    const outer = index([inner.descriptor, child.descriptor])
    await pushAll(store, child, inner, outer)
    await store.delete(outer.descriptor)
    expect(listedDigests(folder)).toEqual(digestsOf(inner))
    expect(await store.has(child.descriptor)).toBe(true)
  })

  test('keeps the fields, the entries and the annotations that others put there', async () => {
    const folder = join(temporaryFolder(), 'layout')
    const [foreign, mine] = [manifest(), manifest()]
    writeLayout(folder, [foreign])
    const document = {
      schemaVersion: 2,
      future: { key: 1 },
      manifests: [
        { mediaType: 'application/xml', digest: blob().descriptor.digest, size: 3, annotations: { [REF_NAME]: 'xml' } },
        { ...foreign.descriptor, annotations: { [REF_NAME]: 'v0', other: 'x' }, future: true },
      ],
      annotations: { 'com.example': 'y' },
    }
    writeFileSync(join(folder, 'index.json'), JSON.stringify(document, null, 3))
    const store = await LayoutStore.open(folder)
    await pushAll(store, emptyConfig)
    await store.push(mine.descriptor, mine.open, { tag: 'v1' })
    const mineListed = { ...mine.descriptor, annotations: { [REF_NAME]: 'v1' } }
    expect(JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8'))).toEqual({
      ...document,
      manifests: [...document.manifests, mineListed],
    })
    expect(await listAll(store.tags())).toEqual(['v0', 'v1', 'xml'])
    expect((await store.resolve('xml')).mediaType).toBe('application/xml')
  })

  test('is read again after somebody else has changed it', async () => {
    const { folder, store } = await newLayout()
    const content = manifest()
    await store.push(content.descriptor, content.open, { tag: 'v1' })
    const other = await LayoutStore.open(folder)
    await other.tag(content.descriptor, 'v2')
    expect(await listAll(store.tags())).toEqual(['v1', 'v2'])
    await store.untag('v1')
    expect(await listAll(other.tags())).toEqual(['v2'])
    await other.delete(content.descriptor)
    expect(await store.has(content.descriptor)).toBe(false)
    expect(await listAll(store.tags())).toEqual([])
  })
})

describe('the blobs of a layout', () => {
  test('are followed by nothing else in their folder', async () => {
    const { folder, store } = await newLayout()
    await expect(store.push(blob().descriptor, blob().open)).rejects.toMatchObject({ code: 'digest-mismatch' })
    expect(readdirSync(join(folder, 'blobs/sha256'))).toEqual([emptyConfig.descriptor.digest.slice(7)])
    expect(readdirSync(folder).sort()).toEqual(['blobs', 'index.json', 'oci-layout'])
  })

  test('are followed by what a killed process left only until the next push', async () => {
    const folder = join(temporaryFolder(), 'layout')
    writeLayout(folder, [])
    const dead = { ...ownIdentity(), pid: 2 ** 22 + 1 }
    const stale = [folder, join(folder, 'blobs/sha256')].map((path) => join(path, `.gantry-${formatOwner(dead)}.tmp`))
    for (const path of stale) writeFileSync(path, 'half')
    await pushAll(await LayoutStore.open(folder), emptyConfig)
    expect(stale.filter((path) => existsSync(path))).toEqual([])
  })

  test('that are damaged do not count, are replaced by a push, and are not read', async () => {
    const { folder, store } = await newLayout()
    const content = blob(5000)
    writeBlob(
      folder,
      content.descriptor,
      content.bytes.map((byte) => ~byte),
    )
    expect(await store.has(content.descriptor)).toBe(false)
    await pushAll(store, content)
    expect(await store.has(content.descriptor)).toBe(true)
    expect(Buffer.compare(await readAll(store.fetch(content.descriptor)), content.bytes)).toBe(0)
  })

  test('are checked by their digest up to 4 MiB, above when asked, and always before a push is left out', async () => {
    const { folder, store } = await newLayout()
    const content = blob(4 * 1024 * 1024 + 1)
    writeBlob(folder, content.descriptor, Buffer.alloc(content.bytes.byteLength))
    expect(await store.has(content.descriptor)).toBe(true)
    expect(await (await LayoutStore.open(folder, { verify: true })).has(content.descriptor)).toBe(false)
    await pushAll(store, content)
    expect(Buffer.compare(readFileSync(blobFile(folder, content.descriptor)), content.bytes)).toBe(0)
  })

  test('are not read from their source when they are there', async () => {
    const { store } = await newLayout()
    const content = blob()
    const parent = manifest()
    await pushAll(store, content, parent)
    const unused = (): never => {
      throw new Error('read again')
    }
    const offsets: number[] = []
    for (const { descriptor } of [content, parent]) {
      await store.push(descriptor, unused, { tag: 'v1', onProgress: (offset) => offsets.push(offset) })
    }
    expect(offsets).toEqual([content.descriptor.size, parent.descriptor.size])
    expect(plainDescriptor(await store.resolve('v1'))).toEqual(parent.descriptor)
  })

  test('are found by digest alone', async () => {
    const { store } = await newLayout()
    const { digest, size } = emptyConfig.descriptor
    expect(await store.resolveBlob(digest)).toEqual({ mediaType: 'application/octet-stream', digest, size })
    await expect(store.resolveBlob(blob().descriptor.digest)).rejects.toMatchObject({ code: 'not-found' })
  })

  test('resolve by digest, as a manifest where they say so', async () => {
    const { folder, store } = await newLayout()
    const [unlisted, layer] = [manifest(), contentOf('x/y', new TextEncoder().encode('{"mediaType":"x/y"}'))]
    writeBlob(folder, unlisted.descriptor, unlisted.bytes)
    writeBlob(folder, layer.descriptor, layer.bytes)
    expect(await store.resolve(unlisted.descriptor.digest)).toEqual(unlisted.descriptor)
    expect((await store.readManifest(unlisted.descriptor.digest)).descriptor).toEqual(unlisted.descriptor)
    expect((await store.resolve(layer.descriptor.digest)).mediaType).toBe('application/octet-stream')
    // Its subject would not be known: it has to be pushed to count.
    expect(await store.has(unlisted.descriptor)).toBe(false)
    await pushAll(store, unlisted)
    expect(listedDigests(folder)).toEqual(digestsOf(unlisted))
  })
})

describe('a locked layout', () => {
  test('is waited for, and an abort ends the wait at once', async () => {
    const { folder, store } = await newLayout()
    const content = manifest()
    await pushAll(store, content)
    const release = await acquireFileLock(join(folder, 'index.json.lock'))
    const waiting = store.tag(content.descriptor, 'v1')
    const given = store.tag(content.descriptor, 'v2', { signal: AbortSignal.timeout(30) })
    await expect(given).rejects.toMatchObject({ code: 'aborted' })
    await release()
    await waiting
    expect(await listAll(store.tags())).toEqual(['v1'])
    const again = await acquireFileLock(join(folder, 'index.json.lock'))
    await expect(store.untag('v1', { signal: AbortSignal.timeout(30) })).rejects.toMatchObject({ code: 'aborted' })
    await again()
    await store.untag('v1')
  })

  test('is still read', async () => {
    const { folder, store } = await newLayout()
    const content = manifest()
    await store.push(content.descriptor, content.open, { tag: 'v1' })
    const release = await acquireFileLock(join(folder, 'index.json.lock'))
    expect(plainDescriptor(await store.resolve('v1'))).toEqual(content.descriptor)
    expect(plainDescriptor(await (await LayoutStore.open(folder)).resolve('v1'))).toEqual(content.descriptor)
    await release()
  })
})

test('a manifest that somebody deletes while it is pushed is there in the end', async () => {
  const { folder, store } = await newLayout()
  const content = manifest()
  const release = await acquireFileLock(join(folder, 'index.json.lock'))
  const pushing = store.push(content.descriptor, content.open)
  const path = blobFile(folder, content.descriptor)
  while (!existsSync(path)) await sleep(1)
  rmSync(path)
  await release()
  await pushing
  expect(await store.has(content.descriptor)).toBe(true)
  expect(Buffer.compare((await store.readManifest(content.descriptor.digest)).bytes, content.bytes)).toBe(0)
})

test('changes that come together are written together', async () => {
  const { folder, store } = await newLayout()
  const contents = Array.from({ length: 200 }, () => manifest())
  const inodes = new Set<number>()
  await Promise.all(
    contents.map(async ({ descriptor, bytes }, number) => {
      await store.push(descriptor, inChunks(bytes, 100), { tag: `v${number}` })
      inodes.add(statSync(join(folder, 'index.json')).ino)
    }),
  )
  expect(await listAll(store.tags())).toHaveLength(200)
  expect(inodes.size).toBeLessThan(100)
})

function umask(): number {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'probe'), '', { mode: 0o777 })
  return 0o777 & ~statSync(join(folder, 'probe')).mode
}

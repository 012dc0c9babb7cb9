import { existsSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { attach } from '../../src/artifact/attach.js'
import { copy } from '../../src/graph/copy.js'
import { asManifest, descriptorOf, type Descriptor } from '../../src/oci/descriptor.js'
import { MediaType } from '../../src/oci/media-types.js'
import { packManifest } from '../../src/oci/pack.js'
import { LayoutStore } from '../../src/store/layout.js'
import { MemoryStore } from '../../src/store/memory.js'
import { openBytes } from '../../src/util/bytes.js'
import { encodeLockOwner } from '../../src/util/lock-owner.js'
import { formatOwner, ownIdentity } from '../../src/util/process-identity.js'
import { temporaryFolder } from '../util/temporary-folder.js'

async function blob(store: LayoutStore, text: string): Promise<Descriptor> {
  const bytes = Buffer.from(text)
  const descriptor = descriptorOf(MediaType.octetStream, bytes)
  await store.push(descriptor, openBytes(bytes))
  return descriptor
}

async function artifact(store: LayoutStore, tag: string): Promise<Descriptor> {
  const packed = packManifest({ artifactType: 'test/app', layers: [await blob(store, `content of ${tag}`)] })
  for (const { descriptor, bytes } of packed.blobs) await store.push(descriptor, openBytes(bytes))
  const descriptor = asManifest(packed.descriptor)
  await store.push(descriptor, openBytes(packed.bytes), { tag })
  return descriptor
}

async function openLayout(): Promise<{ readonly folder: string; readonly store: LayoutStore }> {
  const folder = join(temporaryFolder(), 'layout')
  return { folder, store: await LayoutStore.open(folder, { create: true }) }
}

const blobsOf = (folder: string): number => readdirSync(join(folder, 'blobs/sha256')).length

describe('the garbage of a layout', () => {
  test('is what nothing leads to, and old enough', async () => {
    const { folder, store } = await openLayout()
    const kept = await artifact(store, 'kept')
    await attach(store, 'kept', [], { artifactType: 'test/note', annotations: { a: 'b' } })
    const gone = await artifact(store, 'gone')
    const loose = await blob(store, 'loose')
    await store.delete(gone)
    const before = blobsOf(folder)
    expect(await store.collectGarbage()).toMatchObject({ removed: [], kept: [{}, {}] })
    const planned = await store.collectGarbage({ dryRun: true, minAge: 0 })
    expect(planned.removed.map(({ size }) => size).sort()).toEqual(['content of gone'.length, loose.size].sort())
    expect(blobsOf(folder)).toBe(before)
    expect(await store.collectGarbage({ minAge: 0 })).toEqual(planned)
    expect(blobsOf(folder)).toBe(before - 2)
    await copy(store, 'kept', new MemoryStore(), { referrers: true })
    expect(await store.referrers(kept)).toHaveLength(1)
    expect(await store.collectGarbage({ minAge: 0 })).toEqual({ removed: [], kept: [] })
  })

  test('is left alone where a manifest cannot be understood', async () => {
    const { folder, store } = await openLayout()
    const { digest } = await artifact(store, 'v1')
    await blob(store, 'loose')
    writeFileSync(join(folder, 'blobs/sha256', digest.slice(7)), 'x')
    const before = blobsOf(folder)
    await expect((await LayoutStore.open(folder)).collectGarbage({ minAge: 0 })).rejects.toThrow()
    expect(blobsOf(folder)).toBe(before)
  })

  test('is left alone while another process writes, and what dead ones left goes', async () => {
    const { folder, store } = await openLayout()
    await blob(store, 'loose')
    const nameOf = (pid: number): string =>
      join(folder, 'blobs/sha256', `.gantry-${formatOwner({ ...ownIdentity(), pid, started: '0' })}.tmp`)
    const [living, dead] = [nameOf(process.ppid), nameOf(2 ** 22 + 1)]
    for (const path of [living, dead]) writeFileSync(path, 'x')
    await expect(store.collectGarbage({ minAge: 0 })).rejects.toMatchObject({ code: 'locked' })
    const elsewhere = join(
      folder,
      'blobs/sha256',
      `.gantry-${formatOwner({ ...ownIdentity(), space: '00000000' })}.tmp`,
    )
    writeFileSync(elsewhere, 'x')
    utimesSync(elsewhere, new Date(0), new Date(0))
    rmSync(living)
    await store.collectGarbage({ minAge: 0 })
    expect(existsSync(dead)).toBe(false)
    expect(existsSync(elsewhere)).toBe(false)
    expect(blobsOf(folder)).toBe(0)
  })

  test('is left alone while a process elsewhere writes that has the same number as this one', async () => {
    const { folder, store } = await openLayout()
    await blob(store, 'loose')
    const owner = formatOwner({ ...ownIdentity(), space: '00000000' })
    writeFileSync(join(folder, 'blobs/sha256', `.gantry-${owner}.tmp`), 'x')
    await expect(store.collectGarbage({ minAge: 0 })).rejects.toMatchObject({ code: 'locked' })
  })

  test('a lock that a dead process has left is taken over and goes', async () => {
    const { folder, store } = await openLayout()
    await artifact(store, 'v1')
    const lock = join(folder, 'index.json.lock')
    const owner = JSON.parse(Buffer.from(encodeLockOwner()).toString()) as { pid: number }
    writeFileSync(lock, JSON.stringify({ ...owner, pid: 2 ** 22 + 1 }))
    await store.collectGarbage({ minAge: 0 })
    expect(existsSync(lock)).toBe(false)
  })
})

import { execFileSync } from 'node:child_process'
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Descriptor } from '../../src/oci/descriptor.js'
import { digestOf } from '../../src/oci/digest.js'
import { MediaType } from '../../src/oci/media-types.js'
import { LayoutStore } from '../../src/store/layout.js'
import { temporaryFolder } from '../util/temporary-folder.js'
import { blob, contentOf, emptyConfig, index, manifest, readAll } from './content.js'
import { blobFile, snapshotOf, writeBlob, writeLayout } from './layout-folder.js'

interface Refusal {
  readonly name: string
  readonly prepare: (folder: string) => void
  readonly code: string
  readonly message: string
  /** Whether the folder may become a layout when that is asked for; default false. */
  readonly mayBecome?: boolean
}

const replaced = (file: string, content: string | Buffer) => (folder: string) => {
  writeLayout(folder, [])
  writeFileSync(join(folder, file), content)
}

describe('opening is refused with', () => {
  test.each<Refusal>([
    {
      name: 'nothing there',
      prepare: (folder) => {
        rmSync(folder, { recursive: true })
      },
      code: 'not-found',
      message: 'no such file or directory',
      mayBecome: true,
    },
    {
      name: 'an empty folder',
      prepare: () => undefined,
      code: 'invalid-content',
      message: 'oci-layout is missing',
      mayBecome: true,
    },
    {
      name: 'an index.json alone',
      prepare: (folder) => {
        writeFileSync(join(folder, 'index.json'), '{}')
      },
      code: 'invalid-content',
      message: 'oci-layout is missing',
    },
    {
      name: 'an oci-layout alone',
      prepare: (folder) => {
        writeFileSync(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
      },
      code: 'invalid-content',
      message: 'index.json is missing',
      mayBecome: true,
    },
    {
      name: 'another version',
      prepare: replaced('oci-layout', '{"imageLayoutVersion":"2.0.0"}'),
      code: 'unsupported',
      message: '"2.0.0"',
    },
    {
      name: 'a broken oci-layout',
      prepare: replaced('oci-layout', '{'),
      code: 'invalid-content',
      message: 'oci-layout is not valid JSON',
    },
    {
      name: 'a huge oci-layout',
      prepare: replaced('oci-layout', ' '.repeat(5000)),
      code: 'limit-exceeded',
      message: 'oci-layout exceeds',
    },
    {
      name: 'a broken index.json',
      prepare: replaced('index.json', '['),
      code: 'invalid-content',
      message: 'index.json is not valid JSON',
    },
    {
      name: 'a huge index.json',
      prepare: replaced('index.json', Buffer.alloc(5 << 20)),
      code: 'limit-exceeded',
      message: 'index.json exceeds',
    },
    {
      name: 'a digest that leads out',
      prepare: (folder) => {
        const digest = 'sha256:../../../etc/passwd' as Descriptor['digest']
        writeLayout(folder, [], [{ ...blob().descriptor, digest }])
      },
      code: 'invalid-digest',
      message: 'index.json manifests[0]',
    },
    {
      name: 'an index.json that is a folder',
      prepare: (folder) => {
        writeLayout(folder, [])
        rmSync(join(folder, 'index.json'))
        mkdirSync(join(folder, 'index.json'))
      },
      code: 'file-error',
      message: 'index.json is not a regular file',
    },
    {
      name: 'an index.json that is a link',
      prepare: (folder) => {
        writeLayout(folder, [])
        renameSync(join(folder, 'index.json'), join(folder, 'real.json'))
        symlinkSync('real.json', join(folder, 'index.json'))
      },
      code: 'file-error',
      message: 'index.json is not a regular file',
    },
    {
      name: 'an oci-layout that is a pipe',
      prepare: (folder) => {
        writeLayout(folder, [])
        rmSync(join(folder, 'oci-layout'))
        execFileSync('mkfifo', [join(folder, 'oci-layout')])
      },
      code: 'file-error',
      message: 'oci-layout is not a regular file',
    },
    {
      name: 'a file in place of the folder',
      prepare: (folder) => {
        rmSync(folder, { recursive: true })
        writeFileSync(folder, 'x')
      },
      code: 'file-error',
      message: 'is not a folder',
    },
  ])('$name', async ({ prepare, code, message, mayBecome = false }) => {
    const folder = join(temporaryFolder(), 'layout')
    mkdirSync(folder)
    prepare(folder)
    const before = snapshotOf(folder)
    const expected = { code, message: expect.stringContaining(message) }
    await expect(LayoutStore.open(folder)).rejects.toMatchObject(expected)
    const opening = LayoutStore.open(folder, { create: true })
    if (mayBecome) await opening
    else await expect(opening).rejects.toMatchObject(expected)
    expect(snapshotOf(folder)).toEqual(before)
  })
})

/** A layout with a victim beside it that nothing must read, change or replace. */
function preparedLayout(): { folder: string; victim: string; content: ReturnType<typeof blob> } {
  const parent = temporaryFolder()
  const folder = join(parent, 'layout')
  const victim = join(parent, 'victim')
  const content = blob(1000)
  writeLayout(folder, [])
  writeFileSync(victim, content.bytes)
  return { folder, victim, content }
}

describe('a blob', () => {
  test('that is a link is neither read nor counted, and a push replaces the link', async () => {
    const { folder, victim, content } = preparedLayout()
    symlinkSync(victim, blobFile(folder, content.descriptor))
    const before = snapshotOf(victim)
    const store = await LayoutStore.open(folder)
    const refusal = { code: 'file-error', message: `blob ${content.descriptor.digest} is not a regular file` }
    await expect(readAll(store.fetch(content.descriptor))).rejects.toMatchObject(refusal)
    await expect(store.resolve(content.descriptor.digest)).rejects.toMatchObject(refusal)
    await expect(store.tag(content.descriptor, 'v1')).rejects.toMatchObject(refusal)
    expect(await store.has(content.descriptor)).toBe(false)
    await store.push(content.descriptor, content.open)
    expect(Buffer.compare(await readAll(store.fetch(content.descriptor)), content.bytes)).toBe(0)
    expect(snapshotOf(victim)).toEqual(before)
  })

  test('that is a link can be deleted, and what it points at stays', async () => {
    const { folder, victim, content } = preparedLayout()
    symlinkSync(victim, blobFile(folder, content.descriptor))
    const before = snapshotOf(victim)
    const store = await LayoutStore.open(folder)
    await store.delete(content.descriptor)
    await expect(store.delete(content.descriptor)).rejects.toMatchObject({ code: 'not-found' })
    expect(snapshotOf(victim)).toEqual(before)
  })

  test('that is a pipe does not hang anything', async () => {
    const { folder, content } = preparedLayout()
    execFileSync('mkfifo', [blobFile(folder, content.descriptor)])
    const store = await LayoutStore.open(folder)
    await expect(readAll(store.fetch(content.descriptor))).rejects.toMatchObject({ code: 'file-error' })
    expect(await store.has(content.descriptor)).toBe(false)
  })

  test('that is a folder is refused, also by a push', async () => {
    const { folder, content } = preparedLayout()
    mkdirSync(blobFile(folder, content.descriptor))
    const store = await LayoutStore.open(folder)
    const before = snapshotOf(folder)
    await expect(readAll(store.fetch(content.descriptor))).rejects.toMatchObject({ code: 'file-error' })
    await expect(store.push(content.descriptor, content.open)).rejects.toMatchObject({ code: 'file-error' })
    expect(snapshotOf(folder)).toEqual(before)
  })

  test.each(['blobs', 'blobs/sha256'])('below a link in the place of %s is not reached', async (name) => {
    const { folder, content } = preparedLayout()
    writeBlob(folder, content.descriptor, content.bytes)
    const outside = join(folder, '..', 'outside')
    renameSync(join(folder, name), outside)
    symlinkSync(outside, join(folder, name))
    const before = snapshotOf(outside)
    const store = await LayoutStore.open(folder)
    const refusal = { code: 'file-error', message: expect.stringContaining('is not a folder') }
    await expect(readAll(store.fetch(content.descriptor))).rejects.toMatchObject(refusal)
    await expect(store.has(content.descriptor)).rejects.toMatchObject(refusal)
    await expect(store.push(blob().descriptor, blob().open)).rejects.toMatchObject(refusal)
    await expect(store.delete(content.descriptor)).rejects.toMatchObject(refusal)
    expect(snapshotOf(outside)).toEqual(before)
  })

  test('of another size than declared is refused before it is read', async () => {
    const { folder, content } = preparedLayout()
    writeBlob(folder, content.descriptor, content.bytes.subarray(1))
    const store = await LayoutStore.open(folder)
    await expect(readAll(store.fetch(content.descriptor))).rejects.toMatchObject({ code: 'size-mismatch' })
    expect(await store.has(content.descriptor)).toBe(false)
  })
})

describe('a manifest', () => {
  test('with wrong bytes of the right size is refused', async () => {
    const { folder } = preparedLayout()
    const content = manifest()
    writeLayout(folder, [content])
    writeBlob(
      folder,
      content.descriptor,
      content.bytes.map((byte) => ~byte),
    )
    const store = await LayoutStore.open(folder)
    const { digest } = content.descriptor
    await expect(store.readManifest(digest)).rejects.toMatchObject({ code: 'digest-mismatch' })
    await expect(store.referrers(emptyConfig.descriptor)).rejects.toMatchObject({ code: 'digest-mismatch' })
    expect(await store.has(content.descriptor)).toBe(false)
    await store.push(content.descriptor, content.open)
    expect(Buffer.compare((await store.readManifest(digest)).bytes, content.bytes)).toBe(0)
  })

  test.each([
    ['two kinds at once', { manifests: [], layers: [] }, 'ambiguous-manifest'],
    ['another type than announced', { mediaType: MediaType.imageIndex, layers: [] }, 'ambiguous-manifest'],
    ['no config', { layers: [] }, 'invalid-content'],
    [
      'a layer that leads out',
      { config: emptyConfig.descriptor, layers: [{ mediaType: 'x/y', digest: 'sha256:../x', size: 1 }] },
      'invalid-digest',
    ],
  ])('with %s is not taken, and spoils no list of referrers', async (_, document, code) => {
    const { folder } = preparedLayout()
    const content = contentOf(
      MediaType.imageManifest,
      new TextEncoder().encode(JSON.stringify({ schemaVersion: 2, ...document })),
    )
    const store = await LayoutStore.open(folder)
    await expect(store.push(content.descriptor, content.open)).rejects.toMatchObject({ code })
    expect(await store.referrers(emptyConfig.descriptor)).toEqual([])
  })

  test('of a huge size is not read', async () => {
    const { folder } = preparedLayout()
    const descriptor = { ...manifest().descriptor, size: 2 ** 52 }
    writeLayout(folder, [], [{ ...descriptor }])
    const store = await LayoutStore.open(folder)
    await expect(store.readManifest(descriptor.digest)).rejects.toMatchObject({ code: 'limit-exceeded' })
    await expect(store.push(descriptor, manifest().open)).rejects.toMatchObject({ code: 'limit-exceeded' })
  })

  test('that is missing is left out of referrers, and not found when asked for', async () => {
    const { folder } = preparedLayout()
    const [subject, there, missing] = [manifest(), manifest(), manifest()]
    const referrer = manifest({ subject: subject.descriptor })
    const sparse = index([there.descriptor, missing.descriptor])
    writeLayout(
      folder,
      [sparse, referrer],
      [sparse, referrer, missing].map(({ descriptor }) => ({ ...descriptor })),
    )
    const store = await LayoutStore.open(folder)
    expect(await store.referrers(subject.descriptor)).toHaveLength(1)
    await expect(store.readManifest(missing.descriptor.digest)).rejects.toMatchObject({ code: 'not-found' })
    await expect(store.resolve(there.descriptor.digest)).rejects.toMatchObject({ code: 'not-found' })
  })

  test('index that is damaged can be replaced and deleted', async () => {
    const { folder } = preparedLayout()
    const child = manifest()
    const parent = index([child.descriptor])
    writeLayout(folder, [emptyConfig, parent], [{ ...parent.descriptor }])
    writeBlob(
      folder,
      parent.descriptor,
      parent.bytes.map((byte) => ~byte),
    )
    const store = await LayoutStore.open(folder)
    await store.push(child.descriptor, child.open)
    await store.push(parent.descriptor, parent.open, { tag: 'v1' })
    expect((await store.readManifest('v1')).descriptor.digest).toBe(parent.descriptor.digest)
    writeBlob(folder, parent.descriptor, 'x')
    await (await LayoutStore.open(folder)).delete(parent.descriptor)
    await expect(store.resolve('v1')).rejects.toMatchObject({ code: 'not-found' })
  })

  test('indexes that are nested too deep are refused', async () => {
    const { folder } = preparedLayout()
    let inner = index([])
    const all = [inner]
    for (let depth = 0; depth < 40; depth++) all.push((inner = index([inner.descriptor])))
    writeLayout(folder, all, [{ ...inner.descriptor }])
    const store = await LayoutStore.open(folder)
    await expect(store.referrers(inner.descriptor)).rejects.toMatchObject({ code: 'limit-exceeded' })
  })
})

test('what cannot be written leaves the layout as it was', async () => {
  const { folder } = preparedLayout()
  const content = manifest()
  const store = await LayoutStore.open(folder)
  await store.push(content.descriptor, content.open)
  rmSync(join(folder, 'index.json'))
  mkdirSync(join(folder, 'index.json'))
  const before = snapshotOf(folder)
  await expect(store.tag(content.descriptor, 'v1')).rejects.toMatchObject({ code: 'file-error' })
  expect(snapshotOf(folder)).toEqual(before)
  expect(digestOf(content.bytes)).toBe(content.descriptor.digest)
})

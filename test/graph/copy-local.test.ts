import { appendFileSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { copy, copyGraph } from '../../src/graph/copy.js'
import { planCopy } from '../../src/graph/plan-copy.js'
import { descriptorOf, type Descriptor } from '../../src/oci/descriptor.js'
import { MediaType } from '../../src/oci/media-types.js'
import { packManifest } from '../../src/oci/pack.js'
import { FileSource } from '../../src/store/file-source.js'
import { LayoutStore } from '../../src/store/layout.js'
import { LayoutTar } from '../../src/store/layout-tar.js'
import { LayoutTarWriter } from '../../src/store/layout-tar-writer.js'
import { openBytes } from '../../src/util/bytes.js'
import { blobFile } from '../store/layout-folder.js'
import { RecordingStore } from './recording-store.js'
import { pushArtifact } from './sample-graph.js'

let base: string
let sink: RecordingStore
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'gantry-copy-local-'))
  sink = new RecordingStore()
})
afterEach(async () => {
  await rm(base, { recursive: true })
})

const LAYER = descriptorOf(MediaType.imageLayer, Buffer.from('layer'))

describe('copy from a layout', () => {
  test.each<[string, (file: string) => void, object]>([
    ['is missing', (file) => rmSync(file), { code: 'not-found', message: `${LAYER.digest}: not found` }],
    [
      'is cut off',
      (file) => truncateSync(file, 3),
      { code: 'size-mismatch', message: `blob ${LAYER.digest} has 3 bytes where 5 are declared` },
    ],
    [
      'is too long',
      (file) => appendFileSync(file, 'more'),
      { code: 'size-mismatch', message: `blob ${LAYER.digest} has 9 bytes where 5 are declared` },
    ],
    [
      'is a link',
      (file) => {
        renameSync(file, `${file}.moved`)
        symlinkSync(`${file}.moved`, file)
      },
      { code: 'file-error', message: `blob ${LAYER.digest} is not a regular file` },
    ],
  ])('of which a blob %s sends nothing', async (_what, damage, error) => {
    const source = await LayoutStore.open(join(base, 'layout'), { create: true })
    await pushArtifact(source, { layers: ['first', 'layer', 'other'], tag: 'v1' })
    const file = blobFile(join(base, 'layout'), LAYER)
    rmSync(file)
    writeFileSync(file, 'layer')
    damage(file)
    await expect(copy(source, 'v1', sink, { tags: ['v1'] })).rejects.toMatchObject({ ...error, side: 'source' })
    await expect(planCopy(source, 'v1', sink)).rejects.toMatchObject({ ...error, side: 'source' })
    expect(sink.callsOf('push')).toEqual([])
  })

  test('of which a blob is missing that is there already needs nothing', async () => {
    const source = await LayoutStore.open(join(base, 'layout'), { create: true })
    await pushArtifact(source, { layers: ['layer'], tag: 'v1' })
    await sink.push(LAYER, openBytes(Buffer.from('layer')))
    rmSync(blobFile(join(base, 'layout'), LAYER))
    await copy(source, 'v1', sink, { tags: ['v1'] })
    expect((await sink.resolve('v1')).mediaType).toBe(MediaType.imageManifest)
  })

  test('in a tar of which a blob is missing sends nothing', async () => {
    const path = join(base, 'layout.tar')
    const writer = await LayoutTarWriter.create(path)
    const { descriptor, bytes } = packManifest({ artifactType: 'test/a', layers: [LAYER] })
    await writer.push(descriptor, openBytes(bytes), { tag: 'v1' })
    await writer.close()
    const copying = copy(await LayoutTar.open(path), 'v1', sink)
    await expect(copying).rejects.toMatchObject({ code: 'not-found', side: 'source' })
    expect(sink.callsOf('push')).toEqual([])
  })
})

describe('copy of files', () => {
  let source: FileSource
  beforeEach(() => {
    source = new FileSource({ temporaryFolder: base })
  })
  afterEach(() => source.close())

  async function add(): Promise<Descriptor> {
    const layers: Descriptor[] = []
    for (const name of ['one', 'two']) {
      writeFileSync(join(base, name), name)
      layers.push(await source.add(join(base, name), { name }))
    }
    const { descriptor, bytes, blobs } = packManifest({ artifactType: 'test/a', layers })
    for (const blob of [...blobs, { descriptor, bytes }]) source.addBytes(blob.descriptor, blob.bytes)
    return descriptor
  }

  test('that stayed as they were sends them', async () => {
    await copyGraph(source, sink, await add())
    expect(sink.callsOf('push')).toHaveLength(4)
  })

  test.each<[string, (file: string) => void, string]>([
    ['removed', (file) => rmSync(file), 'cannot read FILE: no such file or directory'],
    ['written to', (file) => appendFileSync(file, 'more'), 'FILE changed while reading'],
    [
      'replaced',
      (file) => {
        writeFileSync(`${file}.new`, 'two')
        renameSync(`${file}.new`, file)
      },
      'FILE changed while reading',
    ],
  ])('of which one was %s sends nothing', async (_what, change, message) => {
    const root = await add()
    const file = join(base, 'two')
    change(file)
    await expect(copyGraph(source, sink, root)).rejects.toMatchObject({
      message: message.replace('FILE', file),
      side: 'source',
    })
    expect(sink.callsOf('push')).toEqual([])
  })
})

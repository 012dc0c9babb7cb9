import { expect, test } from 'vitest'
import { openExport } from '../../src/image/export.js'
import { readImage } from '../../src/image/image.js'
import { rebase } from '../../src/image/rebase.js'
import { MemoryStore } from '../../src/store/memory.js'
import { pushIndex } from '../graph/sample-graph.js'
import { namesIn, pushLayeredImage, type SampleEntry } from './layered-image.js'

const OLD: readonly SampleEntry[] = [['base', 'old']]
const NEW: readonly SampleEntry[] = [['base', 'new']]
const APP: readonly SampleEntry[] = [['app', '1']]

async function pushAll(store: MemoryStore) {
  const config = { author: 'me', created: '2020-01-01T00:00:00Z', config: { Env: ['A=b'] } }
  const old = await pushLayeredImage(store, [OLD], { tag: 'old' })
  const next = await pushLayeredImage(store, [NEW, [['more', 'm']]], { tag: 'new', config: { variant: 'v2' } })
  const image = await pushLayeredImage(store, [OLD, APP], { tag: 'app', config, fields: { annotations: { k: 'v' } } })
  return { old, next, image }
}

const bases = (store: MemoryStore) => ({
  oldBase: { source: store, reference: 'old' },
  newBase: { source: store, reference: 'new', name: 'registry/base:new' },
})

test('an image gets the layers of its new base, and keeps the rest', async () => {
  const store = new MemoryStore()
  const { next } = await pushAll(store)
  await rebase({ source: store, reference: 'app' }, store, { ...bases(store), tags: ['rebased'] })
  const from = { source: store, reference: 'rebased' }
  expect(await namesIn(await openExport(from))).toEqual(['app: 1', 'more: m', 'base: new'])
  const { manifest, config } = await readImage(store, 'rebased')
  expect(manifest.annotations).toEqual({
    k: 'v',
    'org.opencontainers.image.base.name': 'registry/base:new',
    'org.opencontainers.image.base.digest': next.digest,
  })
  expect(config.document).toMatchObject({ author: 'me', created: '2020-01-01T00:00:00Z', variant: 'v2' })
  expect(config.document?.history).toMatchObject(['step 0', 'step 1', 'step 1'].map((created_by) => ({ created_by })))
})

test('an image on another base is refused', async () => {
  const store = new MemoryStore()
  await pushAll(store)
  await expect(rebase({ source: store, reference: 'new' }, store, bases(store))).rejects.toMatchObject({
    code: 'conflict',
  })
})

test('every image of an index gets the image of the base for its platform', async () => {
  const store = new MemoryStore()
  const { old, next, image } = await pushAll(store)
  const platform = { architecture: 'amd64', os: 'linux' }
  for (const [tag, child] of [
    ['old', old],
    ['new', next],
    ['app', image],
  ] as const) {
    await pushIndex(store, [{ ...child, platform }], { tag })
  }
  await rebase({ source: store, reference: 'app' }, store, { ...bases(store), tags: ['app'], inPlace: true })
  const { bytes } = await store.readManifest('app')
  expect(JSON.parse(Buffer.from(bytes).toString())).toMatchObject({ manifests: [{ platform }] })
  expect(await namesIn(await openExport({ source: store, reference: 'app' }))).toEqual([
    'app: 1',
    'more: m',
    'base: new',
  ])
})

import { readdir } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { openExport } from '../../src/image/export.js'
import { flatten } from '../../src/image/flatten.js'
import { diffIdsOf, readImage } from '../../src/image/image.js'
import { digestOf } from '../../src/oci/digest.js'
import { MediaType } from '../../src/oci/media-types.js'
import { MemoryStore } from '../../src/store/memory.js'
import { collectBytes } from '../../src/util/bytes.js'
import { pushArtifact, pushIndex } from '../graph/sample-graph.js'
import { temporaryFolder } from '../util/temporary-folder.js'
import { namesIn, pushLayeredImage } from './layered-image.js'

const created = '2020-01-01T00:00:00Z'

test('one layer has what all layers had, and the rest of the image stays', async () => {
  const store = new MemoryStore()
  const folder = temporaryFolder()
  const old = await pushLayeredImage(
    store,
    [
      [
        ['a', '1'],
        ['b', '2'],
      ],
      [['.wh.a', '']],
    ],
    {
      config: { config: { Env: ['A=b'] }, 'x-unknown': 1 },
      fields: { annotations: { k: 'v' } },
    },
  )
  const from = { source: store, reference: old.digest }
  const options = { created, tags: ['flat'], temporaryFolder: folder }
  const { descriptor } = await flatten(from, store, options)
  const image = await readImage(store, 'flat')
  expect(image.layers.map(({ descriptor: { mediaType } }) => mediaType)).toEqual([MediaType.imageLayerGzip])
  const tar = await collectBytes(await openExport({ source: store, reference: 'flat' }), 1e6, 'tar')
  expect(await namesIn(await openExport({ source: store, reference: 'flat' }))).toEqual(['b: 2'])
  expect(diffIdsOf(image)).toEqual([digestOf(tar)])
  expect(image.manifest.annotations).toEqual({ k: 'v' })
  expect(image.config.document).toMatchObject({
    created,
    config: { Env: ['A=b'] },
    'x-unknown': 1,
    history: [
      {
        created,
        created_by: `gantry flatten ${old.digest}`,
        comment: '[{"created_by":"step 0"},{"created_by":"step 1"}]',
      },
    ],
  })
  expect((await flatten(from, new MemoryStore(), options)).descriptor.digest).toBe(descriptor.digest)
  expect(await readdir(folder)).toEqual([])
})

test('every image of an index is flattened, and attestations are left out', async () => {
  const store = new MemoryStore()
  const image = await pushLayeredImage(store, [[['a', '1']], [['b', '2']]])
  const attestation = {
    ...(await pushArtifact(store)),
    platform: { architecture: 'unknown', os: 'unknown' },
    annotations: { 'vnd.docker.reference.digest': image.digest },
  }
  const platform = { architecture: 'amd64', os: 'linux' }
  await pushIndex(store, [{ ...image, platform }, attestation], { tag: 'v1' })
  const { bytes } = await flatten({ source: store, reference: 'v1' }, store, { created, inPlace: true, tags: ['v1'] })
  expect((JSON.parse(Buffer.from(bytes).toString()) as { manifests: unknown[] }).manifests).toHaveLength(1)
  expect((await readImage(store, 'v1')).layers).toHaveLength(1)
})

test('an artifact cannot be flattened', async () => {
  const store = new MemoryStore()
  const { digest } = await pushArtifact(store, { layers: ['x'] })
  await expect(flatten({ source: store, reference: digest }, store, { created })).rejects.toMatchObject({
    code: 'unsupported',
  })
})

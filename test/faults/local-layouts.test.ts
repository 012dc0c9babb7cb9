import { execFileSync } from 'node:child_process'
import { mkdir, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { copy } from '../../src/graph/copy.js'
import { LayoutStore } from '../../src/store/layout.js'
import type { Descriptor } from '../../src/oci/descriptor.js'
import { LocalBench } from './local-bench.js'

const CONTENT = Buffer.from('the content of a layer')
const SECRET = 'the secret of somebody else'

interface Layout {
  readonly bench: LocalBench
  readonly folder: string
  readonly manifest: Descriptor
  readonly layer: Descriptor
}

/** A good layout with one artifact, and a secret beside it. */
async function makeLayout(): Promise<Layout> {
  const bench = await LocalBench.open()
  const manifest = await bench.seed(CONTENT)
  const folder = bench.path('layout')
  const store = await LayoutStore.open(folder, { create: true })
  await copy(bench.behind(), 'v1', store, { tags: ['v1'] })
  const { bytes } = await store.readManifest('v1')
  const { layers } = JSON.parse(Buffer.from(bytes).toString()) as { layers: Descriptor[] }
  await bench.write('secret', SECRET)
  return { bench, folder, manifest, layer: layers[0]! }
}

const blobOf = ({ folder }: Layout, { digest }: Descriptor): string => join(folder, 'blobs/sha256', digest.slice(7))

async function replace(path: string, content: string | Buffer): Promise<void> {
  await rm(path, { force: true })
  await writeFile(path, content)
}

describe('45: a layout is not copied to a registry, and no upload is begun:', () => {
  test.each<[string, (layout: Layout) => Promise<void>, RegExp]>([
    ['without its oci-layout', ({ folder }) => rm(join(folder, 'oci-layout')), /oci-layout is missing/],
    ['without its index.json', ({ folder }) => rm(join(folder, 'index.json')), /index\.json is missing/],
    [
      'of another version',
      ({ folder }) => replace(join(folder, 'oci-layout'), '{"imageLayoutVersion":"2.0.0"}'),
      /"2\.0\.0"/,
    ],
    ['with an index.json that is no JSON', ({ folder }) => replace(join(folder, 'index.json'), '['), /not valid JSON/],
    [
      'with an index.json of a gibibyte',
      ({ folder }) => truncate(join(folder, 'index.json'), 1024 ** 3),
      /index\.json exceeds/,
    ],
    [
      'with an index.json that is a link',
      async ({ folder }) => {
        await rename(join(folder, 'index.json'), join(folder, 'real.json'))
        await symlink('real.json', join(folder, 'index.json'))
      },
      /index\.json is not a regular file/,
    ],
    [
      'with an oci-layout that is a pipe',
      async ({ folder }) => {
        await rm(join(folder, 'oci-layout'))
        execFileSync('mkfifo', [join(folder, 'oci-layout')])
      },
      /oci-layout is not a regular file/,
    ],
    [
      'with a digest that leads out',
      ({ folder, manifest }) => {
        const entry = { ...manifest, digest: 'sha256:../../../../secret', annotations: REF_NAME }
        return replace(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [entry] }))
      },
      /invalid digest/,
    ],
    [
      'with a manifest that is a link',
      async (layout) => {
        const blob = blobOf(layout, layout.manifest)
        await rename(blob, `${blob}.real`)
        await symlink(`${blob}.real`, blob)
      },
      /is not a regular file/,
    ],
    [
      'with a blob that is a link to a secret',
      async (layout) => {
        await rm(blobOf(layout, layout.layer))
        await symlink(layout.bench.path('secret'), blobOf(layout, layout.layer))
      },
      /is not a regular file/,
    ],
    [
      'with a blob that is a pipe',
      async (layout) => {
        await rm(blobOf(layout, layout.layer))
        execFileSync('mkfifo', [blobOf(layout, layout.layer)])
      },
      /is not a regular file/,
    ],
    [
      'with a blob that is a folder',
      async (layout) => {
        await rm(blobOf(layout, layout.layer))
        await mkdir(blobOf(layout, layout.layer))
      },
      /is not a regular file/,
    ],
    ['without a blob', (layout) => rm(blobOf(layout, layout.layer)), /not found/],
    ['with a blob of another size', (layout) => replace(blobOf(layout, layout.layer), 'short'), /bytes/],
    [
      'with a manifest of the right size and wrong bytes',
      (layout) => replace(blobOf(layout, layout.manifest), Buffer.alloc(layout.manifest.size, ' ')),
      /digest mismatch|has the digest/,
    ],
    [
      'with a folder of blobs that is a link',
      async ({ folder }) => {
        await rename(join(folder, 'blobs/sha256'), join(folder, 'real'))
        await symlink('../real', join(folder, 'blobs/sha256'))
      },
      /link|not a folder|regular/,
    ],
  ])('45: %s', async (_what, damage, message) => {
    const layout = await makeLayout()
    const { bench } = layout
    await damage(layout)
    const to = bench.reference('v1', 'other/place')
    const before = bench.wire.uploads.size
    const { code, stderr, memory } = await bench.measure([
      ...['copy', '--from-oci-layout', 'layout:v1', to, '--to-plain-http'],
    ])
    expect(stderr).toMatch(message)
    expect(code, stderr).toBe(stderr.includes('not found') ? 6 : 1)
    expect(stderr).not.toContain('This is a bug')
    expect(stderr).not.toContain(SECRET)
    expect(memory).toBeLessThan(150)
    expect(bench.wire.uploads.size).toBe(before)
    expect(bench.wire.find('PUT', /./)).toEqual([])
    expect(JSON.stringify(bench.wire.ledger)).not.toContain(SECRET)
  })

  test('45: with a blob of the right size and wrong bytes, which never arrives as what it says', async () => {
    const layout = await makeLayout()
    const { bench } = layout
    await replace(blobOf(layout, layout.layer), Buffer.from(CONTENT).reverse())
    const to = bench.reference('v1', 'other/place')
    const words = ['copy', '--from-oci-layout', 'layout:v1', to, '--to-plain-http']
    await bench.fails(words, /digest mismatch|has the digest/)
    expect(bench.wire.find('PUT', /manifests/)).toEqual([])
    expect(await bench.behind('other/place').has(layout.layer)).toBe(false)
  })
})

const REF_NAME = { 'org.opencontainers.image.ref.name': 'v1' }

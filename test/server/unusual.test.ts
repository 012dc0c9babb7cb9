import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { descriptorOf } from '../../src/oci/descriptor.js'
import { digestOf } from '../../src/oci/digest.js'
import { parseManifest } from '../../src/oci/manifest.js'
import { MediaType } from '../../src/oci/media-types.js'
import { temporaryFolder } from '../util/temporary-folder.js'
import { imageManifest, indexManifest, startTestRegistry } from './test-registry.js'

const ENTRIES = 50_000

function namesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    return entry.isDirectory() ? [entry.name, ...namesBelow(join(folder, entry.name))] : [entry.name]
  })
}

function hugeIndex(): string {
  const child = (index: number): object => ({
    mediaType: MediaType.imageManifest,
    digest: digestOf(String(index)),
    size: index,
    platform: { os: 'linux', architecture: 'amd64' },
  })
  return JSON.stringify(indexManifest(Array.from({ length: ENTRIES }, (_, index) => child(index))))
}

test('an index of 50,000 entries is refused by the usual limit, and taken where that is raised', async () => {
  const body = hugeIndex()
  const usual = await startTestRegistry()
  expect((await usual.putManifest('a', 'v1', body)).status).toBe(413)
  const raised = await startTestRegistry({ maxManifestSize: 16 * 1024 * 1024 })
  expect((await raised.putManifest('a', 'v1', body)).status).toBe(201)
  const { bytes } = await raised.send('GET', '/v2/a/manifests/v1')
  expect(bytes.toString() === body).toBe(true)
  const manifest = parseManifest({ descriptor: descriptorOf(MediaType.imageIndex, bytes), bytes })
  expect(manifest.kind === 'index' && manifest.manifests.length).toBe(ENTRIES)
})

test('many small parts are no long list, however large the document is', () => {
  const bytes = Buffer.from(`{"manifests":[],"extra":[${'[],'.repeat(2_000_000)}[]]}`)
  expect(() => parseManifest({ descriptor: descriptorOf(MediaType.imageIndex, bytes), bytes })).toThrow(
    expect.objectContaining({ code: 'limit-exceeded' }),
  )
})

test('a clock that jumps a day ends no upload', async () => {
  const registry = await startTestRegistry()
  const upload = await registry.openUpload('a')
  expect((await registry.send('PATCH', upload, { body: 'ab' })).status).toBe(202)
  onTestFinished(() => {
    vi.useRealTimers()
  })
  for (const days of [1, -2]) {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + days * 24 * 60 * 60 * 1000 })
    expect((await registry.send('GET', upload)).status).toBe(204)
    await registry.openUpload('a')
  }
  expect((await registry.send('PUT', `${upload}?digest=${digestOf('abc')}`, { body: 'c' })).status).toBe(201)
})

test('names that Windows keeps for devices are names of repositories and tags, and never of files', async () => {
  const folder = join(temporaryFolder(), 'registry')
  const registry = await startTestRegistry({ folder })
  for (const name of ['con', 'aux/nul', 'com1', 'lpt1.txt', 'prn/con']) {
    await registry.pushImage(name, 'con', { annotations: { name } })
    expect((await registry.putManifest(name, 'NUL', JSON.stringify(imageManifest()))).status).toBe(201)
  }
  const names = namesBelow(folder)
  expect(names.length).toBeGreaterThan(5)
  for (const name of names) {
    expect(name).not.toMatch(/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i)
    expect(name).not.toMatch(/[<>:"|?*\p{Cc}]|[. ]$/u)
  }
  await registry.close()
  const again = await startTestRegistry({ folder })
  expect((await again.send('GET', '/v2/aux/nul/manifests/con')).status).toBe(200)
})

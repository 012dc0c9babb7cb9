import { appendFile, rename, truncate, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { LayoutStore } from '../../src/store/layout.js'
import { someBytes } from '../registry/test-registry.js'
import { MANIFEST, UPLOAD } from './fault-bench.js'
import { LocalBench } from './local-bench.js'
import { LARGE } from './local-checkpoints.js'

/** More than what fits between the file and the registry. */
const CONTENT = someBytes(24 * 1024 * 1024)

describe('38: a file that changes while it is pushed', () => {
  test.each<[string, (path: string) => Promise<void>]>([
    ['is cut off', (path) => truncate(path, 1024 * 1024)],
    ['is emptied', (path) => truncate(path, 0)],
    ['grows', (path) => appendFile(path, 'more')],
    [
      'is replaced by one of the same size',
      async (path) => {
        await writeFile(`${path}.new`, Buffer.from(CONTENT).reverse())
        await rename(`${path}.new`, path)
      },
    ],
    [
      'is written over',
      async (path) => {
        await writeFile(path, Buffer.from(CONTENT).reverse())
      },
    ],
  ])('38: and %s is an error, and no manifest is pushed', async (_what, change) => {
    const bench = await LocalBench.open()
    const path = await bench.write('content.bin', CONTENT)
    bench.wire.on(
      'PUT',
      UPLOAD,
      async (passage) => {
        passage.request.pause()
        await change(path)
        passage.send(await passage.ask())
      },
      LARGE,
    )
    const { code, stderr } = await bench.run(['push', bench.reference('v1'), 'content.bin', '--plain-http'])
    expect(stderr).toMatch(/content\.bin.*changed while/)
    expect(code).toBe(4)
    expect(bench.wire.find('PUT', MANIFEST)).toEqual([])
    await bench.expectNothingUnfinished()
  })
})

test('38: a layout that changes while it is pushed is an error, and no manifest is pushed', async () => {
  const bench = await LocalBench.open()
  await bench.seed(CONTENT)
  await bench.succeeds(['copy', bench.reference('v1'), '--to-oci-layout', 'layout:v1', '--from-plain-http'])
  const layout = await LayoutStore.open(bench.path('layout'))
  const { bytes } = await layout.readManifest('v1')
  const { layers } = JSON.parse(Buffer.from(bytes).toString()) as { layers: { digest: string }[] }
  const blob = bench.path(`layout/blobs/sha256/${layers[0]?.digest.slice(7) ?? ''}`)
  bench.wire.on(
    'PUT',
    UPLOAD,
    async (passage) => {
      passage.request.pause()
      await truncate(blob, 1024 * 1024)
      passage.send(await passage.ask())
    },
    LARGE,
  )
  const words = ['copy', '--from-oci-layout', 'layout:v1', bench.reference('v1', 'other/place'), '--to-plain-http']
  const { code, stderr } = await bench.run(words)
  expect(stderr).toMatch(/^Error from source .*: sha256:[0-9a-f]{64} ended early: got \d+ of \d+ bytes$/m)
  expect(code).toBe(1)
  expect(bench.wire.find('PUT', MANIFEST)).toEqual([])
  await bench.expectNothingUnfinished()
})

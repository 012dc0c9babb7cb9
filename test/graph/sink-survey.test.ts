import { beforeEach, describe, expect, test } from 'vitest'
import { copy } from '../../src/graph/copy.js'
import { planCopy } from '../../src/graph/plan-copy.js'
import { RecordingStore } from './recording-store.js'
import { pushArtifact, pushBlob } from './sample-graph.js'

const SMALL = 64 * 1024
const ENOUGH = 32

let source: RecordingStore
let sink: RecordingStore

beforeEach(() => {
  source = new RecordingStore()
  sink = new RecordingStore()
})

const texts = (count: number, size = 10): string[] =>
  Array.from({ length: count }, (_, number) => String(number).padEnd(size, '.'))

/** What is asked about one at a time, so that each answer comes before the next question. */
const oneByOne = { concurrency: 1 }

describe('small blobs of a sink that has none', () => {
  test('are asked about until that is clear', async () => {
    const layers = texts(100)
    await pushArtifact(source, { layers, tag: 'v1' })
    const result = await copy(source, 'v1', sink, oneByOne)
    // The manifest, and as many blobs.
    expect(sink.callsOf('has')).toHaveLength(1 + ENOUGH)
    expect(result).toMatchObject({ copied: { nodes: 102 }, existing: { nodes: 0 } })
  })

  test('are all asked about for a plan that is exact', async () => {
    await pushArtifact(source, { layers: texts(100), tag: 'v1' })
    await planCopy(source, 'v1', sink, { ...oneByOne, exact: true })
    expect(sink.callsOf('has')).toHaveLength(102)
  })

  test('are sent again where one is there after all', async () => {
    const layers = texts(100)
    await pushArtifact(source, { layers, tag: 'v1' })
    const late = await pushBlob(sink, layers[99]!)
    sink.calls.length = 0
    const result = await copy(source, 'v1', sink, oneByOne)
    expect(sink.callsOf('has')).not.toContain(late.digest)
    expect(result).toMatchObject({ copied: { nodes: 102 }, existing: { nodes: 0 } })
    expect(await sink.has(result.descriptor)).toBe(true)
  })
})

test('a sink that has one of the first is asked about all', async () => {
  const layers = texts(100)
  await pushArtifact(source, { layers, tag: 'v1' })
  await pushBlob(sink, layers[3]!)
  await pushBlob(sink, layers[99]!)
  const result = await copy(source, 'v1', sink, oneByOne)
  expect(sink.callsOf('has')).toHaveLength(102)
  expect(result).toMatchObject({ copied: { nodes: 100 }, existing: { nodes: 2 } })
})

test('a sink that has a manifest of the graph is asked about all', async () => {
  const subject = await pushArtifact(source, { layers: ['first'] })
  await copy(source, subject.digest, sink)
  await pushArtifact(source, { subject, layers: texts(100), tag: 'v1' })
  sink.calls.length = 0
  await copy(source, 'v1', sink, oneByOne)
  // Both manifests, the layers and the config.
  expect(sink.callsOf('has')).toHaveLength(2 + 100 + 1)
})

test('large blobs are asked about in any case', async () => {
  const large = texts(3, SMALL + 1)
  const limit = texts(4, SMALL).slice(3)
  await pushArtifact(source, { layers: [...texts(ENOUGH), ...limit, ...large], tag: 'v1' })
  await copy(source, 'v1', sink, oneByOne)
  // The config is the first of the small ones.
  expect(sink.callsOf('has')).toHaveLength(1 + ENOUGH + large.length)
})

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { digestOf } from '../../src/oci/digest.js'
import { DownloadProgress } from '../../src/registry/download-progress.js'
import { DownloadSplit } from '../../src/registry/download-split.js'
import type { RegistryAnswer } from '../../src/registry/http/transport.js'
import { RegistryState } from '../../src/registry/registry-state.js'
import { Attempts } from '../../src/registry/repetition.js'

const MIB = 1024 * 1024
const state = new RegistryState()
const repetition = { attempts: 5, backoff: {} }

let now = 0
beforeEach(() => {
  now = 0
  vi.spyOn(performance, 'now').mockImplementation(() => now)
})
afterEach(() => {
  vi.restoreAllMocks()
})

interface Course {
  readonly size?: number
  /** Milliseconds that the registry needs for a mebibyte, and whoever reads it. */
  readonly registry: number
  readonly reader: number
  readonly canUseRanges?: boolean
  /** Other downloads from the same registry, as fast as this one. */
  readonly others?: number
}

/** Streams until a boundary is set; says where the stream was then, and where the boundary is. */
function boundaryOf(course: Course): [number, number] | undefined {
  const { size = 200 * MIB, registry, reader, canUseRanges = true, others = 0 } = course
  const descriptor = { mediaType: 'a/b', digest: digestOf(''), size }
  const transport = {
    registry: 'r.example',
    origin: 'https://r.example',
    request: () => new Promise<RegistryAnswer>(() => undefined),
  }
  const context = { transport, state, name: 'a', actions: [], maxManifestSize: 1, manifestTypes: [], repetition }
  const progress = new DownloadProgress(descriptor, 0, new Attempts(repetition, transport, { method: 'GET', url: '/' }))
  progress.canUseRanges = canUseRanges
  for (let other = 0; other < others; other++) new DownloadSplit(context, descriptor, {}).begin(0)
  const ended = new DownloadSplit(context, descriptor, {})
  ended.begin(0)
  ended.end()
  const split = new DownloadSplit(context, descriptor, {})
  split.begin(0)
  for (let position = 0; position < size; position += MIB) {
    now += registry
    split.measure(MIB, progress)
    if (split.boundary !== Number.POSITIVE_INFINITY) return [position / MIB, split.boundary / MIB]
    progress.advance(MIB)
    now += reader
    split.resume()
  }
  return undefined
}

describe('a download', () => {
  test('from a slow registry is split soon', () => {
    expect(boundaryOf({ registry: 20, reader: 0 })).toEqual([7, 9.5])
    expect(boundaryOf({ registry: 11, reader: 100 })).toEqual([7, 9.5])
    expect(boundaryOf({ registry: 20, reader: 0, others: 3 })).toEqual([7, 9.5])
    expect(boundaryOf({ registry: 100, reader: 0, others: 7 })).toEqual([7, 9.5])
  })

  test.each([
    ['a fast registry', { registry: 5, reader: 0 }],
    ['a fast registry to a slow reader', { registry: 5, reader: 100 }],
    ['a registry that is fast enough for several', { registry: 11, reader: 0, others: 4 }],
    ['a slow registry beside many others', { registry: 100, reader: 0, others: 8 }],
    ['a registry without ranges', { registry: 20, reader: 0, canUseRanges: false }],
    ['a small blob', { size: 30 * MIB, registry: 20, reader: 0 }],
  ])('from %s is not', (_, course) => {
    expect(boundaryOf(course)).toBeUndefined()
  })
})

test('a registry that becomes slow on the way is noticed', () => {
  const descriptor = { mediaType: 'a/b', digest: digestOf(''), size: 200 * MIB }
  const request = (): Promise<RegistryAnswer> => new Promise(() => undefined)
  const transport = { registry: 'r.example', origin: 'https://r.example', request }
  const progress = new DownloadProgress(descriptor, 0, new Attempts(repetition, transport, { method: 'GET', url: '/' }))
  const context = { transport, state, name: 'a', actions: [], maxManifestSize: 1, manifestTypes: [], repetition }
  const split = new DownloadSplit(context, descriptor, {})
  split.begin(0)
  for (let count = 0; count < 100; count++) {
    now += count < 50 ? 1 : 30
    split.measure(MIB, progress)
    if (split.boundary < Number.POSITIVE_INFINITY) break
    progress.advance(MIB)
    split.resume()
  }
  expect(progress.position / MIB).toBeGreaterThan(49)
  expect(progress.position / MIB).toBeLessThan(60)
})

test('as many downloads are split as there are connections that pay', () => {
  const descriptor = { mediaType: 'a/b', digest: digestOf(''), size: 200 * MIB }
  const request = (): Promise<RegistryAnswer> => new Promise(() => undefined)
  const transport = { registry: 'r.example', origin: 'https://r.example', request }
  const context = { transport, state, name: 'a', actions: [], maxManifestSize: 1, manifestTypes: [], repetition }
  const downloads = Array.from({ length: 5 }, () => new DownloadSplit(context, descriptor, {}))
  const progress = new DownloadProgress(descriptor, 0, new Attempts(repetition, transport, { method: 'GET', url: '/' }))
  const isSplit = (download: DownloadSplit): boolean => download.boundary < Number.POSITIVE_INFINITY
  for (const download of downloads) download.begin(0)
  const moveOn = (): void => {
    now += 800
    for (const download of downloads) download.measure(8 * MIB, progress)
  }
  moveOn()
  expect(downloads.filter(isSplit)).toHaveLength(2)
  // One that is over leaves room for two others.
  downloads.find(isSplit)!.end()
  moveOn()
  expect(downloads.filter(isSplit)).toHaveLength(3)
})

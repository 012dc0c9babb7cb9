import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { copyGraph } from '../../src/graph/copy.js'
import { nodeKeyOf, type Graph } from '../../src/graph/read-graph.js'
import { runGraph } from '../../src/graph/run-graph.js'
import { TransferSpeed } from '../../src/graph/transfer-speed.js'
import { descriptorOf } from '../../src/oci/descriptor.js'
import { digestOf } from '../../src/oci/digest.js'
import { encodeJson } from '../../src/oci/encode-json.js'
import { MediaType } from '../../src/oci/media-types.js'
import { EMPTY_DESCRIPTOR } from '../../src/oci/pack.js'
import { MemoryStore } from '../../src/store/memory.js'
import type { Sink } from '../../src/store/store.js'
import { openBytes } from '../../src/util/bytes.js'

const MIB = 1024 * 1024

afterEach(() => {
  vi.restoreAllMocks()
})

function graphOf(sizes: readonly number[]): Graph {
  const blobs = sizes.map((size, index) => ({ mediaType: 'a/b', digest: digestOf(String(index)), size }))
  return {
    roots: blobs.map(nodeKeyOf),
    nodes: new Map(
      blobs.map((descriptor) => [nodeKeyOf(descriptor), { descriptor, depth: 0, needs: [], visit: [] }] as const),
    ),
  }
}

/** Starts to run nodes of these sizes, none of which ends before `finish` is called. */
function begin(
  sizes: readonly number[],
  options: { speed?: TransferSpeed; concurrency?: number } = {},
): { running: () => number; finish: () => Promise<void>; most: () => number } {
  let [running, most] = [0, 0]
  let finish: () => void = () => undefined
  const finished = new Promise<void>((resolve) => (finish = resolve))
  const leave = async (): Promise<void> => {
    most = Math.max(most, ++running)
    await finished
    running--
  }
  const done = runGraph(graphOf(sizes), leave, options)
  return {
    running: () => running,
    most: () => most,
    finish: async () => {
      finish()
      await done
    },
  }
}

/** Lets this process have nothing to do. */
function beIdle(): void {
  const idle = { idle: 1, active: 0, utilization: 0 }
  vi.spyOn(performance, 'eventLoopUtilization').mockReturnValue(idle)
}

function beSlow(speed: TransferSpeed): void {
  let now = 0
  beIdle()
  vi.spyOn(performance, 'now').mockImplementation(() => (now += 100))
  const follow = speed.follow()
  for (let offset = 1; offset < 10; offset++) follow(offset * MIB)
  expect(speed.isSlow).toBe(true)
}

const large = Array.from({ length: 30 }, () => 100 * MIB)
const medium = Array.from({ length: 90 }, () => 1 * MIB)
const small = Array.from({ length: 90 }, () => 10)

describe('nodes run side by side', () => {
  test.each([
    ['a few large ones', large, 4],
    ['more that are not so large', medium, 48],
    ['and many small ones', small, 64],
    ['beside large ones', [...large, ...small], 68],
  ])('%s', async (_, sizes, expected) => {
    const run = begin(sizes, { speed: new TransferSpeed() })
    expect(run.running()).toBe(expected)
    await run.finish()
    expect(run.running()).toBe(0)
  })

  test.each([
    ['more large ones', large, 12],
    ['no more of the others', medium, 48],
  ])('where they are slow: %s', async (_, sizes, expected) => {
    const speed = new TransferSpeed()
    const run = begin(sizes, { speed })
    beSlow(speed)
    expect(run.running()).toBe(expected)
    await run.finish()
    expect(run.running()).toBe(0)
    expect(run.most()).toBe(expected)
  })

  test('as many as were asked for, slow or not', async () => {
    const speed = new TransferSpeed()
    const run = begin(large, { speed, concurrency: 3 })
    beSlow(speed)
    expect(run.running()).toBe(3)
    await run.finish()
    expect(run.most()).toBe(3)
  })
})

test.each([
  ['a slow sink', 20, 12],
  ['a fast sink', 0, 4],
])('a copy of large blobs to %s', async (_, pause, expected) => {
  beIdle()
  const source = new MemoryStore()
  const layers = large.map((size, index) => ({ mediaType: 'a/b', digest: digestOf(String(index)), size }))
  const manifest = encodeJson({
    ...{ schemaVersion: 2, mediaType: MediaType.imageManifest },
    ...{ config: EMPTY_DESCRIPTOR, layers },
  })
  const root = descriptorOf(MediaType.imageManifest, manifest)
  await source.push(root, openBytes(manifest))
  let [running, most] = [0, 0]
  const sink: Sink = {
    has: () => Promise.resolve(false),
    tag: () => Promise.resolve(),
    push: async ({ size }, _open, { onProgress } = {}) => {
      if (size < MIB) return
      most = Math.max(most, ++running)
      for (let offset = 0; offset <= size; offset += size / 100) {
        await (pause > 0 && offset < 10 * MIB ? wait(pause) : Promise.resolve())
        onProgress?.(offset)
      }
      running--
    },
  }
  await copyGraph(source, sink, root)
  expect(most).toBe(expected)
})

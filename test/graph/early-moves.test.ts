import { beforeEach, describe, expect, test } from 'vitest'
import { GantryError } from '../../src/errors.js'
import { copy } from '../../src/graph/copy.js'
import { EarlyMoves } from '../../src/graph/early-moves.js'
import type { TransferEvent } from '../../src/graph/events.js'
import { planCopy } from '../../src/graph/plan-copy.js'
import { nodeKeyOf } from '../../src/graph/read-graph.js'
import type { Descriptor } from '../../src/oci/descriptor.js'
import { RecordingStore } from './recording-store.js'
import { pushArtifact, pushBlob } from './sample-graph.js'

let source: RecordingStore
let sink: RecordingStore
beforeEach(() => {
  source = new RecordingStore()
  sink = new RecordingStore()
})

/** An artifact with a layer, to which another refers that the source takes its time to give. */
async function pushChain(): Promise<{ layer: Descriptor; late: Descriptor }> {
  const layer = await pushBlob(source, 'early')
  const root = await pushArtifact(source, { layers: ['early'], tag: 'v1' })
  const late = await pushArtifact(source, { layers: ['late'], subject: root })
  source.calls.length = 0
  return { layer, late }
}

describe('copy', () => {
  test('moves small blobs while the graph is still being read', async () => {
    const { layer, late } = await pushChain()
    let wasEarly = false
    source.onCall = async (method, what) => {
      if (method !== 'fetch' || what !== late.digest) return
      await expect.poll(() => sink.callsOf('push')).toContain(layer.digest)
      wasEarly = true
    }
    const result = await copy(source, 'v1', sink, { tags: ['v1'], referrers: true })
    // Each blob once: the layer, the empty config, the layer of the referrer; and two manifests.
    expect(sink.callsOf('push')).toHaveLength(5)
    expect(wasEarly).toBe(true)
    expect(result.copied.nodes).toBe(5)
    expect((await sink.referrers(result.descriptor)).map(({ digest }) => digest)).toEqual([late.digest])
  })

  test.each([
    ['with a number of nodes at a time', { concurrency: 2 }],
    ['of large blobs', { large: true }],
  ])(
    '%s moves nothing before the plan',
    async (_what, { large = false, ...options }: { large?: boolean; concurrency?: number }) => {
      await pushArtifact(source, {
        layers: [large ? 'x'.repeat(1024 * 1024) : 'layer', '2'.repeat(large ? 2 ** 20 : 2)],
      })
      const root = await pushArtifact(source, { layers: [large ? 'x'.repeat(1024 * 1024) : 'layer'], tag: 'v1' })
      const referrer = await pushArtifact(source, {
        subject: root,
        layers: [large ? 'y'.repeat(1024 * 1024) : 'other'],
      })
      let pushedBefore = -1
      const isLarge = (digest: string): boolean =>
        digest !== 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'
      source.onCall = (method, what) => {
        if (method === 'referrers' && what === referrer.digest)
          pushedBefore = sink.callsOf('push').filter(isLarge).length
      }
      await copy(source, 'v1', sink, { tags: ['v1'], referrers: true, ...options })
      expect(pushedBefore).toBe(0)
    },
  )

  test('says what went wrong with a blob that moved early, and pushes no manifest', async () => {
    const { layer } = await pushChain()
    sink.onCall = (method, what) => {
      if (method === 'push' && what === layer.digest) throw new GantryError('denied', 'no more room')
    }
    const events: TransferEvent[] = []
    const options = { tags: ['v1'], referrers: true, onEvent: (event: TransferEvent) => void events.push(event) }
    await expect(copy(source, 'v1', sink, options)).rejects.toMatchObject({
      code: 'denied',
      message: 'no more room',
      side: 'destination',
    })
    expect(events.filter(({ type }) => type === 'failed').length).toBeGreaterThan(0)
    expect(await sink.resolve('v1').catch(() => undefined)).toBeUndefined()
  })

  test('waits for what moves early when the graph cannot be read', async () => {
    const { layer, late } = await pushChain()
    let isDone = false
    sink.onCall = async (method, what) => {
      if (method !== 'push' || what !== layer.digest) return
      await new Promise((resolve) => setTimeout(resolve, 50))
      isDone = true
    }
    source.onCall = async (method, what) => {
      if (method !== 'fetch' || what !== late.digest) return
      await expect.poll(() => sink.callsOf('push')).toContain(layer.digest)
      throw new GantryError('network-error', 'gone')
    }
    await expect(copy(source, 'v1', sink, { tags: ['v1'], referrers: true })).rejects.toThrow('gone')
    expect(isDone).toBe(true)
  })
})

test('a plan alone moves nothing', async () => {
  await pushChain()
  await planCopy(source, 'v1', sink, { referrers: true })
  expect(sink.callsOf('push')).toEqual([])
})

test('nothing begins to move after a failure, or after the end', async () => {
  const blobs = await Promise.all(['a', 'b', 'c'].map((text) => pushBlob(source, text)))
  sink.onCall = (method) => {
    if (method === 'push') throw new GantryError('denied', 'no')
  }
  const early = new EarlyMoves(source, sink, {})
  const [first, second, third] = blobs as [Descriptor, Descriptor, Descriptor]
  early.add(first)
  await expect(early.outcomeOf(nodeKeyOf(first))).rejects.toThrow('no')
  early.add(second)
  expect(early.outcomeOf(nodeKeyOf(second))).toBeUndefined()
  const other = new EarlyMoves(source, sink, {})
  await other.end()
  other.add(third)
  expect(other.outcomeOf(nodeKeyOf(third))).toBeUndefined()
})

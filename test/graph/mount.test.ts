import { expect, test } from 'vitest'
import { copy } from '../../src/graph/copy.js'
import type { TransferEvent } from '../../src/graph/events.js'
import type { Descriptor } from '../../src/oci/descriptor.js'
import type { Mounter, PushOptions, Source } from '../../src/store/store.js'
import { openBytes, type OpenContent } from '../../src/util/bytes.js'
import { RecordingStore } from './recording-store.js'
import { pushArtifact } from './sample-graph.js'

/** Two of these are neighbours; the destination takes over blobs while it is willing. */
class NeighbourStore extends RecordingStore implements Mounter {
  isWilling = true
  readonly mounted: string[] = []

  mountSourceOf(source: Source): string | undefined {
    return source instanceof NeighbourStore ? 'team/app' : undefined
  }

  async mount(descriptor: Descriptor, from: string, open: OpenContent, options?: PushOptions): Promise<boolean> {
    this.mounted.push(`${from} ${descriptor.digest}`)
    await this.push(descriptor, this.isWilling ? openBytes(await this.#bytesOf(descriptor)) : open, options)
    return this.isWilling
  }

  neighbour: NeighbourStore | undefined

  async #bytesOf(descriptor: Descriptor): Promise<Uint8Array> {
    const chunks: Uint8Array[] = []
    for await (const chunk of this.neighbour?.fetch(descriptor) ?? []) chunks.push(chunk)
    return Buffer.concat(chunks)
  }
}

async function copyBetween(source: RecordingStore, sink: NeighbourStore): Promise<TransferEvent[]> {
  await pushArtifact(source, { layers: ['one', 'two'], tag: 'v1' })
  source.calls.length = 0
  const events: TransferEvent[] = []
  const result = await copy(source, 'v1', sink, { onEvent: (event) => void events.push(event) })
  expect(await sink.has(result.descriptor)).toBe(true)
  return events
}

function typesOf(events: readonly TransferEvent[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { type } of events) counts[type] = (counts[type] ?? 0) + 1
  return counts
}

test('blobs of a neighbour are mounted: none is fetched, and manifests are pushed', async () => {
  const source = new NeighbourStore()
  const sink = new NeighbourStore()
  sink.neighbour = new NeighbourStore()
  await pushArtifact(sink.neighbour, { layers: ['one', 'two'] })
  const events = await copyBetween(source, sink)
  expect(sink.mounted).toHaveLength(3)
  expect(sink.mounted.every((line) => line.startsWith('team/app sha256:'))).toBe(true)
  expect(source.callsOf('fetch')).toEqual([])
  expect(typesOf(events)).toMatchObject({ mounted: 3, started: 1, finished: 1 })
})

test('where a mount is refused, the blob is pushed', async () => {
  const source = new NeighbourStore()
  const sink = new NeighbourStore()
  sink.isWilling = false
  const events = await copyBetween(source, sink)
  expect(source.callsOf('fetch')).toHaveLength(3)
  expect(typesOf(events)).toMatchObject({ started: 4, finished: 4 })
  expect(typesOf(events).mounted).toBeUndefined()
})

test('blobs that are there are not mounted, and strangers are not asked', async () => {
  const sink = new NeighbourStore()
  await pushArtifact(sink, { layers: ['one', 'two'], artifactType: 'other/type' })
  await copyBetween(new NeighbourStore(), sink)
  await copyBetween(new RecordingStore(), new NeighbourStore())
  expect(sink.mounted).toEqual([])
})

import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { copy } from '../../src/graph/copy.js'
import { discover, type ReferrerNode } from '../../src/graph/discover.js'
import type { Descriptor } from '../../src/oci/descriptor.js'
import { createTransport } from '../../src/registry/http/create-transport.js'
import { Repository } from '../../src/registry/repository.js'
import { startRegistryServer } from '../../src/server/registry-server.js'
import { LayoutTarWriter } from '../../src/store/layout-tar-writer.js'
import { LayoutTar } from '../../src/store/layout-tar.js'
import { LayoutStore } from '../../src/store/layout.js'
import { MemoryStore } from '../../src/store/memory.js'
import type { ReferrerSource, Sink, Source } from '../../src/store/store.js'
import { temporaryFolder } from '../util/temporary-folder.js'
import { linux, pushArtifact, pushImage, pushIndex } from './sample-graph.js'

/** One end of a copy: written as a sink, then read as a source. */
interface End {
  readonly sink: Sink
  /** What was written, when all of it has been. */
  read(): Promise<Source & ReferrerSource>
}

const kinds: Readonly<Record<string, () => Promise<End>>> = {
  memory: async () => {
    const store = new MemoryStore()
    return { sink: store, read: async () => store }
  },
  'layout folder': async () => {
    const folder = join(temporaryFolder(), 'layout')
    return { sink: await LayoutStore.open(folder, { create: true }), read: () => LayoutStore.open(folder) }
  },
  'layout tar': async () => {
    const path = join(temporaryFolder(), 'layout.tar')
    const writer = await LayoutTarWriter.create(path)
    let isClosed = false
    onTestFinished(() => (isClosed ? undefined : writer.abort()))
    return {
      sink: writer,
      read: async () => {
        if (!isClosed) await writer.close()
        isClosed = true
        return LayoutTar.open(path)
      },
    }
  },
  registry: async () => {
    const server = await startRegistryServer()
    const transport = createTransport({ registry: server.registry, plainHttp: true })
    onTestFinished(async () => {
      await transport.close()
      await server.close()
    })
    const repository = new Repository(transport, 'team/app')
    return { sink: repository, read: async () => repository }
  },
}

interface Sample {
  readonly index: Descriptor
  readonly images: readonly Descriptor[]
}

async function pushSample(sink: Sink): Promise<Sample> {
  const images = [await pushImage(sink, linux('amd64')), await pushImage(sink, linux('arm64'))]
  const index = await pushIndex(sink, images, { tag: 'v1' })
  const sbom = await pushArtifact(sink, { layers: ['sbom'], subject: index, artifactType: 'test/sbom' })
  await pushArtifact(sink, { layers: ['signature'], subject: sbom, artifactType: 'test/signature' })
  await pushArtifact(sink, { layers: ['signature'], subject: images[0]!, artifactType: 'test/signature' })
  const legacy = await pushArtifact(sink, { layers: ['simple signing'] })
  await sink.tag(legacy, `${index.digest.replace(':', '-')}.sig`)
  return { index, images }
}

function shapeOf({ descriptor, referrers }: ReferrerNode): unknown {
  const { mediaType, digest, size, artifactType } = descriptor
  const shapes = referrers.map(shapeOf).sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)))
  return { mediaType, digest, size, artifactType, referrers: shapes }
}

async function treesAt(source: ReferrerSource, { index, images }: Sample): Promise<unknown> {
  const plain = [index, ...images].map(({ mediaType, digest, size }) => ({ mediaType, digest, size }))
  return Promise.all(plain.map(async (descriptor) => shapeOf((await discover(source, descriptor)).root)))
}

const names = Object.keys(kinds)
const pairs = names.flatMap((from) => names.map((to) => [from, to] as const))

describe('copy', () => {
  test.for(pairs)('from %s to %s', async ([from, to]) => {
    const source = await kinds[from]!()
    const sample = await pushSample(source.sink)
    const opened = await source.read()
    const sink = await kinds[to]!()
    const result = await copy(opened, 'v1', sink.sink, { referrers: true, tags: ['v1', 'again'] })
    expect(result).toMatchObject({ referrers: 3, skipped: [], copied: { nodes: 15 } })
    expect(result.digestTags).toHaveLength(1)
    const again = await copy(opened, 'v1', sink.sink, { referrers: true, tags: ['v1', 'again'] })
    expect(again).toMatchObject({ referrers: 3, copied: { nodes: 0 } })
    const copied = await sink.read()
    for (const tag of ['v1', 'again', result.digestTags[0]!]) {
      expect((await copied.resolve(tag)).digest).toBe((await opened.resolve(tag === 'again' ? 'v1' : tag)).digest)
    }
    expect(await treesAt(copied, sample)).toEqual(await treesAt(opened, sample))
  })
})

import { gzipSync } from 'node:zlib'
import { extract, pack, type Header } from 'tar-stream'
import { descriptorOf, type Descriptor } from '../../src/oci/descriptor.js'
import { digestOf } from '../../src/oci/digest.js'
import { encodeJson } from '../../src/oci/encode-json.js'
import { MediaType } from '../../src/oci/media-types.js'
import type { Sink } from '../../src/store/store.js'
import { collectBytes, openBytes, type Bytes } from '../../src/util/bytes.js'
import { pushBlob } from '../graph/sample-graph.js'

/** An entry of a layer: a file with its text, or anything else by its header. */
export type SampleEntry = readonly [name: string, text: string] | Partial<Header>

/** A tar of entries, in their order. */
export async function tarOf(entries: readonly SampleEntry[]): Promise<Buffer> {
  const archive = pack()
  for (const entry of entries) {
    const mtime = new Date(0)
    if ('length' in entry) archive.entry({ name: entry[0], mtime }, entry[1])
    else if (entry.type === undefined) archive.entry({ mtime, ...entry } as Header, '')
    else archive.entry({ mtime, ...entry } as Header)
  }
  archive.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of archive as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}

export interface LayeredImageOptions {
  readonly tag?: string
  readonly config?: object
  /** Further fields of the manifest. */
  readonly fields?: object
}

/** Pushes an image for linux/amd64 with layers in gzip, the lowest one first. */
export async function pushLayeredImage(
  sink: Sink,
  layers: readonly (readonly SampleEntry[])[],
  { tag, config = {}, fields = {} }: LayeredImageOptions = {},
): Promise<Descriptor> {
  const tars = await Promise.all(layers.map(tarOf))
  const blobs = []
  for (const tar of tars) blobs.push(await pushBlob(sink, gzipSync(tar), MediaType.imageLayerGzip))
  const document = {
    architecture: 'amd64',
    os: 'linux',
    ...config,
    rootfs: { type: 'layers', diff_ids: tars.map((tar) => digestOf(tar)) },
    history: tars.map((_, index) => ({ created_by: `step ${index}` })),
  }
  const bytes = encodeJson({
    schemaVersion: 2,
    mediaType: MediaType.imageManifest,
    config: await pushBlob(sink, JSON.stringify(document), MediaType.imageConfig),
    layers: blobs,
    ...fields,
  })
  const descriptor = descriptorOf(MediaType.imageManifest, bytes)
  await sink.push(descriptor, openBytes(bytes), { tag })
  return descriptor
}

/** What a tar holds, in its order: names with their text, folders with a slash, links with an arrow. */
export async function namesIn(content: Bytes): Promise<readonly string[]> {
  const parser = extract()
  parser.end(await collectBytes(content, 10_000_000, 'tar'))
  const names: string[] = []
  for await (const entry of parser) {
    const chunks: Buffer[] = []
    for await (const chunk of entry) chunks.push(chunk as Buffer)
    const { name, type, linkname } = entry.header
    const text = Buffer.concat(chunks).toString()
    names.push(
      type === 'directory'
        ? `${name.replace(/\/$/, '')}/`
        : type === 'file'
          ? `${name}: ${text}`
          : `${name} ${type === 'link' ? '=>' : '->'} ${linkname}`,
    )
  }
  return names
}

import { encodeJson } from '../../src/oci/encode-json.js'
import { descriptorOf, plainDescriptor, type Annotations, type Descriptor } from '../../src/oci/descriptor.js'
import { MediaType } from '../../src/oci/media-types.js'
import type { Bytes, OpenContent } from '../../src/util/bytes.js'
import { collectBytes, openBytes } from '../../src/util/bytes.js'

/** Content with the descriptor that names it. */
export interface Content {
  readonly descriptor: Descriptor
  readonly bytes: Uint8Array
  readonly open: OpenContent
}

export function contentOf(mediaType: string, bytes: Uint8Array): Content {
  return { descriptor: descriptorOf(mediaType, bytes), bytes, open: openBytes(bytes) }
}

let counter = 0

/** A blob that no other test has; `size` bytes without a pattern that repeats. */
export function blob(size = 100): Content {
  const bytes = new Uint8Array(size)
  let state = ++counter * 2654435761
  for (let index = 0; index < size; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[index] = state >>> 24
  }
  return contentOf(MediaType.octetStream, bytes)
}

export const emptyConfig = contentOf(MediaType.empty, new TextEncoder().encode('{}'))

export interface ManifestFields {
  readonly artifactType?: string
  readonly layers?: readonly Descriptor[]
  readonly subject?: Descriptor
  readonly annotations?: Annotations
}

/** A manifest that no other test has. */
export function manifest({ subject, layers = [], ...fields }: ManifestFields = {}): Content {
  const annotations = { 'test.number': String(++counter), ...fields.annotations }
  return contentOf(
    MediaType.imageManifest,
    encodeJson({
      schemaVersion: 2,
      mediaType: MediaType.imageManifest,
      artifactType: fields.artifactType ?? 'application/vnd.test',
      config: plainDescriptor(emptyConfig.descriptor),
      layers,
      ...(subject === undefined ? {} : { subject: plainDescriptor(subject) }),
      annotations,
    }),
  )
}

export function index(manifests: readonly Descriptor[], fields: Omit<ManifestFields, 'layers'> = {}): Content {
  return contentOf(
    MediaType.imageIndex,
    encodeJson({
      schemaVersion: 2,
      mediaType: MediaType.imageIndex,
      ...(fields.artifactType === undefined ? {} : { artifactType: fields.artifactType }),
      manifests,
      ...(fields.subject === undefined ? {} : { subject: plainDescriptor(fields.subject) }),
      annotations: { 'test.number': String(++counter), ...fields.annotations },
    }),
  )
}

/** Opens bytes as chunks of a given size, from any offset. */
export function inChunks(bytes: Uint8Array, size: number): OpenContent {
  return async function* (offset = 0) {
    for (let start = offset; start < bytes.byteLength; start += size) yield bytes.subarray(start, start + size)
  }
}

/** Everything that a stream yields. */
export async function readAll(content: Bytes): Promise<Uint8Array> {
  return Buffer.from(await collectBytes(content, Number.MAX_SAFE_INTEGER, 'content'))
}

export async function listAll<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

import { descriptorOf, type Annotations, type Descriptor } from '../../src/oci/descriptor.js'
import { encodeJson } from '../../src/oci/encode-json.js'
import { MediaType } from '../../src/oci/media-types.js'
import { EMPTY_CONTENT, EMPTY_DESCRIPTOR, packManifest } from '../../src/oci/pack.js'
import type { Platform } from '../../src/oci/platform.js'
import type { Sink } from '../../src/store/store.js'
import { openBytes } from '../../src/util/bytes.js'

const encoder = new TextEncoder()

export async function pushBlob(
  sink: Sink,
  content: string | Uint8Array,
  mediaType: string = MediaType.imageLayer,
): Promise<Descriptor> {
  const bytes = typeof content === 'string' ? encoder.encode(content) : content
  const descriptor = descriptorOf(mediaType, bytes)
  await sink.push(descriptor, openBytes(bytes))
  return descriptor
}

export interface ArtifactContent {
  readonly layers?: readonly string[]
  readonly artifactType?: string
  readonly subject?: Descriptor
  readonly annotations?: Annotations
  readonly tag?: string
}

/** Pushes an artifact with an empty config and one blob for each layer text. */
export async function pushArtifact(sink: Sink, content: ArtifactContent = {}): Promise<Descriptor> {
  const { layers: texts = [], artifactType = 'test/artifact', subject, annotations, tag } = content
  const layers = await Promise.all(texts.map((text) => pushBlob(sink, text)))
  await sink.push(EMPTY_DESCRIPTOR, openBytes(EMPTY_CONTENT))
  const { descriptor, bytes } = packManifest({
    artifactType,
    layers,
    ...(subject === undefined ? {} : { subject }),
    ...(annotations === undefined ? {} : { annotations }),
  })
  await sink.push(descriptor, openBytes(bytes), tag === undefined ? {} : { tag })
  return descriptor
}

/** Pushes a runnable image: a config that names its platform, and one layer. */
export async function pushImage(sink: Sink, platform: Platform, text = platform.architecture): Promise<Descriptor> {
  const config = await pushBlob(
    sink,
    JSON.stringify({ ...platform, rootfs: { type: 'layers', diff_ids: [] } }),
    MediaType.imageConfig,
  )
  const layer = await pushBlob(sink, `layer of ${text}`)
  const bytes = encodeJson({ schemaVersion: 2, mediaType: MediaType.imageManifest, config, layers: [layer] })
  const descriptor = descriptorOf(MediaType.imageManifest, bytes)
  await sink.push(descriptor, openBytes(bytes))
  return { ...descriptor, platform }
}

/** Pushes an index of manifests that are there already. */
export async function pushIndex(
  sink: Sink,
  manifests: readonly Descriptor[],
  { tag, ...fields }: { tag?: string; annotations?: Annotations; subject?: Descriptor; custom?: unknown } = {},
): Promise<Descriptor> {
  const bytes = encodeJson({ schemaVersion: 2, mediaType: MediaType.imageIndex, manifests, ...fields })
  const descriptor = descriptorOf(MediaType.imageIndex, bytes)
  await sink.push(descriptor, openBytes(bytes), tag === undefined ? {} : { tag })
  return descriptor
}

export const linux = (architecture: string): Platform => ({ architecture, os: 'linux' })

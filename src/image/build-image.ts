import { descriptorOf, type Annotations, type Descriptor } from '../oci/descriptor.js'
import type { Digest } from '../oci/digest.js'
import type { ManifestContent } from '../oci/manifest.js'
import { isJsonObject, type JsonObject } from '../util/json.js'
import type { BaseImage } from './base-image.js'
import { encodeConfig, encodeImageManifest } from './go-json.js'

/** A layer that is added to an image. */
export interface AddedLayer {
  readonly descriptor: Descriptor
  readonly diffId: Digest
}

export interface BuiltImage {
  readonly manifest: ManifestContent
  /** Absent when the base's config stays as it is, as it is not that of a runnable image. */
  readonly config?: ManifestContent
}

/** A history entry says when, and of a file nothing else is known: not even that is, so that the image depends on it alone. */
const HISTORY_ENTRY = { created: '0001-01-01T00:00:00Z' }

/** The documents of an image with further layers; what is not about layers stays as it is in the base. */
export function buildImage(base: BaseImage, layers: readonly AddedLayer[], annotations: Annotations): BuiltImage {
  const config = buildConfig(base, layers)
  const document = {
    ...base.manifest,
    config: config === undefined ? base.manifest.config : configDescriptor(base, config),
    layers: [...listIn(base.manifest, 'layers'), ...layers.map(({ descriptor }) => descriptor)],
    annotations: { ...objectIn(base.manifest, 'annotations'), ...annotations },
  }
  const bytes = encodeImageManifest(document)
  const manifest = { descriptor: descriptorOf(base.mediaType, bytes), bytes }
  return config === undefined ? { manifest } : { manifest, config }
}

function buildConfig(
  { configType, configDocument }: BaseImage,
  layers: readonly AddedLayer[],
): ManifestContent | undefined {
  if (configDocument === undefined) return undefined
  const rootfs = objectIn(configDocument, 'rootfs')
  const bytes = encodeConfig({
    ...configDocument,
    rootfs: { ...rootfs, diff_ids: [...listIn(rootfs, 'diff_ids'), ...layers.map(({ diffId }) => diffId)] },
    history: [...listIn(configDocument, 'history'), ...layers.map(() => HISTORY_ENTRY)],
  })
  return { descriptor: descriptorOf(configType, bytes), bytes }
}

/** The base's descriptor of its config, for the new one; content that it holds inline is replaced too. */
function configDescriptor({ manifest }: BaseImage, { descriptor, bytes }: ManifestContent): JsonObject {
  const old = objectIn(manifest, 'config')
  return {
    ...old,
    ...descriptor,
    ...(old.data === undefined ? {} : { data: Buffer.from(bytes).toString('base64') }),
  }
}

function listIn(document: JsonObject, key: string): readonly unknown[] {
  const value = document[key]
  return Array.isArray(value) ? value : []
}

function objectIn(document: JsonObject, key: string): JsonObject {
  const value = document[key]
  return isJsonObject(value) ? value : {}
}

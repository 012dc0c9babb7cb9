import { GantryError } from '../errors.js'
import type { ArtifactManifest, ManifestContent } from '../oci/manifest.js'
import { schema1Layers } from '../oci/schema-1.js'
import { isBlobSource, type CallOptions, type Source } from '../store/store.js'
import { mapConcurrently } from '../util/limit.js'

const LOOKUPS_AT_ONCE = 8

/**
 * Reads a manifest of Docker's schema 1 as the list of its layers. The source is asked for their sizes, which such a
 * manifest does not have.
 * @throws GantryError `unsupported` when the source finds no blobs by their digests; `invalid-content`
 */
export async function readSchema1(
  source: Source,
  { descriptor: { mediaType, digest }, bytes }: ManifestContent,
  { signal }: CallOptions,
): Promise<ArtifactManifest> {
  const where = `manifest ${digest}`
  const layers = schema1Layers(bytes, where)
  if (!isBlobSource(source)) {
    throw new GantryError(
      'unsupported',
      `the sizes of the layers of ${where}, in Docker's schema 1, cannot be found out`,
    )
  }
  const lookUp = { concurrency: LOOKUPS_AT_ONCE, signal }
  const blobs = await mapConcurrently(layers, (layer) => source.resolveBlob(layer, { signal }), lookUp)
  return { kind: 'artifact', mediaType, blobs }
}

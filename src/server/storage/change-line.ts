import { GantryError } from '../../errors.js'
import { parseDescriptor } from '../../oci/descriptor.js'
import { isDigest, type Digest } from '../../oci/digest.js'
import { isRepositoryName, isTag } from '../../oci/reference.js'
import { isJsonObject, type JsonObject } from '../../util/json.js'
import type { Change, ManifestRecord } from './repository-index.js'

/** A step as one line of JSON. */
export function encodeChange(change: Change): string {
  return `${JSON.stringify(change)}\n`
}

/**
 * Reads what {@link encodeChange} wrote.
 * @param where names the line in errors
 * @throws GantryError `invalid-content`
 */
export function parseChange(object: JsonObject, where: string): Change {
  const { type, repository } = object
  if (typeof repository !== 'string' || !isRepositoryName(repository)) throw malformed(where)
  if (type === 'delete-tag') return { type, repository, tag: tagOf(object.tag, where) }
  const digest = digestOf(object.digest, where)
  switch (type) {
    case 'link-blob':
      return { type, repository, digest, size: sizeOf(object.size, where) }
    case 'unlink-blob':
    case 'delete-manifest':
      return { type, repository, digest }
    case 'put-manifest': {
      if (!Array.isArray(object.tags)) throw malformed(where)
      const tags = object.tags.map((tag) => tagOf(tag, where))
      return { type, repository, digest, manifest: manifestOf(object.manifest, where), tags }
    }
    default:
      throw malformed(where)
  }
}

function manifestOf(value: unknown, where: string): ManifestRecord {
  if (!isJsonObject(value) || typeof value.mediaType !== 'string') throw malformed(where)
  const manifest = { mediaType: value.mediaType, size: sizeOf(value.size, where) }
  if (value.referrer === undefined) return manifest
  if (!isJsonObject(value.referrer)) throw malformed(where)
  const descriptor = parseDescriptor(value.referrer.descriptor, where)
  return { ...manifest, referrer: { subject: digestOf(value.referrer.subject, where), descriptor } }
}

function digestOf(value: unknown, where: string): Digest {
  if (typeof value !== 'string' || !isDigest(value)) throw malformed(where)
  return value
}

function tagOf(value: unknown, where: string): string {
  if (typeof value !== 'string' || !isTag(value)) throw malformed(where)
  return value
}

function sizeOf(value: unknown, where: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw malformed(where)
  return value
}

function malformed(where: string): GantryError {
  return new GantryError('invalid-content', `${where} is malformed`)
}

import { GantryError } from '../errors.js'
import { isDigest, type Digest } from '../oci/digest.js'
import { isRepositoryName, isTag } from '../oci/reference.js'
import { visibleLine } from '../util/visible-text.js'
import { requireText } from '../util/require-kind.js'

/** The endpoint that tells whether this is a registry at all (distribution-spec, end-1). */
export const PING_PATH = '/v2/'

/** Where to go on in a list, and how much of it to ask for. */
export interface PageQuery {
  /** Entries a page. */
  readonly size?: number
  /** The list goes on after this entry. */
  readonly last?: string
}

/** Names a blob of a neighbour in the request that opens an upload. */
export interface MountQuery {
  readonly digest: Digest
  readonly from: string
}

/** The list of repositories (an extension that most registries offer). */
export function catalogPath(query: PageQuery = {}): string {
  return `/v2/_catalog${pageQuery(query)}`
}

/** The list of tags (distribution-spec, end-8). */
export function tagsPath(name: string, query: PageQuery = {}): string {
  return `${repositoryPath(name)}/tags/list${pageQuery(query)}`
}

/**
 * A manifest by tag or digest (distribution-spec, end-3, end-7 and end-9).
 * @param tag a tag to set in the same request
 * @throws GantryError `invalid-reference` when it is neither
 */
export function manifestPath(name: string, reference: string, tag?: string): string {
  if (!isDigest(reference) && !isTag(reference)) {
    throw new GantryError(
      'invalid-reference',
      `"${visibleLine(reference.slice(0, 200))}" is neither a tag nor a digest`,
    )
  }
  return `${repositoryPath(name)}/manifests/${reference}${tag === undefined ? '' : `?tag=${encodeURIComponent(tag)}`}`
}

/** A blob (distribution-spec, end-2 and end-10). */
export function blobPath(name: string, digest: Digest): string {
  return `${repositoryPath(name)}/blobs/${digest}`
}

/** Where uploads are opened (distribution-spec, end-4a), or blobs mounted (end-11). */
export function uploadsPath(name: string, mount?: MountQuery): string {
  const path = `${repositoryPath(name)}/blobs/uploads/`
  if (mount === undefined) return path
  requireName(mount.from)
  return `${path}?mount=${encodeURIComponent(mount.digest)}&from=${encodeURIComponent(mount.from)}`
}

/** Who refers to a manifest (distribution-spec, end-12). */
export function referrersPath(name: string, digest: Digest, artifactType?: string): string {
  const query = artifactType === undefined ? '' : `?artifactType=${encodeURIComponent(artifactType)}`
  return `${repositoryPath(name)}/referrers/${digest}${query}`
}

/** @throws GantryError `invalid-reference` unless `tag` is a tag; a digest is none */
export function requireTag(tag: string): void {
  if (!isTag(tag)) throw new GantryError('invalid-reference', `invalid tag "${visibleLine(tag.slice(0, 200))}"`)
}

/** @throws GantryError `invalid-reference` unless `name` is a repository name */
export function requireName(name: string): void {
  requireText('the name of a repository', name)
  if (!isRepositoryName(name)) {
    throw new GantryError('invalid-reference', `invalid repository "${visibleLine(name.slice(0, 300))}"`)
  }
}

function repositoryPath(name: string): string {
  requireName(name)
  return `/v2/${name}`
}

function pageQuery({ size, last }: PageQuery): string {
  const pairs = [
    ...(size === undefined ? [] : [`n=${size}`]),
    ...(last === undefined ? [] : [`last=${encodeURIComponent(last)}`]),
  ]
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`
}

import { isGantryError } from '../errors.js'
import { algorithmOf, digestOf, type Digest } from '../oci/digest.js'
import { MAX_MANIFEST_SIZE } from '../oci/manifest.js'
import { isTag } from '../oci/reference.js'
import { collectBytes } from '../util/bytes.js'
import { checkPreconditions, isUnchanged } from './conditions.js'
import type { Exchange } from './exchange.js'
import { readNewManifest } from './new-manifest.js'
import { Refusal } from './refusal.js'
import type { ManifestReference, Route } from './route.js'
import type { RegistryStorage } from './storage/storage.js'

type ManifestRoute = Extract<Route, { kind: 'manifest' }>

/** Tags that one push by digest may set. */
const MAX_TAGS = 100

/** What a push of a manifest is checked against. */
export interface ManifestRules {
  /** In bytes. */
  readonly maxManifestSize: number
  /** Whether config and layers have to be in the repository before the manifest. */
  readonly requireBlobs: boolean
}

/**
 * GET and HEAD of a manifest (distribution-spec, "Pulling manifests").
 * @throws Refusal `MANIFEST_UNKNOWN`
 */
export async function sendManifest(
  exchange: Exchange,
  { repository, reference }: ManifestRoute,
  storage: RegistryStorage,
): Promise<void> {
  const digest = resolve(storage, repository, reference)
  const manifest = digest === undefined ? undefined : storage.manifest(repository, digest)
  if (digest === undefined || manifest === undefined) throw manifestUnknown(storage, repository)
  const headers = { 'Docker-Content-Digest': digest, ETag: `"${digest}"` }
  if (isUnchanged(exchange, digest)) {
    exchange.send(304, headers)
    return
  }
  const contentHeaders = {
    ...headers,
    'Content-Type': manifest.mediaType,
  }
  if (exchange.method === 'HEAD') {
    exchange.send(200, { ...contentHeaders, 'Content-Length': String(manifest.size) })
    return
  }
  const bytes = await collectBytes(
    storage.open(digest),
    Math.max(manifest.size, MAX_MANIFEST_SIZE),
    `manifest ${digest}`,
  )
  exchange.sendBytes(200, bytes, contentHeaders)
}

/**
 * PUT of a manifest (distribution-spec, "Pushing Manifests"), by tag or by digest, by digest with any number of
 * `?tag=`. If-Match and If-None-Match are checked against what the reference names before.
 * @throws Refusal `MANIFEST_INVALID`, `MANIFEST_BLOB_UNKNOWN`, `DIGEST_INVALID`, `TAG_INVALID`, `PRECONDITION_FAILED`
 */
export async function putManifest(
  exchange: Exchange,
  { repository, reference }: ManifestRoute,
  context: { readonly storage: RegistryStorage; readonly rules: ManifestRules },
): Promise<void> {
  const { storage, rules } = context
  if (reference.type === 'malformed') {
    const code = reference.text.includes(':') ? 'DIGEST_INVALID' : 'TAG_INVALID'
    throw new Refusal(code, 'the reference is neither a tag nor a digest')
  }
  const queryTags = tagsOfQuery(exchange, reference)
  const bytes = await readBody(exchange, rules.maxManifestSize)
  const digest = digestOf(bytes, reference.type === 'digest' ? algorithmOf(reference.digest) : 'sha256')
  if (reference.type === 'digest' && digest !== reference.digest) {
    throw new Refusal('DIGEST_INVALID', `digest mismatch: wanted ${reference.digest}, got ${digest}`)
  }
  const content = readNewManifest(exchange.header('content-type'), { digest, bytes })
  if (rules.requireBlobs) {
    const missing = content.blobs.filter((blob) => storage.blobSize(repository, blob) === undefined)
    if (missing.length > 0) {
      throw new Refusal('MANIFEST_BLOB_UNKNOWN', `the repository does not hold ${missing.slice(0, 10).join(', ')}`)
    }
  }
  const tags = reference.type === 'tag' ? [reference.tag] : queryTags
  const checkCurrent = (): void => {
    const current = resolve(storage, repository, reference)
    const isThere = current !== undefined && storage.manifest(repository, current) !== undefined
    checkPreconditions(exchange, isThere ? current : undefined)
  }
  await storage.putManifest(repository, { digest, bytes, manifest: content.manifest, tags }, checkCurrent)
  exchange.send(201, {
    Location: `/v2/${repository}/manifests/${digest}`,
    'Docker-Content-Digest': digest,
    ETag: `"${digest}"`,
    'OCI-Subject': content.manifest.referrer?.subject,
    'OCI-Tag': queryTags.length === 0 ? undefined : queryTags,
  })
}

/**
 * DELETE of a manifest with its tags, or of a tag alone (distribution-spec, "Content Management").
 * @throws Refusal `MANIFEST_UNKNOWN`
 */
export async function deleteManifest(
  exchange: Exchange,
  { repository, reference }: ManifestRoute,
  storage: RegistryStorage,
): Promise<void> {
  checkPreconditions(exchange, resolve(storage, repository, reference))
  const deleted =
    reference.type === 'digest'
      ? await storage.deleteManifest(repository, reference.digest)
      : reference.type === 'tag' && (await storage.deleteTag(repository, reference.tag))
  if (!deleted) throw manifestUnknown(storage, repository)
  exchange.send(202)
}

function resolve(storage: RegistryStorage, repository: string, reference: ManifestReference): Digest | undefined {
  if (reference.type === 'malformed') return undefined
  return reference.type === 'digest' ? reference.digest : storage.digestOfTag(repository, reference.tag)
}

function tagsOfQuery(exchange: Exchange, reference: ManifestReference): readonly string[] {
  const tags = [...new Set(exchange.query.getAll('tag'))]
  if (tags.length === 0) return tags
  if (reference.type !== 'digest') throw new Refusal('TAG_INVALID', 'tags can be added to a push by digest alone')
  if (!tags.every(isTag)) throw new Refusal('TAG_INVALID', 'a tag is malformed')
  if (tags.length > MAX_TAGS) throw new Refusal('TAG_INVALID', `more than ${MAX_TAGS} tags at once`, { status: 414 })
  return tags
}

async function readBody(exchange: Exchange, limit: number): Promise<Uint8Array> {
  const tooLarge = (): Refusal =>
    new Refusal('MANIFEST_INVALID', `the manifest exceeds the limit of ${limit} bytes`, { status: 413 })
  if (Number(exchange.header('content-length') ?? 0) > limit) throw tooLarge()
  try {
    return await collectBytes(exchange.body(), limit, 'the manifest')
  } catch (error) {
    if (isGantryError(error, 'limit-exceeded')) throw tooLarge()
    throw error
  }
}

function manifestUnknown(storage: RegistryStorage, repository: string): Refusal {
  return storage.tags(repository) === undefined
    ? new Refusal('NAME_UNKNOWN', 'there is no such repository')
    : new Refusal('MANIFEST_UNKNOWN', 'the repository does not hold this manifest')
}

import { GantryError, isGantryError } from '../errors.js'
import { MediaType, mediaTypeOf } from '../oci/media-types.js'
import type { RegistryAnswer, RegistryTransport } from './http/transport.js'
import { hasRegistryCode } from './response-error.js'

/** Whether a registry has the referrers API: undefined until an answer has shown it. */
export type ReferrersSupport = 'supported' | 'unsupported' | undefined

const known = new WeakMap<RegistryTransport, ReferrersSupport>()

/** What is known about the registry of a transport; shared by all its repositories. */
export function referrersSupport(transport: RegistryTransport): ReferrersSupport {
  return known.get(transport)
}

/** Notes what an answer has shown. */
export function noteReferrersSupport(transport: RegistryTransport, support: ReferrersSupport): void {
  known.set(transport, support)
}

/** Statuses of registries that do not know the referrers endpoint. */
const MISSING_API: ReadonlySet<number> = new Set([400, 404, 405, 406])

/**
 * Whether a failed request for referrers means that they have to be looked up by tag: the endpoint is missing, and not
 * the repository (distribution-spec, "Listing Referrers").
 */
export function isMissingApi(error: unknown): error is GantryError {
  if (!isGantryError(error)) return false
  if (error.response === undefined) return error.code === 'unsupported'
  return MISSING_API.has(error.response.status) && !hasRegistryCode(error, 'NAME_UNKNOWN')
}

/** Whether it says something about the registry, and not just about this subject: some answer 400 to unknown ones. */
export function isConclusive(error: GantryError): boolean {
  return error.response?.status !== 400
}

/** @throws GantryError `unsupported` for the answer of a web server that says 200 to everything */
export function requireReferrersAnswer(answer: RegistryAnswer, registry: string): void {
  if (mediaTypeOf(answer.header('content-type') ?? '') === MediaType.imageIndex) return
  throw new GantryError('unsupported', `${registry} does not answer a request for referrers with an index`)
}

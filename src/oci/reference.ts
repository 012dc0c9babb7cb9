import { GantryError } from '../errors.js'
import { requireObject, requireText } from '../util/require-kind.js'
import { visibleLine } from '../util/visible-text.js'
import { isDigest, parseDigest, type Digest } from './digest.js'

/** Names a repository in a registry, and what is wanted in it: a tag, a digest, both or neither. */
export interface Reference {
  /** Host and port as typed; an IPv6 host keeps its brackets. */
  readonly registry: string
  readonly repository: string
  readonly tag?: string
  /** When tag and digest are both given, the digest decides. */
  readonly digest?: Digest
}

/** Longest text that is looked at, in bytes. */
const MAX_LENGTH = 4096
/** Longest `registry/repository`, as registries agree on. */
const MAX_REPOSITORY_LENGTH = 255

const HINT = 'Please make sure the provided reference is in the form of <registry>/<repo>[:tag|@digest]'

// One character class a step and no nested repetition: both run in linear time.
const PATH_COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/
const HOST = /^[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?)*$/
const IPV6_HOST = /^\[[0-9A-Fa-f:.]+\]$/

/** Whether `text` is a tag (distribution-spec, "Pulling manifests"). */
export function isTag(text: string): boolean {
  return TAG.test(text)
}

/** Whether `text` is a repository name without its registry (distribution-spec, same section). */
export function isRepositoryName(text: string): boolean {
  return text.length <= MAX_REPOSITORY_LENGTH && text.split('/').every((component) => PATH_COMPONENT.test(component))
}

/** Whether `text` is `host` or `host:port` that any URL parser reads as exactly that. */
export function isRegistryName(text: string): boolean {
  const portStart = /:\d+$/.exec(text)?.index
  const host = portStart === undefined ? text : text.slice(0, portStart)
  const port = portStart === undefined ? undefined : Number(text.slice(portStart + 1))
  if (port !== undefined && (port < 1 || port > 65535)) return false
  if (!HOST.test(host) && !IPV6_HOST.test(host)) return false
  try {
    // Spellings that a URL parser rewrites (0x7f.1, full-width letters) would be checked as one host and reached as another.
    return new URL(`https://${text}/`).hostname === host.toLowerCase()
  } catch {
    return false
  }
}

/**
 * Parses `<registry>/<repository>[:tag][@digest]`. No registry, tag or `library/` is filled in.
 * @throws GantryError `invalid-reference`
 */
export function parseReference(text: string): Reference {
  requireText('a reference', text)
  if (Buffer.byteLength(text) > MAX_LENGTH) throw invalid(`${text.slice(0, 60)}…`, 'it is too long')
  if (text.trim() === '') throw invalid(text, 'it is empty')
  const slash = text.indexOf('/')
  if (slash === -1) {
    const name = text.split(/[:@]/, 1)[0] ?? ''
    const full = `docker.io/library/${text}${text === name ? ':latest' : ''}`
    throw invalid(text, 'missing registry or repository', {
      hint: isRepositoryName(name) && !/[.]|^localhost$/.test(name) ? `${HINT}, such as ${full}` : HINT,
    })
  }
  const registry = text.slice(0, slash)
  if (!isRegistryName(registry)) throw invalid(text, `invalid registry "${visibleLine(registry)}"`)
  const { repository, tag, digest } = splitPath(text.slice(slash + 1), text)
  if (!isRepositoryName(repository)) {
    const lower = repository.toLowerCase()
    const offered = formatReference({ registry, repository: lower, tag, digest })
    const hint = isRepositoryName(lower) ? `Repository names are lower case: ${offered}` : HINT
    throw invalid(text, `invalid repository "${visibleLine(repository)}"`, { hint })
  }
  return {
    registry,
    repository,
    tag,
    digest,
  }
}

/** A reference and the further tags that were listed behind its first one. */
export interface TaggedReference {
  readonly reference: Reference
  readonly extraTags: readonly string[]
}

/**
 * Parses `<registry>/<repository>:tag1,tag2,…`, the form of everything that can be pushed under several tags at once.
 * @throws GantryError `invalid-reference`
 */
export function parseTaggedReference(text: string): TaggedReference {
  const [first = '', ...extraTags] = text.split(',')
  const reference = parseReference(first)
  const wrong = extraTags.find((tag) => !isTag(tag))
  if (wrong !== undefined) throw invalid(text, `invalid tag "${visibleLine(wrong)}"`)
  return { reference, extraTags }
}

/** The text of a reference; the inverse of {@link parseReference}. */
export function formatReference(reference: Reference): string {
  requireObject('a reference in its parts', reference)
  const { registry, repository, tag, digest } = reference
  return `${registry}/${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`
}

/** What a reference asks for inside its repository: the digest if there is one, else the tag. */
export function targetOf(reference: Reference): string | undefined {
  return reference.digest ?? reference.tag
}

function splitPath(path: string, text: string): { repository: string; tag?: string; digest?: Digest } {
  const at = path.indexOf('@')
  const digest = at === -1 ? undefined : parseDigestOf(path.slice(at + 1), text)
  const name = at === -1 ? path : path.slice(0, at)
  const colon = name.indexOf(':')
  if (colon === -1) return { repository: name, digest }
  const tag = name.slice(colon + 1)
  if (!isTag(tag)) throw invalid(text, `invalid tag "${visibleLine(tag)}"`)
  return { repository: name.slice(0, colon), tag, digest }
}

function parseDigestOf(digest: string, text: string): Digest {
  if (isDigest(digest)) return digest
  try {
    return parseDigest(digest)
  } catch (cause) {
    throw invalid(text, cause instanceof GantryError ? cause.message : 'invalid digest', { cause })
  }
}

function invalid(
  text: string,
  reason: string,
  { hint = HINT, cause }: { readonly hint?: string; readonly cause?: unknown } = {},
): GantryError {
  return new GantryError('invalid-reference', `"${visibleLine(text)}": invalid reference: ${reason}`, { hint, cause })
}

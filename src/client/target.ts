import { GantryError } from '../errors.js'
import { isDigest, type Digest } from '../oci/digest.js'
import { parseTaggedReference } from '../oci/reference.js'

/** What kind of place a reference names. A reference without a scheme is one of a registry. */
export type Scheme = 'registry' | 'oci-layout' | 'oci-layout-tar' | 'docker-archive' | 'oci-archive'

/** What a reference names, before anything is opened. */
export interface TargetName {
  readonly scheme: Scheme
  /** The reference as typed, with the first of several tags. */
  readonly typed: string
  /** Registry and repository, or the path of a file or folder: what a digest is printed behind. */
  readonly path: string
  /** `host[:port]` of a registry. */
  readonly registry?: string
  /** Name of the repository in its registry. */
  readonly repository?: string
  /** The tag that was given first; also where a digest decides. */
  readonly tag?: string
  /** When tag and digest are both given, the digest decides. */
  readonly digest?: Digest
  /** The tags that were listed behind the first one. */
  readonly extraTags: readonly string[]
}

/** How a reference is to be read, where it does not say so itself. */
export interface TargetNameOptions {
  /** Default: `registry`, or what the reference begins with. */
  readonly scheme?: Scheme
  /** The folder or tar of an image layout; the whole reference is then a tag or a digest in it. */
  readonly layoutPath?: string
}

const SCHEMES: Readonly<Record<string, Scheme>> = {
  'oci-layout:': 'oci-layout',
  'oci-layout-tar:': 'oci-layout-tar',
  'oci-archive:': 'oci-archive',
  'docker-archive:': 'docker-archive',
  'docker://': 'registry',
}

/**
 * Parses a reference: `<registry>/<repository>[:<tag>[,<tag>…]][@<digest>]`, or with a scheme
 * `oci-layout:<folder>[:<tag>|@<digest>]`, `oci-layout-tar:<file>[:<tag>]`, `oci-archive:<file>[:<tag>]`,
 * `docker-archive:<file>[:<image>]`.
 * @throws GantryError `invalid-reference`
 */
export function parseTargetName(text: string, options: TargetNameOptions = {}): TargetName {
  const { scheme, layoutPath } = options
  if (layoutPath !== undefined) return inLayout(text, layoutPath)
  const prefix = scheme === undefined ? Object.keys(SCHEMES).find((start) => text.startsWith(start)) : undefined
  const named = scheme ?? (prefix === undefined ? 'registry' : (SCHEMES[prefix] ?? 'registry'))
  const rest = text.slice(prefix?.length ?? 0)
  return named === 'registry' ? inRegistry(rest) : { ...splitPath(rest), scheme: named, typed: firstOf(text) }
}

/** What a name asks for inside its place: the digest if there is one, else the tag. */
export function referenceOf({ digest, tag }: Pick<TargetName, 'digest' | 'tag'>): string | undefined {
  return digest ?? tag
}

/** The tags that something gets at a target: the one that was typed first, and those behind it. */
export function tagsOf({ tag, extraTags }: Pick<TargetName, 'tag' | 'extraTags'>): readonly string[] {
  return tag === undefined ? extraTags : [tag, ...extraTags]
}

/** @throws GantryError `invalid-reference` when neither a tag nor a digest is named */
export function withReference<Opened extends { readonly typed: string; readonly reference: string | undefined }>(
  target: Opened,
): Opened & { readonly reference: string } {
  const { reference, typed } = target
  if (reference !== undefined) return { ...target, reference }
  throw new GantryError('invalid-reference', `"${typed}": no tag or digest specified`, {
    hint: 'Name what is meant: <name>:<tag> or <name>@<digest>.',
  })
}

/** @throws GantryError `invalid-reference` when no digest is named */
export function withDigest<Opened extends Pick<TargetName, 'typed' | 'digest'>>(
  target: Opened,
): Opened & { readonly digest: Digest } {
  const { digest, typed } = target
  if (digest !== undefined) return { ...target, digest }
  throw new GantryError('invalid-reference', `"${typed}": no digest specified`, {
    hint: 'A blob is named by its digest: <name>@<digest>.',
  })
}

function inRegistry(text: string): TargetName {
  const { reference, extraTags } = parseTaggedReference(text)
  const { registry, repository, tag, digest } = reference
  const path = `${registry}/${repository}`
  return { scheme: 'registry', typed: firstOf(text), path, registry, repository, tag, digest, extraTags }
}

function inLayout(text: string, path: string): TargetName {
  const [typed = '', ...extraTags] = text.split(',')
  const digest = typed.slice(typed.lastIndexOf('@') + 1)
  const what = isDigest(digest) ? { digest } : { tag: typed === '' ? undefined : typed }
  return { scheme: 'oci-layout', typed, path, extraTags, ...what }
}

/** `<path>[:<tag>[,<tag>…]|@<digest>]`; an empty tag is none. */
function splitPath(text: string): TargetName {
  const [typed = '', ...extraTags] = text.split(',')
  const at = typed.lastIndexOf('@')
  const digest = at === -1 ? '' : typed.slice(at + 1)
  const rest = isDigest(digest) ? typed.slice(0, at) : typed
  // A colon right behind one letter belongs to a Windows drive, and one before a separator to a folder's name.
  const colon = rest.lastIndexOf(':')
  const hasTag = colon > 0 && !(colon === 1 && /^[A-Za-z]:[\\/]/.test(rest)) && !/[\\/]/.test(rest.slice(colon))
  const path = hasTag ? rest.slice(0, colon) : rest
  const tag = hasTag ? rest.slice(colon + 1) : ''
  if (path === '' || colon === 0) throw new GantryError('invalid-reference', `found empty file path in "${text}"`)
  return {
    scheme: 'oci-layout',
    typed,
    path,
    extraTags,
    tag: tag === '' ? undefined : tag,
    digest: isDigest(digest) ? digest : undefined,
  }
}

function firstOf(text: string): string {
  return text.split(',', 1)[0] ?? text
}

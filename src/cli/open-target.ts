import { stat } from 'node:fs/promises'
import {
  GantryError,
  isDigest,
  LayoutStore,
  LayoutTar,
  LayoutTarWriter,
  parseTaggedReference,
  targetOf,
  type Digest,
  type Repository,
  type RepositoryOptions,
} from '../index.js'
import { reasonOf } from './options/text-file.js'
import type { TargetOptions } from './options/target.js'
import type { Session } from './session.js'

/** A store that can be read and written. */
export type WritableStore = Repository | LayoutStore
/** A store that can be read. */
export type ReadableStore = WritableStore | LayoutTar
/** A store that a graph can be copied to. */
export type CopyStore = WritableStore | LayoutTarWriter

/** What a reference on the command line opens: a store, and what is meant in it. */
export interface Target<Store = ReadableStore> {
  readonly type: 'registry' | 'oci-layout'
  /** The reference as typed, with the first of several tags. */
  readonly typed: string
  /** Registry and repository, or the path of the layout: what a digest is printed behind. */
  readonly path: string
  /** The tag that was given first; also where a digest decides. */
  readonly tag?: string
  readonly digest?: Digest
  readonly extraTags: readonly string[]
  readonly store: Store
}

/** The digest or else the tag that a target means. */
export function referenceOf(target: Target<unknown>): string | undefined {
  return target.digest ?? target.tag
}

/** The tags that something gets at a target: the one that was typed first, and those behind it. */
export function tagsOf({ tag, extraTags }: Target<unknown>): readonly string[] {
  return tag === undefined ? extraTags : [tag, ...extraTags]
}

/** How a target is shown in results: `[registry] localhost:5000/a:v1`. */
export function describeTarget(target: Target<unknown>, text = target.typed): string {
  return `[${target.type}] ${text}`
}

/**
 * Opens a target for reading.
 * @throws GantryError `invalid-reference`, or `invalid-argument` when the path of a layout does not exist
 */
export async function openSource(
  session: Session,
  text: string,
  options: TargetOptions,
  repositoryOptions: RepositoryOptions = {},
): Promise<Target> {
  if (options.type === 'registry') return openRepository(session, text, options, repositoryOptions)
  const parts = splitLayoutReference(text, options.layoutPath)
  return { type: 'oci-layout', ...parts, store: await openLayout(parts.path, text) }
}

/**
 * Opens a target for writing; a layout folder is made where there is none.
 * @throws GantryError `invalid-reference`
 */
export async function openSink(session: Session, text: string, options: TargetOptions): Promise<Target<WritableStore>> {
  if (options.type === 'registry') return openRepository(session, text, options)
  const parts = splitLayoutReference(text, options.layoutPath)
  return { type: 'oci-layout', ...parts, store: await LayoutStore.open(parts.path, { create: true }) }
}

/** A destination that a graph is copied to, and what has to be done with it in the end. */
export interface CopySink {
  readonly target: Target<CopyStore>
  /** Makes what was copied visible, where that takes a step of its own. */
  complete(): Promise<void>
  /** Removes what would be half of something. */
  abandon(): Promise<void>
}

/**
 * Opens the destination of a copy: like {@link openSink}, and a layout whose path ends in `.tar` is written as one file.
 * @throws GantryError `invalid-reference`; `already-exists` for a tar, which is written once
 */
export async function openCopySink(session: Session, text: string, options: TargetOptions): Promise<CopySink> {
  const parts = options.type === 'registry' ? undefined : splitLayoutReference(text, options.layoutPath)
  const kind = parts?.path.toLowerCase().endsWith('.tar') === true ? await kindOf(parts.path) : 'folder'
  if (parts === undefined || kind === 'folder') {
    const target = await openSink(session, text, options)
    return { target, complete: () => Promise.resolve(), abandon: () => Promise.resolve() }
  }
  if (kind === 'file') {
    throw new GantryError('already-exists', `${parts.path} exists already, and a tar is written once`, {
      hint: 'Remove it first, or choose another name.',
    })
  }
  const writer = await LayoutTarWriter.create(parts.path)
  const target: Target<CopyStore> = { type: 'oci-layout', ...parts, store: writer }
  return { target, complete: () => writer.close(), abandon: () => writer.abort() }
}

async function kindOf(path: string): Promise<'folder' | 'file' | 'missing'> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file'
  } catch {
    // Whatever keeps it from being seen, making it will tell.
    return 'missing'
  }
}

async function openRepository(
  session: Session,
  text: string,
  options: Extract<TargetOptions, { type: 'registry' }>,
  repositoryOptions: RepositoryOptions = {},
): Promise<Target<Repository>> {
  const { reference, extraTags } = parseTaggedReference(text)
  const target = targetOf(reference)
  return {
    type: 'registry',
    typed: text.split(',', 1)[0] ?? text,
    path: `${reference.registry}/${reference.repository}`,
    ...(reference.tag === undefined ? {} : { tag: reference.tag }),
    ...(reference.digest === undefined || target === undefined ? {} : { digest: reference.digest }),
    extraTags,
    store: await session.repository(reference.registry, reference.repository, options.remote, repositoryOptions),
  }
}

type LayoutParts = Pick<Target, 'typed' | 'path' | 'tag' | 'digest' | 'extraTags'>

/** `<path>[:<tag>[,<tag>…]|@<digest>]`; with a path given by flag the whole text is the tag or the digest. */
export function splitLayoutReference(text: string, layoutPath: string | undefined): LayoutParts {
  const [typed = '', ...extraTags] = text.split(',')
  if (layoutPath !== undefined) {
    const at = typed.lastIndexOf('@')
    const digest = typed.slice(at + 1)
    return { typed, path: layoutPath, extraTags, ...(isDigest(digest) ? { digest } : { tag: typed }) }
  }
  const at = typed.lastIndexOf('@')
  const digest = at === -1 ? '' : typed.slice(at + 1)
  const rest = isDigest(digest) ? typed.slice(0, at) : typed
  // A colon right behind one letter belongs to a Windows drive, and one before a separator to a folder's name.
  const colon = rest.lastIndexOf(':')
  const hasTag = colon > 0 && !(colon === 1 && /^[A-Za-z]:[\\/]/.test(rest)) && !/[\\/]/.test(rest.slice(colon))
  const path = hasTag ? rest.slice(0, colon) : rest
  if (path === '' || colon === 0) {
    throw new GantryError('invalid-reference', `found empty file path in "${text}"`)
  }
  return {
    typed,
    path,
    extraTags,
    ...(hasTag ? { tag: rest.slice(colon + 1) } : {}),
    ...(isDigest(digest) ? { digest } : {}),
  }
}

async function openLayout(path: string, text: string): Promise<LayoutStore | LayoutTar> {
  let isFolder: boolean
  try {
    isFolder = (await stat(path)).isDirectory()
  } catch (cause) {
    const reason = `failed to find path "${path}": stat ${path}: ${reasonOf(cause)}`
    throw new GantryError('invalid-argument', `invalid argument "${text}": ${reason}`, { cause })
  }
  return isFolder ? LayoutStore.open(path) : LayoutTar.open(path)
}

import { stat } from 'node:fs/promises'
import { GantryError } from '../errors.js'
import type { Repository } from '../registry/repository.js'
import type { RepositoryOptions } from '../registry/repository.js'
import type { LayoutStore } from '../store/layout.js'
import type { LayoutTar } from '../store/layout-tar.js'
import type { LayoutTarWriter } from '../store/layout-tar-writer.js'
import { reasonOf } from '../util/file-error.js'
import type { Connections } from './connect.js'
import { referenceOf, type TargetName } from './target.js'

/** A store that can be read and written. */
export type WritableStore = Repository | LayoutStore
/** A store that can be read. */
export type ReadableStore = WritableStore | LayoutTar
/** A store that a graph can be copied to. */
export type CopyStore = WritableStore | LayoutTarWriter

/** What a reference opens: a store, and what is meant in it. */
export interface Target<Store = ReadableStore> extends TargetName {
  /** What people know the kind of store by. */
  readonly type: 'registry' | 'oci-layout'
  readonly store: Store
  /** The digest or else the tag that is meant; undefined where the reference names neither. */
  readonly reference: string | undefined
}

/** What a verb reads: a reference, or a target that is open. */
export type SourceReference = string | Target

/** What a verb writes: a reference, or a target that is open. */
export type SinkReference = string | Target<WritableStore>

/** A destination that a graph is copied to, and what has to be done with it in the end. */
export interface CopyTarget extends Target<CopyStore> {
  /** Makes what was copied visible, where that takes a step of its own. */
  complete(): Promise<void>
  /** Removes what would be half of something. */
  abandon(): Promise<void>
}

/**
 * Opens a target for reading.
 * @throws GantryError `invalid-argument` when the path of a layout does not exist
 */
export async function openSource(
  name: TargetName,
  connections: Connections,
  options: RepositoryOptions = {},
): Promise<Target> {
  if (name.scheme === 'registry') return openRepository(name, connections, options, 'read')
  const store = (await kindOf(name)) === 'folder' ? await openLayoutFolder(name) : await openLayoutTar(name)
  return targetOf(name, store)
}

/** Opens a target for writing; a layout folder is made where there is none. */
export async function openSink(
  name: TargetName,
  connections: Connections,
  options: RepositoryOptions = {},
): Promise<Target<WritableStore>> {
  if (name.scheme === 'registry') return openRepository(name, connections, options)
  return targetOf(name, await openLayoutFolder(name, { create: true }))
}

/**
 * Opens the destination of a copy: like {@link openSink}, and a layout whose path ends in `.tar` is written as one file.
 * @throws GantryError `already-exists` for a tar, which is written once
 */
export async function openCopySink(name: TargetName, connections: Connections): Promise<CopyTarget> {
  const isTar = name.scheme === 'oci-layout-tar' || name.scheme === 'oci-archive' || /\.tar$/i.test(name.path)
  const kind = name.scheme !== 'registry' && isTar ? await statKind(name.path) : 'folder'
  if (kind === 'folder') {
    return withoutSteps(await openSink(name, connections))
  }
  if (kind === 'file') {
    throw new GantryError('already-exists', `${name.path} exists already, and a tar is written once`, {
      hint: 'Remove it first, or choose another name.',
    })
  }
  const { LayoutTarWriter } = await import('../store/layout-tar-writer.js')
  const writer = await LayoutTarWriter.create(name.path)
  return { ...targetOf(name, writer), complete: () => writer.close(), abandon: () => writer.abort() }
}

/** A destination of a copy where everything is visible at once. */
export function withoutSteps(target: Target<WritableStore>): CopyTarget {
  return { ...target, complete: () => Promise.resolve(), abandon: () => Promise.resolve() }
}

function targetOf<Store>(name: TargetName, store: Store): Target<Store> {
  return { ...name, type: name.scheme === 'registry' ? 'registry' : 'oci-layout', store, reference: referenceOf(name) }
}

async function openRepository(
  name: TargetName,
  connections: Connections,
  options: RepositoryOptions,
  use: 'read' | 'write' = 'write',
): Promise<Target<Repository>> {
  return targetOf(name, await connections.repository(name.registry ?? '', name.repository ?? '', options, use))
}

async function openLayoutFolder(
  { path }: TargetName,
  options: { readonly create?: boolean } = {},
): Promise<LayoutStore> {
  const { LayoutStore } = await import('../store/layout.js')
  return LayoutStore.open(path, options)
}

async function openLayoutTar({ path }: TargetName): Promise<LayoutTar> {
  const { LayoutTar } = await import('../store/layout-tar.js')
  return LayoutTar.open(path)
}

async function kindOf({ path, typed }: TargetName): Promise<'folder' | 'file'> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file'
  } catch (cause) {
    const reason = `failed to find path "${path}": stat ${path}: ${reasonOf(cause)}`
    throw new GantryError('invalid-argument', `invalid argument "${typed}": ${reason}`, { cause })
  }
}

async function statKind(path: string): Promise<'folder' | 'file' | 'missing'> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file'
  } catch {
    // Whatever keeps it from being seen, making it will tell.
    return 'missing'
  }
}

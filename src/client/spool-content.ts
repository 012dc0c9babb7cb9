import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkArgument } from './check-arguments.js'
import type { FileToPush } from '../artifact/push-files.js'
import type { Annotations } from '../oci/descriptor.js'
import { throwIfAborted } from '../util/abort.js'
import type { Bytes } from '../util/bytes.js'
import { TempFile } from '../util/temp-file.js'

/** What closes the temporary files that are made for it. */
interface Owner {
  closeLater<Opened extends { close(): Promise<void> }>(opened: Opened): Opened
}

/** Content that becomes a layer, with the name that it is pulled under. */
export interface ContentToPush {
  readonly name: string
  /** Bytes, or a stream of them, which is read once. */
  readonly content: Uint8Array | Bytes
  /** Default: that of a tar layer. */
  readonly mediaType?: string
  readonly annotations?: Annotations
}

/** A path, or bytes, or a stream of them, which is read once. */
export type PushedContent = string | Uint8Array | Bytes

/** The path of content that is to be read more than once: a temporary file, unless it is one already. */
export async function pathOfContent(content: PushedContent, owner: Owner, signal?: AbortSignal): Promise<string> {
  checkArgument('content', 'bytes', content)
  if (typeof content === 'string') return content
  return spoolToFile(content instanceof Uint8Array ? [content] : untilAborted(content, signal), owner)
}

/** A path, a path with its type and name, or content with the name that it is pulled under. */
export type PushedFile = string | FileToPush | ContentToPush

/** Files to push; content is written to temporary files. */
export async function filesToPush(
  files: readonly PushedFile[],
  owner: Owner,
  { signal }: { readonly signal?: AbortSignal },
): Promise<readonly FileToPush[]> {
  checkArgument('what is pushed', 'list', files)
  const named = files.map((file) => (typeof file === 'string' ? { path: file } : checkedFile(file)))
  return Promise.all(named.map(async (file) => ('content' in file ? spoolContent(file, owner, signal) : file)))
}

function checkedFile(file: FileToPush | ContentToPush): FileToPush | ContentToPush {
  checkArgument('a file to push', 'object', file)
  const { name, path } = file as Partial<FileToPush>
  if ('content' in file || name !== undefined) checkArgument('the name of a file', 'text', name)
  if (!('content' in file)) checkArgument('the path of a file', 'text', path)
  return file
}

/** Writes content to a temporary file, as a file to push under its name. */
async function spoolContent(
  { name, content, mediaType, annotations }: ContentToPush,
  owner: Owner,
  signal?: AbortSignal,
): Promise<FileToPush> {
  return { path: await pathOfContent(content, owner, signal), name, mediaType, annotations }
}

/**
 * Writes a stream to a temporary file, which goes with its owner: content has to be opened again after a retry, and a
 * stream cannot be.
 * @returns the path of the file
 */
async function spoolToFile(content: Iterable<Uint8Array> | Bytes, owner: Owner): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-content-'))
  owner.closeLater({ close: () => rm(folder, { recursive: true, force: true }) })
  const path = join(folder, 'content')
  const file = await TempFile.create(path, { mode: 0o600 })
  try {
    for await (const chunk of content) await file.write(chunk)
    await file.publish({ syncFolder: false })
  } catch (error) {
    await file.discard()
    throw error
  }
  return path
}

async function* untilAborted(content: Bytes, signal: AbortSignal | undefined): Bytes {
  for await (const chunk of content) {
    throwIfAborted(signal)
    yield chunk
  }
}

import { lstat, realpath, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { GantryError } from '../errors.js'
import { Annotation } from '../oci/annotations.js'
import type { Annotations, Descriptor } from '../oci/descriptor.js'
import { Digester } from '../oci/digest.js'
import type { ManifestContent } from '../oci/manifest.js'
import { MediaType } from '../oci/media-types.js'
import { throwIfAborted } from '../util/abort.js'
import { openBytes, type Bytes, type ContentUse } from '../util/bytes.js'
import { systemErrorCode, withFileErrors } from '../util/file-error.js'
import { openRegularFile, readPieces } from '../util/read-file.js'
import { TempFolder } from '../util/temp-folder.js'
import { sweepTempFiles } from '../util/temp-path.js'
import { changedWhileReading, isUnchanged, type FileStamp } from './file-stamp.js'
import type { CallOptions, FetchOptions, LocalSource, Source } from './store.js'
import { packFolder } from './tar/pack-folder.js'
import { formatRefused } from './tar/unpack-rehearsal.js'
import { readContent } from './verify.js'

export interface AddFileOptions extends CallOptions {
  /** The title of the content, unless the annotations have one: the name that it is pulled under. */
  readonly name: string
  /** Default: a tar layer for a file, whatever is in it, and a tar+gzip layer for a folder. */
  readonly mediaType?: string
  /** Added to those that name the content. */
  readonly annotations?: Annotations
  /** Told of names in a folder that are only unpacked where that is asked for, in a sentence for people. */
  readonly onUnportableNames?: (names: string) => void
}

interface FileContent {
  readonly descriptor: Descriptor
  readonly open: OpenFile
  /** @throws GantryError `conflict` when the file is not the one any more that was added */
  readonly check: () => Promise<void>
}

type OpenFile = (offset: number, options?: CallOptions & ContentUse) => Bytes

/** Files and folders on disk as a source of layers. Folders are packed into temporary files, which go with `close`. */
export class FileSource implements Source, LocalSource {
  readonly #content = new Map<string, FileContent>()
  readonly #temporaryFolder: string
  #packed: Promise<TempFolder> | undefined
  #packedCount = 0

  /** @param options.temporaryFolder where folders are packed; default: the system's folder for temporary files */
  constructor({ temporaryFolder = tmpdir() }: { readonly temporaryFolder?: string } = {}) {
    this.#temporaryFolder = temporaryFolder
  }

  /**
   * Reads a file, or packs a folder, to know its digest. A link that is named itself is followed.
   * @throws GantryError `file-error` when it is missing or unreadable; `invalid-argument` for no path; `unsupported` for a pipe, socket or device, and
   *   for a folder that could not be unpacked again; `conflict` when it changes meanwhile
   */
  async add(path: string, options: AddFileOptions): Promise<Descriptor> {
    if (path === '') throw new GantryError('invalid-argument', 'the path of a file is empty')
    const resolved = await resolveFile(path)
    const { mediaType, annotations = {} } = options
    const name = annotations[Annotation.title] ?? options.name
    const isFolder = (await withFileErrors('read', path, () => stat(resolved))).isDirectory()
    const content = isFolder
      ? await this.#pack(resolved, name, options)
      : await digestFile(resolved, path, options.signal)
    const descriptor: Descriptor = {
      mediaType: mediaType ?? (isFolder ? MediaType.imageLayerGzip : MediaType.imageLayer),
      digest: content.digest,
      size: content.size,
      annotations: { [Annotation.title]: name, ...content.annotations, ...annotations },
    }
    this.#content.set(descriptor.digest, { descriptor, open: content.open, check: content.check })
    return descriptor
  }

  /** Adds content that was made in memory, such as a config or a manifest. */
  addBytes(descriptor: Descriptor, bytes: Uint8Array): void {
    this.#content.set(descriptor.digest, { descriptor, open: openBytes(bytes), check: () => Promise.resolve() })
  }

  /** Finds content by its digest; files have no tags. */
  async resolve(reference: string): Promise<Descriptor> {
    return this.#find(reference).descriptor
  }

  async checkBlob({ digest }: Descriptor, { signal }: CallOptions = {}): Promise<void> {
    throwIfAborted(signal)
    await this.#find(digest).check()
  }

  async readManifest(reference: string, options?: CallOptions): Promise<ManifestContent> {
    const descriptor = await this.resolve(reference)
    return { descriptor, bytes: await readContent(this, descriptor, options) }
  }

  /** @throws GantryError `conflict` when a file is not the one any more that was added */
  async *fetch({ digest }: Descriptor, { offset = 0, ...options }: FetchOptions = {}): Bytes {
    throwIfAborted(options.signal)
    yield* this.#find(digest).open(offset, options)
  }

  /** Removes the temporary files. */
  async close(): Promise<void> {
    const packed = this.#packed
    this.#packed = undefined
    // Where no folder could be made, whoever wanted to pack has been told.
    const folder = await packed?.catch(() => undefined)
    await folder?.discard()
  }

  #find(digest: string): FileContent {
    const content = this.#content.get(digest)
    if (content === undefined) throw new GantryError('not-found', `${digest}: not found`)
    return content
  }

  async #pack(folder: string, name: string, { onUnportableNames, signal }: AddFileOptions): Promise<ReadFile> {
    this.#packed ??= openTempFolder(this.#temporaryFolder)
    const target = join((await this.#packed).path, String(this.#packedCount++))
    const packed = await packFolder(folder, name, {
      target,
      onUnportableNames: (entries) => onUnportableNames?.(formatRefused(entries)),
      signal,
    })
    return {
      ...packed,
      annotations: { [Annotation.unpackedDigest]: packed.uncompressedDigest, [Annotation.unpack]: 'true' },
      ...contentOf(target, target, packed.stamp),
    }
  }
}

interface ReadFile extends Omit<FileContent, 'descriptor'> {
  readonly digest: Descriptor['digest']
  readonly size: number
  readonly annotations: Annotations
}

async function openTempFolder(parent: string): Promise<TempFolder> {
  await sweepTempFiles(parent)
  return TempFolder.create(join(parent, 'packed'))
}

/** In the words that scripts for `oras` know. */
async function resolveFile(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (cause) {
    if (systemErrorCode(cause) !== 'ENOENT') return withFileErrors('read', path, () => Promise.reject(cause as Error))
    throw new GantryError('file-error', `stat ${resolve(path)}: no such file or directory`, { cause })
  }
}

async function digestFile(file: string, path: string, signal: AbortSignal | undefined): Promise<ReadFile> {
  const handle = await openRegularFile(file)
  try {
    const stamp = await handle.stat()
    const digester = new Digester()
    const range = { start: 0, end: stamp.size, path, signal }
    for await (const chunk of readPieces(handle, range)) digester.update(chunk)
    if (digester.size !== stamp.size || !isUnchanged(stamp, await handle.stat())) throw changedWhileReading(path)
    return { digest: digester.digest(), size: stamp.size, annotations: {}, ...contentOf(file, path, stamp) }
  } finally {
    await handle.close()
  }
}

/** A file that has to stay as it was, read as often as needed. */
function contentOf(file: string, path: string, stamp: FileStamp): Pick<FileContent, 'open' | 'check'> {
  return {
    check: async () => {
      if (!isUnchanged(stamp, await withFileErrors('read', path, () => lstat(file)))) throw changedWhileReading(path)
    },
    open: async function* (offset, { signal, transient } = {}) {
      const handle = await openRegularFile(file)
      try {
        if (!isUnchanged(stamp, await handle.stat())) throw changedWhileReading(path)
        yield* readPieces(handle, { start: offset, end: stamp.size, path, signal, transient })
        if (!isUnchanged(stamp, await handle.stat())) throw changedWhileReading(path)
      } finally {
        await handle.close()
      }
    },
  }
}

import { rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { GantryError } from '../../errors.js'
import { algorithmOf, Digester, type Digest } from '../../oci/digest.js'
import { throwIfAborted } from '../../util/abort.js'
import { collectBytes, type Bytes } from '../../util/bytes.js'
import { withFileErrors } from '../../util/file-error.js'
import { visibleLine } from '../../util/visible-text.js'
import { decompress } from '../compression/decompress.js'
import { freeBytesIn } from '../free-space.js'
import { EntryPaths } from './entry-paths.js'
import { FolderWriter, SMALL_FILE_SIZE } from './folder-writer.js'
import { readTar, type TarItem } from './read-tar.js'
import { DEFAULT_MAX_ENTRIES, type TarCheckOptions } from './tar-checker.js'
import type { TarEntry } from './tar-entry.js'
import { UnpackTree } from './unpack-tree.js'

export interface UnpackFolderOptions extends TarCheckOptions {
  /** Prefix that all names in the archive have: what {@link tarFolder} was given as the folder's name. */
  readonly name: string
  /** Names the archive in errors. */
  readonly what: string
  /** Digest that the uncompressed tar has to have; default: any. */
  readonly uncompressedDigest?: Digest
  /** Bytes that all files, folders and links together may take; default: what is free on the file system. */
  readonly maxUnpackedSize?: number
  /** Also take names that mean something else on Windows; default false, and not for Windows. */
  readonly allowUnportableNames?: boolean
  readonly signal?: AbortSignal
}

/** What a folder or a link takes on a disk, in bytes, whatever is in it. */
const BLOCK = 4096

/** What was unpacked. */
export interface UnpackedFolder {
  readonly entries: number
  /** All files together, with a block for each folder and symbolic link, in bytes. */
  readonly size: number
}

/**
 * Unpacks a tar, plain or compressed, into a new folder: files, folders, hard links to files of the same archive, and
 * symbolic links that lead nowhere outside. Anything else is an error, and then there is no folder. Owners, setuid,
 * setgid and sticky are left out. The content has to be verified before: see {@link readTar} and {@link UnpackTree} for
 * what is checked here.
 * @param destination must not exist, in a folder that nobody else writes to
 * @throws GantryError `unsafe-path`, `invalid-content`, `unsupported`, `limit-exceeded`, `digest-mismatch`,
 *   `file-error`, `aborted`
 */
export async function unpackFolder(
  content: Bytes,
  destination: string,
  options: UnpackFolderOptions,
): Promise<UnpackedFolder> {
  const { uncompressedDigest } = options
  const digester = new Digester(uncompressedDigest === undefined ? undefined : algorithmOf(uncompressedDigest))
  const limit = await sizeLimitOf(destination, options)
  const unpacking = new Unpacking(new FolderWriter(destination), options, limit)
  try {
    for await (const item of readTar(unpacked(content, digester, options), options.what, options)) {
      await unpacking.take(item)
    }
    unpacking.finish()
    checkDigest(digester.digest(), options)
    return unpacking.result
  } catch (error) {
    await withFileErrors('remove', destination, () => rm(destination, { recursive: true, force: true }))
    throw error
  }
}

/** Takes one entry after the other, in the order of the archive. */
class Unpacking {
  readonly #writer: FolderWriter
  readonly #options: UnpackFolderOptions
  readonly #limit: SizeLimit
  readonly #paths: EntryPaths
  readonly #tree = new UnpackTree()
  /** The sizes of files by their paths, for those that become second ones. */
  readonly #sizes = new Map<string, number>()
  readonly #maxEntries: number
  #isRootNamed = false
  #entries = 0
  /** Everything that was made: what entries name, and the folders that they are in. */
  #made = 0
  #size = 0

  constructor(writer: FolderWriter, options: UnpackFolderOptions, limit: SizeLimit) {
    this.#writer = writer
    this.#options = options
    this.#limit = limit
    this.#paths = new EntryPaths(options.name)
    const { maxEntries = DEFAULT_MAX_ENTRIES } = options
    this.#maxEntries = maxEntries
  }

  get result(): UnpackedFolder {
    return { entries: this.#entries, size: this.#size }
  }

  async take({ entry, content }: TarItem): Promise<void> {
    this.#entries++
    const where = `entry ${this.#entries} "${visibleLine(entry.name)}" of ${this.#options.what}`
    const path = this.#pathOf(entry.name, where)
    switch (entry.type) {
      case 'directory':
        this.#takeFolder(path, entry.mode, where)
        break
      case 'file':
        this.#makeFolders(this.#tree.addFile(path, where))
        await this.#takeFile(path, entry, content)
        break
      case 'hard link': {
        const existing = this.#pathOf(entry.linkName, where)
        this.#tree.requireFile(existing, where)
        this.#makeFolders(this.#tree.addFile(path, where))
        const size = this.#sizes.get(existing) ?? 0
        this.#count(0)
        this.#writer.makeHardLink(path, existing, () => this.#countBytes(size))
        this.#sizes.set(path, size)
        break
      }
      case 'symbolic link':
        this.#makeFolders(this.#tree.addLink(path, entry.linkName, where))
        this.#count(BLOCK)
        this.#writer.makeSymbolicLink(path, entry.linkName)
        break
      default:
        throw new GantryError('unsupported', `${where} is a ${entry.type}, which is not unpacked`)
    }
  }

  /** Links were made without looking where they lead, as nothing is ever written through them. */
  finish(): void {
    this.#tree.checkLinks(this.#options.what)
  }

  #takeFolder(path: string, mode: number, where: string): void {
    if (path === '') {
      if (this.#isRootNamed) throw new GantryError('unsafe-path', `${where} comes a second time`)
      this.#isRootNamed = true
      this.#writer.setFolderMode(path, mode)
      return
    }
    const { missing, isThere } = this.#tree.addFolder(path, where)
    this.#makeFolders(missing)
    if (isThere) this.#writer.setFolderMode(path, mode)
    else this.#makeFolder(path, mode)
  }

  #makeFolders(paths: readonly string[]): void {
    for (const path of paths) this.#makeFolder(path, 0o777)
  }

  #makeFolder(path: string, mode: number): void {
    this.#count(BLOCK)
    this.#writer.makeFolder(path, mode)
  }

  /** Counts something that is about to be made: no entry has to name the folders that files are in. */
  #count(bytes: number): void {
    this.#made++
    if (this.#made > this.#maxEntries) {
      const text = `${this.#options.what} unpacks to more than ${this.#maxEntries} files, folders and links`
      throw new GantryError('limit-exceeded', text)
    }
    this.#countBytes(bytes)
  }

  #countBytes(bytes: number): void {
    this.#size += bytes
    if (this.#size <= this.#limit.bytes) return
    throw new GantryError('limit-exceeded', this.#limit.message, { details: { reason: 'unpacked-size' } })
  }

  async #takeFile(path: string, entry: TarEntry, content: Bytes): Promise<void> {
    this.#count(entry.size)
    this.#sizes.set(path, entry.size)
    if (entry.size > SMALL_FILE_SIZE) await this.#writer.writeLargeFile(path, content, entry)
    else this.#writer.writeSmallFile(path, await collectBytes(content, SMALL_FILE_SIZE, path), entry)
  }

  /** The path below the folder; empty for the folder itself. */
  #pathOf(name: string, where: string): string {
    const { path, problem } = this.#paths.pathOf(name)
    const isAllowed =
      problem === undefined ||
      (problem.kind === 'unportable' && this.#options.allowUnportableNames === true && process.platform !== 'win32')
    if (isAllowed) return path
    throw new GantryError('unsafe-path', `${where} ${problem.refusal}`, {
      details: { reason: problem.kind === 'unportable' ? 'unportable-name' : undefined },
    })
  }
}

interface SizeLimit {
  readonly bytes: number
  readonly message: string
}

async function sizeLimitOf(destination: string, options: UnpackFolderOptions): Promise<SizeLimit> {
  const { maxUnpackedSize = Number.POSITIVE_INFINITY, what } = options
  const free = await freeBytesIn(dirname(destination))
  return maxUnpackedSize <= free
    ? { bytes: maxUnpackedSize, message: `${what} unpacks to more than the limit of ${maxUnpackedSize} bytes` }
    : {
        bytes: free,
        message: `${what} unpacks to more than the ${free} bytes that are free in ${dirname(destination)}`,
      }
}

/** The tar inside, digested on the way. */
async function* unpacked(
  content: Bytes,
  digester: Digester,
  { what, signal }: UnpackFolderOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of decompress(content, what)) {
    throwIfAborted(signal)
    digester.update(chunk)
    yield chunk
  }
}

function checkDigest(actual: Digest, { uncompressedDigest, what }: UnpackFolderOptions): void {
  if (uncompressedDigest === undefined || uncompressedDigest === actual) return
  throw new GantryError(
    'digest-mismatch',
    `content digest mismatch: ${what} should hold a tar with digest ${uncompressedDigest}, but has ${actual}`,
  )
}

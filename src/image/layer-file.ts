import { randomUUID } from 'node:crypto'
import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { GantryError } from '../errors.js'
import type { Descriptor } from '../oci/descriptor.js'
import { Digester, type Digest } from '../oci/digest.js'
import { MediaType } from '../oci/media-types.js'
import { compressionFormatOf, COMPRESSION_MAGIC_SIZE } from '../store/compression/compression-format.js'
import { decompress } from '../store/compression/decompress.js'
import { writeGzipFile } from '../store/compression/gzip-file.js'
import { peekContent } from '../store/compression/peek-content.js'
import { digested } from '../store/digested.js'
import { changedWhileReading, isUnchanged, type FileStamp } from '../store/file-stamp.js'
import { TAR_BLOCK_SIZE } from '../store/tar/tar-entry.js'
import { hasValidChecksum, isZero } from '../store/tar/tar-fields.js'
import type { Bytes } from '../util/bytes.js'
import { withFileErrors } from '../util/file-error.js'
import { openRegularFile, readPieces } from '../util/read-file.js'

/** A file that is to become a layer of an image. */
export interface LayerFile {
  readonly descriptor: Descriptor
  /** Digest of the tar inside (image-spec, config.md, "Layer DiffID"). */
  readonly diffId: Digest
  readonly open: (offset?: number) => Bytes
}

export interface ReadLayerOptions {
  /** For a layer in gzip; one in zstd has the type of the image-spec, as Docker has none for it. */
  readonly mediaType: string
  /** Where a tar that is not compressed yet is put when it is; called at most once. */
  readonly temporaryFolder: () => Promise<string>
  /** Threads that compress; default: as many as there are processors, at most 4. */
  readonly workers?: number | undefined
  readonly signal?: AbortSignal
}

/**
 * Reads a tar once, to know what it will be as a layer. Compressed with gzip or zstd it goes into the image byte for
 * byte; otherwise it is compressed reproducibly first.
 * @throws GantryError `file-error`; `invalid-content` when it is no tar; `unsupported` for zstd where this version of
 *   Node has none; later `conflict` when the file changes before it is pushed
 */
export async function readLayerFile(path: string, options: ReadLayerOptions): Promise<LayerFile> {
  const file = await withFileErrors('read', path, () => realpath(path))
  const handle = await openRegularFile(file)
  try {
    const stamp = await handle.stat()
    const raw = new Digester()
    const inside = new Digester()
    const pieces = digested(readPieces(handle, { start: 0, end: stamp.size, path, signal: options.signal }), raw)
    const peeked = await peekContent(pieces, COMPRESSION_MAGIC_SIZE)
    const format = compressionFormatOf(peeked.head)
    const tar = decompress(peeked, path)
    const compressed = format === undefined ? await compressLayer(checkedTar(tar, path), options) : undefined
    if (compressed === undefined) await drain(checkedTar(digested(tar, inside), path))
    if (!isUnchanged(stamp, await handle.stat())) throw changedWhileReading(path)
    if (compressed !== undefined) return compressed
    return {
      descriptor: {
        mediaType: format === 'zstd' ? MediaType.imageLayerZstd : options.mediaType,
        digest: raw.digest(),
        size: raw.size,
      },
      diffId: inside.digest(),
      open: (offset = 0) => readUnchanged(file, { path, stamp, offset }),
    }
  } finally {
    await handle.close()
  }
}

/**
 * Compresses a tar into a temporary file, reproducibly, as a layer.
 * @throws GantryError `file-error`, and what the tar throws
 */
export async function compressLayer(tar: Bytes, options: ReadLayerOptions): Promise<LayerFile> {
  const path = join(await options.temporaryFolder(), `${randomUUID()}.tar.gz`)
  const { digest, size, stamp, uncompressedDigest } = await writeGzipFile(tar, path, {
    signal: options.signal,
    workers: options.workers,
  })
  return {
    descriptor: { mediaType: options.mediaType, digest, size },
    diffId: uncompressedDigest,
    open: (offset = 0) => readUnchanged(path, { path, stamp, offset }),
  }
}

interface UnchangedRange {
  /** Names the file in errors. */
  readonly path: string
  readonly stamp: FileStamp & { readonly size: number }
  readonly offset: number
}

async function* readUnchanged(
  file: string,
  { path, stamp, offset }: UnchangedRange,
): AsyncGenerator<Uint8Array, void, undefined> {
  const handle = await openRegularFile(file)
  try {
    if (!isUnchanged(stamp, await handle.stat())) throw changedWhileReading(path)
    yield* readPieces(handle, { start: offset, end: stamp.size, path })
    if (!isUnchanged(stamp, await handle.stat())) throw changedWhileReading(path)
  } finally {
    await handle.close()
  }
}

/** Refuses what has no header where a tar has its first one: containers could not be started from it. */
async function* checkedTar(content: Bytes, path: string): AsyncGenerator<Uint8Array, void, undefined> {
  const peeked = await peekContent(content, TAR_BLOCK_SIZE)
  if (!isTarHeader(peeked.head.subarray(0, TAR_BLOCK_SIZE))) {
    await peeked.return()
    throw new GantryError('invalid-content', `${path} is not a tar archive`)
  }
  yield* peeked
}

function isTarHeader(block: Uint8Array): boolean {
  if (block.byteLength < TAR_BLOCK_SIZE) return false
  try {
    return isZero(block) || hasValidChecksum(block, 'header')
  } catch {
    // A checksum that is no number is a wrong one.
    return false
  }
}

async function drain(content: Bytes): Promise<void> {
  const iterator = content[Symbol.asyncIterator]()
  while ((await iterator.next()).done !== true);
}

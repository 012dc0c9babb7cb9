import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from 'node:fs'
import { lstat, open, type FileHandle } from 'node:fs/promises'
import { GantryError } from '../errors.js'
import { throwIfAborted } from './abort.js'
import { TRANSIENT_REACH, type ContentUse } from './bytes.js'
import { fileError, withFileErrors } from './file-error.js'

/**
 * Bytes that are read at a time. Smaller pieces cost more per byte than the disk does, larger ones only memory; and it is
 * as much as one piece has to be for the one before to be used again.
 */
const PIECE_SIZE = TRANSIENT_REACH

/** Both are undefined on Windows, against their types, and count as 0. */
const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/**
 * Opens a file for reading without following a link in its last component, and without waiting for the other end of a
 * pipe.
 * @throws GantryError `file-error` when it is missing, no regular file, or not readable; the cause tells which
 */
export async function openRegularFile(path: string): Promise<FileHandle> {
  return (await openSizedFile(path)).handle
}

/** Like {@link openRegularFile}, and also tells the size of the file in bytes. */
export async function openSizedFile(path: string): Promise<{ readonly handle: FileHandle; readonly size: number }> {
  let handle: FileHandle
  try {
    // Where the flag does not exist (Windows) looking first is all there is.
    if (!('O_NOFOLLOW' in constants) && !(await lstat(path)).isFile()) throw notRegular(path)
    handle = await open(path, READ_FLAGS)
  } catch (cause) {
    throw openError(cause, path)
  }
  try {
    const stats = await handle.stat()
    if (!stats.isFile()) throw notRegular(path)
    return { handle, size: stats.size }
  } catch (cause) {
    await handle.close()
    throw fileError(cause, 'read', path)
  }
}

/**
 * Reads a small file whole, at once: it takes less time than a trip to another thread would.
 * @param size what the file has to have, in bytes
 * @throws GantryError `file-error` as {@link openRegularFile}; `size-mismatch`
 */
export function readAtOnce(path: string, size: number): Uint8Array {
  let file: number
  try {
    if (!('O_NOFOLLOW' in constants) && !lstatSync(path).isFile()) throw notRegular(path)
    file = openSync(path, READ_FLAGS)
  } catch (cause) {
    throw openError(cause, path)
  }
  try {
    const stats = fstatSync(file)
    if (!stats.isFile()) throw notRegular(path)
    requireSize(path, stats.size, size)
    const bytes = Buffer.allocUnsafeSlow(size)
    let offset = 0
    for (let read = 1; read > 0 && offset < size; offset += read)
      read = readSync(file, bytes, offset, size - offset, null)
    requireSize(path, offset, size)
    return bytes
  } catch (cause) {
    throw fileError(cause, 'read', path)
  } finally {
    closeSync(file)
  }
}

/** @throws GantryError `size-mismatch` */
export function requireSize(path: string, actual: number, declared: number): void {
  if (actual === declared) return
  throw new GantryError('size-mismatch', `${path} has ${actual} bytes where ${declared} are declared`)
}

/**
 * Reads a file that has to be small, whole.
 * @param limit in bytes
 * @throws GantryError `file-error` as {@link openRegularFile}; `limit-exceeded` above the limit
 */
export async function readSmallFile(path: string, limit: number): Promise<Uint8Array> {
  const { handle, size: declared } = await openSizedFile(path)
  try {
    const pieceSize = declared + 1
    const chunks: Uint8Array[] = []
    let size = 0
    for await (const chunk of readPieces(handle, { start: 0, end: limit + 1, path, pieceSize })) {
      chunks.push(chunk)
      size += chunk.byteLength
    }
    if (size > limit) throw new GantryError('limit-exceeded', `${path} exceeds the limit of ${limit} bytes`)
    return Buffer.concat(chunks, size)
  } finally {
    await handle.close()
  }
}

export interface FileRange extends ContentUse {
  /** First byte. */
  readonly start: number
  /** Byte after the last; reading ends earlier where the file does. */
  readonly end: number
  /** Names the file in errors. */
  readonly path: string
  /** Bytes to read at a time, at most 1 MiB, which is the default, and always used for what is transient. */
  readonly pieceSize?: number
  readonly signal?: AbortSignal
}

/**
 * Reads a part of an open file in large pieces, one ahead of the caller. Each piece is a buffer of its own, which the
 * caller may keep, unless it promises not to. The handle stays open.
 * @throws GantryError `file-error`, `aborted`
 */
export async function* readPieces(handle: FileHandle, range: FileRange): AsyncGenerator<Uint8Array, void, undefined> {
  const { start, end, path, signal, transient = false } = range
  const pieceSize = transient ? PIECE_SIZE : Math.min(PIECE_SIZE, range.pieceSize ?? PIECE_SIZE)
  const buffers: Buffer[] = []
  const read = async (position: number): Promise<Uint8Array> => {
    const length = Math.min(pieceSize, end - position)
    if (length <= 0) return new Uint8Array()
    // Two pieces are the caller's at a time, which is far enough back, and the one ahead is being read.
    const used = transient && buffers.length === 3 ? buffers.shift() : undefined
    const buffer = used ?? Buffer.allocUnsafeSlow(length)
    if (transient) buffers.push(buffer)
    const { bytesRead } = await handle.read(buffer, 0, length, position)
    return buffer.subarray(0, bytesRead)
  }
  let position = start
  let next = read(position)
  try {
    while (true) {
      throwIfAborted(signal)
      const piece = await withFileErrors('read', path, () => next)
      if (piece.byteLength === 0) return
      position += piece.byteLength
      next = read(position)
      yield piece
    }
  } finally {
    // The caller may stop in the middle; the handle must not be closed under a read, and its failure is nobody's concern.
    await next.catch(() => undefined)
  }
}

function openError(cause: unknown, path: string): Error {
  const isLink = cause instanceof Error && 'code' in cause && cause.code === 'ELOOP'
  return isLink ? notRegular(path, cause) : fileError(cause, 'read', path)
}

function notRegular(path: string, cause?: unknown): GantryError {
  return new GantryError('file-error', `${path} is not a regular file`, cause === undefined ? {} : { cause })
}

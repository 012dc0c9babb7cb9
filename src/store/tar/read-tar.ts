import { extract, type Extract, type Header } from 'tar-stream'
import { GantryError } from '../../errors.js'
import type { Bytes } from '../../util/bytes.js'
import { TarChecker, type TarCheckOptions } from './tar-checker.js'
import type { TarEntry, TarEntryType } from './tar-entry.js'

/** An entry of an archive with its content, which has to be read before the next entry is asked for. */
export interface TarItem {
  readonly entry: TarEntry
  readonly content: Bytes
}

const TYPES_OF_PARSER: Readonly<Record<TarEntryType, Header['type']>> = {
  file: 'file',
  'hard link': 'link',
  'symbolic link': 'symlink',
  'character device': 'character-device',
  'block device': 'block-device',
  directory: 'directory',
  fifo: 'fifo',
}

/**
 * Reads an uncompressed tar. Two readers look at it: the strict {@link TarChecker}, which goes ahead and refuses what
 * can be understood in two ways, and tar-stream, which takes it apart. Where they differ the archive is refused too.
 * @param what names the archive in errors
 * @throws GantryError `invalid-content`, `unsupported`, `limit-exceeded`
 */
export async function* readTar(
  content: Bytes,
  what: string,
  options: TarCheckOptions = {},
): AsyncGenerator<TarItem, void, undefined> {
  const announced: TarEntry[] = []
  const parser = extract()
  const feeding = feed(content, new TarChecker(what, options), parser, announced)
  // A failure reaches the loop below through the parser.
  feeding.catch(() => undefined)
  try {
    for await (const stream of parser) {
      const entry = announced.shift()
      if (entry === undefined || !isSameEntry(entry, stream.header)) throw ambiguous(what)
      yield { entry, content: stream as Bytes }
      stream.resume()
    }
    await feeding
    if (announced.length > 0) throw ambiguous(what)
  } catch (cause) {
    throw cause instanceof Error && !(cause instanceof GantryError) && !('code' in cause)
      ? new GantryError('invalid-content', `${what} is not a valid tar archive: ${cause.message}`, { cause })
      : cause
  } finally {
    parser.destroy()
    await feeding.catch(() => undefined)
  }
}

async function feed(content: Bytes, checker: TarChecker, parser: Extract, announced: TarEntry[]): Promise<void> {
  try {
    for await (const chunk of content) {
      const hadEnded = checker.hasEnded
      announced.push(...checker.push(chunk))
      // tar-stream would look for entries behind the end as well.
      if (!hadEnded) await write(parser, chunk)
      if (parser.destroyed) return
    }
    checker.finish()
    parser.end(null)
  } catch (error) {
    parser.destroy(error instanceof Error ? error : new Error(String(error)))
    throw error
  }
}

async function write(parser: Extract, chunk: Uint8Array): Promise<void> {
  if (parser.write(chunk) || parser.destroyed) return
  await new Promise<void>((resolve) => {
    const settle = (): void => {
      parser.off('drain', settle)
      parser.off('close', settle)
      resolve()
    }
    parser.on('drain', settle)
    parser.on('close', settle)
  })
}

/** The parser leaves fields out, against its types, where an entry has none. */
function isSameEntry(entry: TarEntry, header: Partial<Header>): boolean {
  return (
    header.name === entry.name &&
    header.type === TYPES_OF_PARSER[entry.type] &&
    header.size === entry.size &&
    (header.linkname ?? '') === entry.linkName
  )
}

function ambiguous(what: string): GantryError {
  return new GantryError('invalid-content', `${what} is a tar archive that can be read in two ways`)
}

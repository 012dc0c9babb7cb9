import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  type Stats,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { parseJsonObject } from '../util/json.js'

/** Compiled code of one file of the program. */
export interface CompiledCode {
  readonly name: string
  /** Changes whenever the file does. */
  readonly stamp: string
  readonly data: Uint8Array
}

/** Where code stands in the file of the cache. */
interface Entry {
  readonly offset: number
  readonly size: number
  readonly stamp: string
  readonly checksum: string
}

const MAGIC = 'gantry code 1\n'
/** The length of the header follows the magic, in four bytes. */
const PREFIX_SIZE = MAGIC.length + 4
const MAX_HEADER_SIZE = 256 * 1024
const MAX_CODE_SIZE = 8 * 1024 * 1024
/** Files that are kept: one for each version of gantry and of Node.js, and each place where gantry is installed. */
const MAX_FILES = 8
/** Windows has no such links. */
const READ_ONLY = process.platform === 'win32' ? constants.O_RDONLY : constants.O_RDONLY | constants.O_NOFOLLOW
/** Milliseconds after which a temporary file belongs to a process that has ended. */
const ABANDONED_AFTER = 60 * 60 * 1000

/**
 * Compiled code that is kept between runs, in one file. The code is executed, so that it is read only from a folder and a
 * file that belong to this user and that nobody else may write. Whatever is wrong with the file, it counts as empty.
 */
export class CodeCache {
  readonly #folder: string
  readonly #path: string
  readonly #file: number | undefined
  readonly #entries: ReadonlyMap<string, Entry>

  private constructor(folder: string, path: string, file?: number, entries: ReadonlyMap<string, Entry> = new Map()) {
    this.#folder = folder
    this.#path = path
    this.#file = file
    this.#entries = entries
  }

  /**
   * @param folder need not exist
   * @param key tells apart what cannot share compiled code, such as versions of Node.js
   */
  static open(folder: string, key: string): CodeCache {
    const path = join(folder, `${checksumOf(key).slice(0, 32)}.code`)
    let file: number | undefined
    try {
      if (!isTrustedFolder(folder)) return new CodeCache(folder, path)
      file = openSync(path, READ_ONLY)
      const stats = fstatSync(file)
      if (stats.isFile() && isTrusted(stats)) return new CodeCache(folder, path, file, readEntries(file))
      closeSync(file)
    } catch {
      // There is none yet, or it is broken: then code is compiled, and kept if that is possible.
      if (file !== undefined) closeSync(file)
    }
    return new CodeCache(folder, path)
  }

  find(name: string, stamp: string): Uint8Array | undefined {
    const entry = this.#entries.get(name)
    if (this.#file === undefined || entry?.stamp !== stamp) return undefined
    try {
      const data = Buffer.allocUnsafe(entry.size)
      const size = readSync(this.#file, data, 0, entry.size, entry.offset)
      // V8 trusts what it is given.
      return size === entry.size && checksumOf(name, stamp, data) === entry.checksum ? data : undefined
    } catch {
      return undefined
    }
  }

  /** Closes the file that the cache was read from. */
  close(): void {
    if (this.#file !== undefined) closeSync(this.#file)
  }

  /**
   * Keeps code for later runs, beside what is kept already and still `isCurrent`. Does nothing where that is not
   * possible: a cache costs no command its success.
   */
  keep(codes: readonly CompiledCode[], isCurrent: (name: string, stamp: string) => boolean): void {
    const fresh = new Set(codes.map(({ name }) => name))
    const others = [...this.#entries].flatMap(([name, { stamp }]) => {
      const data = fresh.has(name) || !isCurrent(name, stamp) ? undefined : this.find(name, stamp)
      return data === undefined ? [] : [{ name, stamp, data }]
    })
    const temporary = `${this.#path}.${process.pid}.tmp`
    try {
      makeFolder(this.#folder)
      if (!isTrustedFolder(this.#folder)) return
      writeFileSync(temporary, encode([...others, ...codes]), { flag: 'wx', mode: 0o600 })
      renameSync(temporary, this.#path)
      removeOldFiles(this.#folder)
    } catch {
      // A folder that cannot be written, a full disk: the next run compiles again.
      rmSync(temporary, { force: true })
    }
  }
}

function isTrustedFolder(path: string): boolean {
  const stats = lstatSync(path)
  return stats.isDirectory() && isTrusted(stats)
}

/** Whether a folder or file is this user's, and nobody else may write it. Windows keeps others out of profiles itself. */
function isTrusted({ uid, mode }: Stats): boolean {
  const user = process.geteuid?.()
  return user === undefined || (uid === user && (mode & 0o022) === 0)
}

function readEntries(file: number): Map<string, Entry> {
  const prefix = Buffer.alloc(PREFIX_SIZE)
  readSync(file, prefix, 0, PREFIX_SIZE, 0)
  const headerSize = prefix.readUInt32LE(MAGIC.length)
  if (prefix.toString('latin1', 0, MAGIC.length) !== MAGIC || headerSize > MAX_HEADER_SIZE) return new Map()
  const header = Buffer.alloc(headerSize)
  readSync(file, header, 0, headerSize, PREFIX_SIZE)
  const entries = new Map<string, Entry>()
  for (const [name, place] of Object.entries(parseJsonObject(header, 'the code cache'))) {
    const [offset, size, stamp, checksum] = place as [number, number, string, string]
    if (!(offset >= 0 && size > 0 && size <= MAX_CODE_SIZE)) continue
    entries.set(name, { offset: PREFIX_SIZE + headerSize + offset, size, stamp, checksum })
  }
  return entries
}

function encode(codes: readonly CompiledCode[]): Buffer {
  let offset = 0
  const places = codes.map(({ name, stamp, data }) => {
    const place = [offset, data.length, stamp, checksumOf(name, stamp, data)]
    offset += data.length
    return [name, place] as const
  })
  const header = Buffer.from(JSON.stringify(Object.fromEntries(places)))
  const prefix = Buffer.alloc(PREFIX_SIZE)
  prefix.write(MAGIC, 'latin1')
  prefix.writeUInt32LE(header.length, MAGIC.length)
  return Buffer.concat([prefix, header, ...codes.map(({ data }) => data)])
}

function checksumOf(...parts: readonly (string | Uint8Array)[]): string {
  const hash = process.getBuiltinModule('node:crypto').createHash('sha256')
  for (const part of parts) hash.update(part).update('\0')
  return hash.digest('hex')
}

/** Makes the folder and the one above it; without a home folder there is no cache either. */
function makeFolder(folder: string): void {
  for (const path of [dirname(folder), folder]) {
    try {
      mkdirSync(path, { mode: 0o700 })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}

/** Removes files of versions that are not used any more, the oldest first, and what writers have left behind. */
function removeOldFiles(folder: string): void {
  const names = readdirSync(folder).filter((name) => /^[0-9a-f]{32}\.code(\.\d+\.tmp)?$/.test(name))
  const files = names.map((name) => ({ path: join(folder, name), time: statSync(join(folder, name)).mtimeMs }))
  const temporary = files.filter(({ path, time }) => path.endsWith('.tmp') && Date.now() - time > ABANDONED_AFTER)
  const complete = files.filter(({ path }) => path.endsWith('.code')).sort((a, b) => b.time - a.time)
  for (const { path } of [...temporary, ...complete.slice(MAX_FILES)]) rmSync(path, { force: true })
}

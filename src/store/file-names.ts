/** Longest path that a registry or an archive may ask for, in bytes of UTF-8. */
export const MAX_PATH_BYTES = 4096
/** Most parts that such a path may have. */
export const MAX_PATH_DEPTH = 256
const MAX_PART_BYTES = 255

/** Why a name from outside is not used. */
export interface NameProblem {
  readonly kind:
    /** It leads out of the folder, on this or on another platform. */
    | 'escape'
    /** It is no name of a file anywhere. */
    | 'invalid'
    /** It means something else, or nothing, on another platform. */
    | 'unportable'
  /** Completes "the name …". */
  readonly reason: string
}

const CONTROL = /\p{Cc}/u
const LONE_SURROGATE = /\p{Cs}/u
const DRIVE = /^[A-Za-z]:/
/** Device names of Windows, which have no folder and keep their meaning with any extension. */
const RESERVED = /^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3])[ .]*(\.|:|$)/i

/**
 * Looks for what is wrong with a path that a registry or an archive supplied, with `/` between its parts. Rules of all
 * platforms hold on all of them, so that what can be unpacked on one can be unpacked on the others.
 * @returns undefined when the path may be used below a folder
 */
export function problemOfName(path: string): NameProblem | undefined {
  if (path === '') return invalid('is empty')
  if (LONE_SURROGATE.test(path)) return invalid('is not valid Unicode')
  if (CONTROL.test(path)) return invalid('has control characters')
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) return invalid(`is longer than ${MAX_PATH_BYTES} bytes`)
  if (path.startsWith('/')) return escape('is absolute')
  if (path.includes('\\')) return escape('has a backslash')
  if (DRIVE.test(path)) return escape('starts with a drive')
  const parts = path.split('/')
  if (parts.length > MAX_PATH_DEPTH) return invalid(`has more than ${MAX_PATH_DEPTH} parts`)
  // What escapes is worse than what is odd, wherever it stands.
  return parts.includes('..') ? escape('has the part ".."') : firstProblem(parts)
}

/**
 * A name without detours: `./a//b/./c/` is `a/b/c`, and what names the folder itself is `.`. The part `..` stays, and so
 * does the slash of an absolute name.
 */
export function cleanName(name: string): string {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.')
  return `${name.startsWith('/') ? '/' : ''}${parts.join('/')}` || (name === '' ? '' : '.')
}

function firstProblem(parts: readonly string[]): NameProblem | undefined {
  for (const part of parts) {
    const problem = problemOfPart(part)
    if (problem !== undefined) return problem
  }
  return undefined
}

function problemOfPart(part: string): NameProblem | undefined {
  if (part === '') return invalid('has an empty part')
  if (part === '.') return invalid('has the part "."')
  if (Buffer.byteLength(part) > MAX_PART_BYTES) return invalid(`has a part longer than ${MAX_PART_BYTES} bytes`)
  if (part.includes(':')) return unportable('has a colon')
  if (part.endsWith('.') || part.endsWith(' ')) return unportable('has a part that ends with a dot or a space')
  return RESERVED.test(part) ? unportable('is reserved on Windows') : undefined
}

/**
 * What two names have in common when a file system can take one for the other: letter case, Unicode normalisation and
 * characters without appearance are left out.
 */
export function foldName(path: string): string {
  // Nearly all names are ASCII, and the rest of this is slow.
  if (/^[\0-\x7f]*$/.test(path)) return path.toLowerCase()
  // Upper case first, as that folds more: ß to SS, long s to S.
  const visible = path.normalize('NFC').replace(/\p{Default_Ignorable_Code_Point}/gu, '')
  return visible.toUpperCase().toLowerCase().normalize('NFC')
}

function escape(reason: string): NameProblem {
  return { kind: 'escape', reason }
}

function invalid(reason: string): NameProblem {
  return { kind: 'invalid', reason }
}

function unportable(reason: string): NameProblem {
  return { kind: 'unportable', reason }
}

import { isUtf8 } from 'node:buffer'
import { open } from 'node:fs/promises'
import { GantryError, isGantryError, messageOf } from '../errors.js'
import { collectBytes } from '../util/bytes.js'
import { fileError, isSystemError } from '../util/file-error.js'
import { isJsonObject, parseJsonObject, type JsonObject } from '../util/json.js'
import { visibleLine } from '../util/visible-text.js'
import { memberNameIn } from './auth-entry.js'
import { readUnlessForbidden, type OnSkippedFile } from './optional-file.js'

/** The largest credential file that is read, in bytes. */
export const MAX_AUTH_FILE_SIZE = 1024 * 1024

/** What Docker's config.json and Podman's auth.json say about credentials; both have the same format. */
export interface AuthFile {
  /** The path, or the name of the variable, for messages. */
  readonly origin: string
  /** Entries by server key; not decoded yet, so that one broken entry does not stop work with another registry. */
  readonly auths: ReadonlyMap<string, JsonObject>
  /** Helper for everything that has no helper of its own; undefined when the member is absent, which Docker tells from "". */
  readonly credsStore: string | undefined
  /** Helpers by server key; an empty name turns `credsStore` off for that server. */
  readonly credHelpers: ReadonlyMap<string, string>
  /** Headers that Docker adds to every request to a registry. */
  readonly httpHeaders: ReadonlyMap<string, string>
}

/**
 * Reads a credential file.
 * @returns undefined when there is none
 * @throws GantryError `credential-store-error` when it cannot be read or understood; never shows its content
 */
export async function readAuthFile(path: string): Promise<AuthFile | undefined> {
  const bytes = await readAuthBytes(path)
  return bytes === undefined ? undefined : await parseAuthFile(bytes, path)
}

/**
 * Like {@link readAuthFile} for a file that nobody has named: one that may not be read is passed over as well. Podman's
 * folder below /run belongs to root where root has used it first.
 * @param onSkippedFile is told of a file that may not be read
 */
export async function readOptionalAuthFile(path: string, onSkippedFile?: OnSkippedFile): Promise<AuthFile | undefined> {
  return readUnlessForbidden(path, () => readAuthFile(path), onSkippedFile)
}

/** The bytes of a credential file, at most {@link MAX_AUTH_FILE_SIZE}, or undefined when there is none. */
export async function readAuthBytes(path: string): Promise<Uint8Array | undefined> {
  try {
    const file = await open(path, 'r')
    // The stream closes the file, also when it is left early.
    return await collectBytes(file.createReadStream(), MAX_AUTH_FILE_SIZE, path)
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw new GantryError('credential-store-error', messageOf(fileError(error, 'read', path)), { cause: error })
  }
}

/**
 * Parses a credential file, or the value of a variable that holds one. Blank text counts as an empty file.
 * @param origin names it in errors
 * @throws GantryError `credential-store-error`, with the byte at which it stops being JSON, never with its content
 */
export async function parseAuthFile(bytes: Uint8Array, origin: string): Promise<AuthFile> {
  return authFileOf(await checkedDocument(bytes, origin), origin)
}

/** A text that was checked by {@link decodeAuthText}, and changed by ourselves since. */
export function parseCheckedText(text: string, origin: string): AuthFile {
  return authFileOf(parseDocument(new TextEncoder().encode(text), origin), origin)
}

function authFileOf(document: JsonObject, origin: string): AuthFile {
  const credsStore = document[memberNameIn(document, 'credsStore')]
  return {
    origin,
    auths: mapOf(document, 'auths', origin, (value) =>
      value === null ? emptyEntry() : isJsonObject(value) ? value : undefined,
    ),
    credHelpers: mapOf(document, 'credHelpers', origin, textOf),
    httpHeaders: mapOf(document, 'HttpHeaders', origin, textOf),
    credsStore: credsStore === undefined || credsStore === null ? undefined : checkedStore(credsStore, origin),
  }
}

/** How the text of a credential file spells the name of a member, so that a change does not add it a second time. */
export function memberNameInText(text: string, name: string, origin: string): string {
  return memberNameIn(parseDocument(new TextEncoder().encode(text), origin), name)
}

/** The text of a credential file, checked to be an object in JSON, or blank. */
export async function decodeAuthText(bytes: Uint8Array, origin: string): Promise<string> {
  await checkedDocument(bytes, origin)
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
}

/** The document, or an error that says at which byte it stops being JSON; what finds that is only loaded then. */
async function checkedDocument(bytes: Uint8Array, origin: string): Promise<JsonObject> {
  try {
    return parseDocument(bytes, origin)
  } catch (error) {
    const isSyntaxError = isGantryError(error) && isGantryError(error.cause, 'invalid-content') && isUtf8(bytes)
    if (!isSyntaxError) throw error
    const { findJsonError } = await import('./json-text.js')
    const offset = findJsonError(new TextDecoder().decode(bytes))
    if (offset === undefined) throw error
    throw storeError(`${origin} is not valid JSON (byte ${offset})`)
  }
}

function parseDocument(bytes: Uint8Array, origin: string): JsonObject {
  if (bytes.byteLength > MAX_AUTH_FILE_SIZE) {
    throw storeError(`${origin} exceeds the limit of ${MAX_AUTH_FILE_SIZE} bytes`)
  }
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    throw storeError(
      `${origin} is not valid JSON: it begins with a byte order mark (byte 0)`,
      'save it as UTF-8 without a byte order mark',
    )
  }
  if (isBlank(bytes)) return Object.create(null) as JsonObject
  try {
    return parseJsonObject(bytes, origin)
  } catch (error) {
    if (!isGantryError(error)) throw error
    throw new GantryError('credential-store-error', error.message, { cause: error })
  }
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d))
}

function emptyEntry(): JsonObject {
  return Object.create(null) as JsonObject
}

/** Docker takes null for the empty text. */
function textOf(value: unknown): string | undefined {
  if (value === null) return ''
  return typeof value === 'string' ? value : undefined
}

function checkedStore(value: unknown, origin: string): string {
  if (typeof value !== 'string') throw storeError(`"credsStore" in ${origin} is not a string`)
  return value
}

function mapOf<Value>(
  document: JsonObject,
  key: string,
  origin: string,
  convert: (value: unknown) => Value | undefined,
): ReadonlyMap<string, Value> {
  const members = document[memberNameIn(document, key)] ?? emptyEntry()
  if (!isJsonObject(members)) throw storeError(`"${key}" in ${origin} is not an object`)
  const map = new Map<string, Value>()
  for (const [name, value] of Object.entries(members)) {
    const converted = convert(value)
    if (converted === undefined)
      throw storeError(`"${visibleLine(name)}" below "${key}" in ${origin} has the wrong type`)
    map.set(name, converted)
  }
  return map
}

function storeError(message: string, hint?: string): GantryError {
  return new GantryError('credential-store-error', message, { hint })
}

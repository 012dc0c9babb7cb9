import { GantryError, isGantryError, messageOf } from '../errors.js'
import { collectBytes, type Bytes } from '../util/bytes.js'
import { parseJsonObject } from '../util/json.js'
import { visibleLine } from '../util/visible-text.js'
import { NOT_FOUND_TEXT } from './credential-helper.js'
import { openKeychain, type Keychain } from './keychain.js'

const PROGRAM = 'docker-credential-gantry'
const USAGE = `Usage: ${PROGRAM} <store|get|erase|list|version>`
const MAX_REQUEST_SIZE = 1024 * 1024

/** The texts that callers of a helper compare with (docker-credential-helpers, credentials/error.go). */
const NO_SERVER_TEXT = 'no credentials server URL'
const NO_USER_TEXT = 'no credentials username'

/** What the program prints on standard output, and the code it ends with. */
export interface CredentialHelperAnswer {
  readonly output: string
  readonly exitCode: 0 | 1
}

export interface CredentialHelperSetup {
  /** Of the program, for `version`. */
  readonly version: string
  /** Default: the keychain of the operating system. */
  readonly openKeychain?: () => Promise<Keychain>
}

/**
 * The program `docker-credential-gantry`: the protocol of docker-credential-helpers over the keychain of the operating
 * system. Errors are text on standard output with exit code 1, as every caller of helpers expects.
 * @param words what stood behind the program's name: one action
 * @param input standard input; read only for the actions that have one
 */
export async function runCredentialHelper(
  words: readonly string[],
  input: Bytes,
  setup: CredentialHelperSetup,
): Promise<CredentialHelperAnswer> {
  const [action] = words
  if (action === undefined || words.length !== 1) return failure(USAGE)
  if (action === '--help' || action === '-h') return success(`${USAGE}\n`)
  try {
    return await serveCredentialHelper(action === '--version' || action === '-v' ? 'version' : action, input, setup)
  } catch (error) {
    if (!isGantryError(error)) throw error
    return failure(messageOf(error))
  }
}

/**
 * Answers one request to the helper.
 * @throws GantryError `unsupported` without a keychain to store in, `credential-store-error` when the keychain fails, `limit-exceeded` and `invalid-content` for what
 *   is no request
 */
export async function serveCredentialHelper(
  action: string,
  input: Bytes,
  { version, openKeychain: open = openKeychain }: CredentialHelperSetup,
): Promise<CredentialHelperAnswer> {
  switch (action) {
    case 'get':
      return withServerUrl(input, async (serverUrl) =>
        whereKeychain(async () => getEntry(await open(), serverUrl), failure(NOT_FOUND_TEXT)),
      )
    case 'erase':
      return withServerUrl(input, async (serverUrl) => {
        await (await open()).remove(serverUrl)
        return success('')
      })
    case 'store':
      return storeEntry(open, await readRequest(input))
    case 'list':
      return whereKeychain(async () => listEntries(await open()), success(encodeAnswer({})))
    case 'version':
      return success(`${PROGRAM} (gantry) ${version}\n`)
    default:
      return failure(`${PROGRAM}: unknown action: ${visibleLine(action)}`)
  }
}

/** Reads from a keychain; where there is none, nothing can be in it, and public images are pulled without it. */
async function whereKeychain(
  read: () => Promise<CredentialHelperAnswer>,
  nothing: CredentialHelperAnswer,
): Promise<CredentialHelperAnswer> {
  try {
    return await read()
  } catch (error) {
    if (!isGantryError(error, 'unsupported')) throw error
    return nothing
  }
}

async function listEntries(keychain: Keychain): Promise<CredentialHelperAnswer> {
  const entries = await keychain.list()
  return success(encodeAnswer(Object.fromEntries(entries.map(({ serverUrl, username }) => [serverUrl, username]))))
}

async function getEntry(keychain: Keychain, serverUrl: string): Promise<CredentialHelperAnswer> {
  const entry = await keychain.get(serverUrl)
  if (entry === undefined) return failure(NOT_FOUND_TEXT)
  return success(encodeAnswer({ ServerURL: serverUrl, Username: entry.username, Secret: entry.secret }))
}

async function storeEntry(open: () => Promise<Keychain>, request: Uint8Array): Promise<CredentialHelperAnswer> {
  const {
    ServerURL: serverUrl = '',
    Username: username = '',
    Secret: secret = '',
  } = parseJsonObject(request, 'request')
  if (typeof serverUrl !== 'string' || typeof username !== 'string' || typeof secret !== 'string') {
    throw new GantryError('invalid-content', 'ServerURL, Username and Secret have to be strings')
  }
  if (serverUrl === '') return failure(NO_SERVER_TEXT)
  if (username === '') return failure(NO_USER_TEXT)
  await (await open()).set({ serverUrl, username, secret })
  return success('')
}

async function withServerUrl(
  input: Bytes,
  answer: (serverUrl: string) => Promise<CredentialHelperAnswer>,
): Promise<CredentialHelperAnswer> {
  const serverUrl = new TextDecoder().decode(await readRequest(input)).trim()
  return serverUrl === '' ? failure(NO_SERVER_TEXT) : answer(serverUrl)
}

async function readRequest(input: Bytes): Promise<Uint8Array> {
  return collectBytes(input, MAX_REQUEST_SIZE, 'request')
}

function encodeAnswer(value: Readonly<Record<string, string>>): string {
  return `${JSON.stringify(value)}\n`
}

function success(output: string): CredentialHelperAnswer {
  return { output, exitCode: 0 }
}

function failure(text: string): CredentialHelperAnswer {
  return { output: `${text}\n`, exitCode: 1 }
}

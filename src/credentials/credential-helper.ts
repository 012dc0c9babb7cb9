import { GantryError, isGantryError } from '../errors.js'
import type { Credential } from '../registry/auth/credential.js'
import { parseJsonObject, type JsonObject } from '../util/json.js'
import { visibleLine } from '../util/visible-text.js'
import { TOKEN_USER } from './auth-entry.js'
import { helperMessage } from './helper-message.js'
import { commandOf, helperProgramOf, resolveHelper, type Environment } from './helper-program.js'
import { HELPER_TIMEOUT, runHelper } from './run-helper.js'

/** What a helper prints when it has nothing for a server: the one failure that is none. */
export const NOT_FOUND_TEXT = 'credentials not found in native keychain'

export interface CredentialHelperOptions {
  /** What the helper's program sees, and where PATH comes from. */
  readonly environment: Environment
  /** The file that names the helper, for errors. */
  readonly origin: string
  /** In milliseconds; default 60 000. */
  readonly timeout?: number
  /** Default: the platform that this runs on. */
  readonly platform?: NodeJS.Platform
  /** Ends the helper. */
  readonly signal?: AbortSignal | undefined
}

type Action = 'get' | 'store' | 'erase' | 'list'

/**
 * The program `docker-credential-<name>` on PATH, spoken to by the protocol of docker-credential-helpers. Every failure
 * is a GantryError `credential-store-error` that names the program: a helper that is missing, broken or slow is never
 * taken for "no credential". What the helper prints is shown only with everything masked that may be a secret.
 */
export class CredentialHelper {
  /** The program's name: `docker-credential-<name>`. */
  readonly program: string
  readonly #options: CredentialHelperOptions

  /** @throws GantryError `credential-store-error` for a name that is none, such as a path */
  constructor(name: string, options: CredentialHelperOptions) {
    this.program = helperProgramOf(name, options.origin)
    this.#options = options
  }

  /** The credential for a server key, or undefined when the helper has none. */
  async get(serverKey: string): Promise<Credential | undefined> {
    const output = await this.#run('get', checkedServerKey(serverKey))
    if (output === undefined) return undefined
    const answer = this.#parse(output)
    const username = this.#text(answer, 'Username')
    const secret = this.#text(answer, 'Secret')
    if (username === '' && secret === '') return undefined
    return username === TOKEN_USER
      ? { type: 'identity-token', token: secret }
      : { type: 'basic', username, password: secret }
  }

  /** Hands a credential over; a registry token has no form in the protocol and is refused. */
  async store(serverKey: string, credential: Credential): Promise<void> {
    if (credential.type === 'registry-token') throw this.#error('cannot hold a registry token')
    const [username, secret] =
      credential.type === 'basic' ? [credential.username, credential.password] : [TOKEN_USER, credential.token]
    const request = { ServerURL: checkedServerKey(serverKey), Username: username, Secret: secret }
    await this.#run('store', `${JSON.stringify(request)}\n`, [secret])
  }

  /** Forgets the credential for a server key; fine when there is none. */
  async erase(serverKey: string): Promise<void> {
    await this.#run('erase', checkedServerKey(serverKey))
  }

  /** User names by server key. */
  async list(): Promise<ReadonlyMap<string, string>> {
    const answer = this.#parse((await this.#run('list', '')) ?? new TextEncoder().encode('{}'))
    return new Map(Object.keys(answer).map((key) => [key, this.#text(answer, key)]))
  }

  async #run(action: Action, input: string, secrets: readonly string[] = []): Promise<Uint8Array | undefined> {
    const { environment, timeout = HELPER_TIMEOUT, signal } = this.#options
    const path = await resolveHelper(this.program, environment, this.#options)
    const command = commandOf(path, action, environment)
    const result = await runHelper(command, { input, environment, timeout, program: this.program, signal })
    if (result.succeeded) return result.output
    const said = decodeText(result.output).trim()
    if (said === NOT_FOUND_TEXT) return undefined
    const message = helperMessage(said === '' ? decodeText(result.errorOutput) : said, secrets)
    throw this.#error(`failed to ${action}${message === '' ? '' : `: ${message}`}`)
  }

  #parse(output: Uint8Array): JsonObject {
    try {
      return parseJsonObject(output, 'its output')
    } catch (error) {
      if (!isGantryError(error)) throw error
      // Its message may quote a key, and the output is a secret as a whole.
      throw this.#error('did not answer with a JSON object')
    }
  }

  #text(answer: JsonObject, key: string): string {
    const value = answer[key] ?? ''
    if (typeof value !== 'string') throw this.#error('answered with something other than text')
    return value
  }

  #error(problem: string): GantryError {
    return new GantryError('credential-store-error', `credential helper ${this.program} ${problem}`)
  }
}

/** Helpers read their input line by line, and may hand it on to other programs. */
function checkedServerKey(serverKey: string): string {
  // eslint-disable-next-line no-control-regex -- refusing them is the job
  if (serverKey !== '' && !/[\u0000-\u0020\u007f]/.test(serverKey)) return serverKey
  throw new GantryError('credential-store-error', `"${visibleLine(serverKey)}" cannot be the name of a server`)
}

function decodeText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}

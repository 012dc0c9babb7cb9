import { GantryError, messageOf } from '../errors.js'
import { parseJsonObject } from '../util/json.js'

/** Under which name the entries stand in the keychain. */
const SERVICE = 'docker-credential-gantry'

/** A credential in the keychain; `<token>` as user name says that the secret is an identity token. */
export interface KeychainEntry {
  readonly serverUrl: string
  readonly username: string
  readonly secret: string
}

/** Where `docker-credential-gantry` keeps credentials. */
export interface Keychain {
  get(serverUrl: string): Promise<KeychainEntry | undefined>
  /** Replaces what is there for the server. */
  set(entry: KeychainEntry): Promise<void>
  /** Fine when there is nothing. */
  remove(serverUrl: string): Promise<void>
  list(): Promise<readonly KeychainEntry[]>
}

/** The part of `@napi-rs/keyring` that is used. */
export interface KeyringModule {
  readonly AsyncEntry: new (
    service: string,
    account: string,
    options: { readonly linux: { readonly store: 'secret-service' } },
  ) => KeyringEntry
  findCredentialsAsync(service: string): Promise<readonly { readonly account: string; readonly password: string }[]>
}

interface KeyringEntry {
  setPassword(password: string): Promise<void>
  getPassword(): Promise<string | null>
  deleteCredential(): Promise<boolean>
}

/**
 * Opens the keychain of the operating system: Keychain on macOS, Credential Manager on Windows, the Secret Service on
 * Linux, through the optional package `@napi-rs/keyring`. On Linux it never falls back to the kernel's key store, which
 * forgets everything at the next start.
 * @param load replaces the package in tests
 * @throws GantryError `unsupported` when the package is not installed; its methods throw the same when there is no
 *   keychain, and `credential-store-error` when it stays locked or fails
 */
export async function openKeychain(load: () => Promise<KeyringModule> = loadKeyring): Promise<Keychain> {
  const keyring = await load().catch((cause: unknown) => {
    throw new GantryError(
      'unsupported',
      'the keychain needs the optional package @napi-rs/keyring, which cannot be loaded',
      {
        hint: 'install gantry with its optional dependencies, on a platform that the package supports',
        cause,
      },
    )
  })
  const entryOf = (serverUrl: string): KeyringEntry =>
    new keyring.AsyncEntry(SERVICE, serverUrl, { linux: { store: 'secret-service' } })
  return {
    get: (serverUrl) =>
      withKeychainErrors(async () => {
        const password = await entryOf(serverUrl).getPassword()
        return password === null ? undefined : decodeEntry(serverUrl, password)
      }),
    set: (entry) => withKeychainErrors(() => entryOf(entry.serverUrl).setPassword(encodeEntry(entry))),
    remove: (serverUrl) =>
      withKeychainErrors(async () => {
        await entryOf(serverUrl).deleteCredential()
      }),
    list: () =>
      withKeychainErrors(async () => {
        // The search below would fall back to another key store where the entries are not.
        entryOf('list')
        const found = await keyring.findCredentialsAsync(SERVICE)
        return found.map(({ account, password }) => decodeEntry(account, password))
      }),
  }
}

async function loadKeyring(): Promise<KeyringModule> {
  return import('@napi-rs/keyring')
}

/** The user name stands beside the secret, so that one entry a server is enough and the keychain itself is the index. */
function encodeEntry({ username, secret }: KeychainEntry): string {
  return JSON.stringify({ Username: username, Secret: secret })
}

function decodeEntry(serverUrl: string, password: string): KeychainEntry {
  const { Username: username, Secret: secret } = parseJsonObject(
    new TextEncoder().encode(password),
    `keychain entry ${serverUrl}`,
  )
  if (typeof username !== 'string' || typeof secret !== 'string') {
    throw new GantryError('credential-store-error', `keychain entry ${serverUrl} was not written by ${SERVICE}`)
  }
  return { serverUrl, username, secret }
}

/** What the package says where no session bus runs, or nothing on it offers the Secret Service; it has no codes for that. */
const NO_SECRET_SERVICE =
  /DBus error: .*(?:DBUS_SESSION_BUS_ADDRESS|Failed to connect to socket|not provided by any \.service files|ServiceUnknown)/s

async function withKeychainErrors<Result>(run: () => Promise<Result>): Promise<Result> {
  try {
    return await run()
  } catch (cause) {
    if (cause instanceof GantryError) throw cause
    if (NO_SECRET_SERVICE.test(messageOf(cause))) {
      throw new GantryError(
        'unsupported',
        `there is no keychain: nothing offers the Secret Service to this session; start one such as gnome-keyring, or take "credsStore": "gantry" out of Docker's config.json to keep credentials there`,
        { cause },
      )
    }
    throw new GantryError(
      'credential-store-error',
      `no access to the keychain of the operating system: ${messageOf(cause)}`,
      {
        hint: 'it needs a desktop session with an unlocked keychain; without one, keep credentials in a file',
        cause,
      },
    )
  }
}

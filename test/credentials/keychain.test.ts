import { describe, expect, test } from 'vitest'
import { helperMessage } from '../../src/credentials/helper-message.js'
import { openKeychain, type KeyringModule } from '../../src/credentials/keychain.js'
import { runCredentialHelper } from '../../src/credentials/serve-credential-helper.js'
import { GantryError } from '../../src/errors.js'

const CANARY = 'CANARY-123'

/** The package in memory: entries by service and account. */
function fakeKeyring(entries = new Map<string, string>(), failure?: Error): KeyringModule {
  return {
    AsyncEntry: class {
      readonly #key: string
      constructor(service: string, account: string) {
        if (failure !== undefined) throw failure
        this.#key = `${service}\0${account}`
      }
      setPassword(password: string): Promise<void> {
        entries.set(this.#key, password)
        return Promise.resolve()
      }
      getPassword(): Promise<string | null> {
        return Promise.resolve(entries.get(this.#key) ?? null)
      }
      deleteCredential(): Promise<boolean> {
        return Promise.resolve(entries.delete(this.#key))
      }
    },
    findCredentialsAsync: (service) =>
      Promise.resolve(
        [...entries]
          .filter(([key]) => key.startsWith(`${service}\0`))
          .map(([key, password]) => ({ account: key.slice(service.length + 1), password })),
      ),
  }
}

async function* inputOf(text: string): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text)
  const half = Math.floor(bytes.length / 2)
  yield bytes.subarray(0, half)
  yield bytes.subarray(half)
}

function ask(keyring: KeyringModule, words: readonly string[], input = ''): Promise<unknown> {
  const setup = { version: '1.2.3', openKeychain: () => openKeychain(() => Promise.resolve(keyring)) }
  return runCredentialHelper(words, inputOf(input), setup)
}

const done = (output = ''): unknown => ({ output, exitCode: 0 })
const failed = (text: string): unknown => ({ output: `${text}\n`, exitCode: 1 })

describe('docker-credential-gantry', () => {
  test('keeps, gives, lists and forgets', async () => {
    const keyring = fakeKeyring()
    const store = (server: string, secret: string): Promise<unknown> =>
      ask(keyring, ['store'], JSON.stringify({ ServerURL: server, Username: '<token>', Secret: secret }))
    expect(await ask(keyring, ['list'])).toEqual(done('{}\n'))
    expect(await ask(keyring, ['get'], 'r')).toEqual(failed('credentials not found in native keychain'))
    expect(await store('https://index.docker.io/v1/', 'old')).toEqual(done())
    expect(await store('https://index.docker.io/v1/', 'pä"ss')).toEqual(done())
    expect(await store('__proto__', 'x')).toEqual(done())
    expect(await ask(keyring, ['get'], ' https://index.docker.io/v1/\n')).toEqual(
      done('{"ServerURL":"https://index.docker.io/v1/","Username":"<token>","Secret":"pä\\"ss"}\n'),
    )
    expect(await ask(keyring, ['list'])).toEqual(
      done('{"https://index.docker.io/v1/":"<token>","__proto__":"<token>"}\n'),
    )
    expect(await ask(keyring, ['erase'], 'https://index.docker.io/v1/')).toEqual(done())
    expect(await ask(keyring, ['erase'], 'https://index.docker.io/v1/')).toEqual(done())
    expect(await ask(keyring, ['get'], 'https://index.docker.io/v1/')).toEqual(
      failed('credentials not found in native keychain'),
    )
  })

  test.each([
    [[], '', failed('Usage: docker-credential-gantry <store|get|erase|list|version>')],
    [['get', 'r'], '', failed('Usage: docker-credential-gantry <store|get|erase|list|version>')],
    [['--help'], '', done('Usage: docker-credential-gantry <store|get|erase|list|version>\n')],
    [['version'], '', done('docker-credential-gantry (gantry) 1.2.3\n')],
    [['--version'], '', done('docker-credential-gantry (gantry) 1.2.3\n')],
    [['x\u001b'], '', failed('docker-credential-gantry: unknown action: x\\u{1b}')],
    [['get'], ' \n', failed('no credentials server URL')],
    [['erase'], '', failed('no credentials server URL')],
    [['store'], '{"Username":"u","Secret":"s"}', failed('no credentials server URL')],
    [['store'], '{"ServerURL":"r","Secret":"s"}', failed('no credentials username')],
    [
      ['store'],
      `{"ServerURL":"r","Username":"u","Secret":["${CANARY}"]}`,
      failed('ServerURL, Username and Secret have to be strings'),
    ],
    [['store'], `{"Secret":"${CANARY}"`, failed('request is not valid JSON')],
    [['get'], 'x'.repeat(1024 * 1024 + 1), failed('request exceeds the limit of 1048576 bytes')],
  ])('asked %j', async (words, input, answer) => {
    expect(await ask(fakeKeyring(), words, input)).toEqual(answer)
  })

  test('says that there is no keychain', async () => {
    const broken = fakeKeyring(new Map(), new Error('Platform failure: no D-Bus\u0007'))
    for (const words of [['get'], ['erase'], ['list']]) {
      expect(await ask(broken, words, 'r')).toEqual(
        failed('no access to the keychain of the operating system: Platform failure: no D-Bus\\u{7}'),
      )
    }
  })

  test.each([
    'Using X11 for dbus-daemon autolaunch was disabled at compile time, set your DBUS_SESSION_BUS_ADDRESS instead',
    'Failed to connect to socket /run/user/0/bus: No such file or directory',
    'The name org.freedesktop.secrets was not provided by any .service files',
  ])('has nothing, and keeps nothing, where there is no keychain: %s', async (text) => {
    const missing = fakeKeyring(new Map(), new Error(`Platform failure: DBus error: ${text}`))
    const problem = failed(
      `there is no keychain: nothing offers the Secret Service to this session; start one such as gnome-keyring, or take "credsStore": "gantry" out of Docker's config.json to keep credentials there`,
    )
    expect(await ask(missing, ['get'], 'r')).toEqual(failed('credentials not found in native keychain'))
    expect(await ask(missing, ['list'])).toEqual(done('{}\n'))
    expect(await ask(missing, ['store'], '{"ServerURL":"r","Username":"u","Secret":"s"}')).toEqual(problem)
    expect(await ask(missing, ['erase'], 'r')).toEqual(problem)
    const { output } = problem as { readonly output: string }
    expect(helperMessage(output)).toBe(output.trim())
  })

  test('says that the package is missing', async () => {
    const setup = {
      version: '1',
      openKeychain: () => openKeychain(() => Promise.reject(new Error('Cannot find module'))),
    }
    expect(await runCredentialHelper(['erase'], inputOf('r'), setup)).toEqual(
      failed('the keychain needs the optional package @napi-rs/keyring, which cannot be loaded'),
    )
  })

  test('does not touch the keychain to tell its version', async () => {
    const openNothing = (): never => {
      throw new GantryError('credential-store-error', 'opened')
    }
    const answer = await runCredentialHelper(['version'], inputOf(''), { version: '1', openKeychain: openNothing })
    expect(answer.exitCode).toBe(0)
  })

  test('shows nothing of an entry that it did not write', async () => {
    const keyring = fakeKeyring(new Map([['docker-credential-gantry\0r', CANARY]]))
    expect(await ask(keyring, ['get'], 'r')).toEqual(failed('keychain entry r is not valid JSON'))
    const other = fakeKeyring(new Map([['docker-credential-gantry\0r', `{"Secret":"${CANARY}"}`]]))
    expect(await ask(other, ['list'])).toEqual(failed('keychain entry r was not written by docker-credential-gantry'))
  })
})

test('the real package is loaded only when it is needed, and has what is used of it', async () => {
  const keychain = await openKeychain()
  expect(Object.keys(keychain).sort()).toEqual(['get', 'list', 'remove', 'set'])
  const keyring = (await import('@napi-rs/keyring')) as KeyringModule
  expect(keyring.AsyncEntry.prototype).toHaveProperty('getPassword')
  expect(keyring.findCredentialsAsync).toBeTypeOf('function')
})

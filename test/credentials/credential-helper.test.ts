import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { CredentialHelper } from '../../src/credentials/credential-helper.js'
import { isGantryError } from '../../src/errors.js'
import { temporaryFolder } from '../util/temporary-folder.js'
import { FakeHelpers } from './fake-helper.js'

const CANARY = 'CANARY-123'
let helpers: FakeHelpers
let folder: string

beforeEach(() => {
  folder = temporaryFolder()
  helpers = new FakeHelpers(folder)
})

function open(name = 'x', timeout = 300_000): CredentialHelper {
  return new CredentialHelper(name, { environment: helpers.environment, origin: 'config.json', timeout })
}

async function refusalOf(run: Promise<unknown>): Promise<Error> {
  const error = await run.then(
    () => new Error('not refused'),
    (thrown: unknown) => thrown,
  )
  if (!isGantryError(error, 'credential-store-error')) throw error
  expect(`${error.message}${error.hint ?? ''}${error.stack ?? ''}`).not.toContain(CANARY)
  expect(JSON.stringify(error.cause ?? '')).not.toContain(CANARY)
  return error
}

describe('get', () => {
  test.each([
    ['{"ServerURL":"r","Username":"u","Secret":"p"}', { type: 'basic', username: 'u', password: 'p' }],
    ['{"Username":"<token>","Secret":"t"}', { type: 'identity-token', token: 't' }],
    ['{"Username":"\\u003ctoken\\u003e","Secret":"t"}', { type: 'identity-token', token: 't' }],
    ['{"Username":"","Secret":"s","Extra":[1]}', { type: 'basic', username: '', password: 's' }],
    ['{}', undefined],
  ])('answered with %s', async (answer, credential) => {
    helpers.add(
      'x',
      `cat > "$HELPER_STATE/request"; printf '%s\\n' '${answer.replaceAll('\\', '\\\\')}'`.replaceAll('\\\\u', '\\u'),
    )
    expect(await open().get('r:5000')).toEqual(credential)
    expect(readFileSync(join(folder, 'request'), 'utf8')).toBe('r:5000')
  })

  test('is told when there is nothing', async () => {
    helpers.add('x', 'echo "credentials not found in native keychain"; exit 1')
    expect(await open().get('r')).toBeUndefined()
  })

  test('works with a helper that does not read its input', async () => {
    helpers.add('x', `printf '{"Username":"u","Secret":"p"}'`)
    for (let round = 0; round < 5; round++) expect(await open().get('r')).toBeDefined()
  })

  test('sees its own action alone, without a shell', async () => {
    helpers.add('x', `printf '%s|' "$0" "$@" > "$HELPER_STATE/arguments"; echo '{}'`)
    await open().get('https://index.docker.io/v1/?a=$(x)&b;c')
    expect(readFileSync(join(folder, 'arguments'), 'utf8')).toBe(`${helpers.folder}/docker-credential-x|get|`)
  })
})

describe('store, erase and list', () => {
  test('hand the request over on standard input', async () => {
    helpers.add('x', `printf '%s:' "$1" >> "$HELPER_STATE/requests"; cat >> "$HELPER_STATE/requests"`)
    await open().store('r', { type: 'basic', username: 'u"', password: 'p\\' })
    await open().store('r', { type: 'identity-token', token: 't' })
    await open().erase('r')
    expect(readFileSync(join(folder, 'requests'), 'utf8')).toBe(
      'store:{"ServerURL":"r","Username":"u\\"","Secret":"p\\\\"}\n' +
        'store:{"ServerURL":"r","Username":"<token>","Secret":"t"}\n' +
        'erase:r',
    )
  })

  test('erase is fine with nothing to erase', async () => {
    helpers.add('x', 'echo "credentials not found in native keychain"; exit 1')
    await open().erase('r')
  })

  test('list gives user names by server', async () => {
    helpers.add('x', `echo '{"https://index.docker.io/v1/":"u","__proto__":"v"}'`)
    expect([...(await open().list())]).toEqual([
      ['https://index.docker.io/v1/', 'u'],
      ['__proto__', 'v'],
    ])
  })

  test('a registry token has no form in the protocol', async () => {
    helpers.add('x', 'exit 0')
    const refusal = await refusalOf(open().store('r', { type: 'registry-token', token: CANARY }))
    expect(refusal.message).toBe('credential helper docker-credential-x cannot hold a registry token')
  })
})

describe('a helper that fails', () => {
  test.each([
    ['without a word', 'exit 3', 'failed to get'],
    ['on standard output', 'echo "pass is not initialized"; exit 1', 'failed to get: pass is not initialized'],
    ['on standard error', 'echo "ERROR: no active account" >&2; exit 1', 'failed to get: ERROR: no active account'],
    ['by a signal', 'kill -9 $$', 'failed to get'],
    ['with a secret', `echo 'cannot use ${CANARY} here'; exit 1`, 'failed to get: cannot use ***** here'],
    [
      'with an answer',
      `echo '{"Username":"u","Secret":"${CANARY}"}'; exit 1`,
      'failed to get: (its output is not shown, as it may hold a secret)',
    ],
    ['with nonsense', `echo '${CANARY}'`, 'did not answer with a JSON object'],
    ['with the same key twice', `echo '{"${CANARY}":"","${CANARY}":""}'`, 'did not answer with a JSON object'],
    ['with a list', `echo '["${CANARY}"]'`, 'did not answer with a JSON object'],
    ['with numbers', `echo '{"Username":1,"Secret":"${CANARY}"}'`, 'answered with something other than text'],
    ['with nothing', 'exit 0', 'did not answer with a JSON object'],
    ['with the terminal in mind', `printf 'a\\033]0;pwn\\007 b'; exit 1`, 'failed to get: ***** b'],
  ])('%s', async (_, script, problem) => {
    helpers.add('x', script)
    expect((await refusalOf(open().get('r'))).message).toBe(`credential helper docker-credential-x ${problem}`)
  })

  test('to store shows nothing of what it got', async () => {
    helpers.add('x', 'cat; exit 1')
    await refusalOf(open().store('r', { type: 'basic', username: 'u', password: CANARY }))
    helpers.add('x', `sed 's/.*"Secret":"\\([^"]*\\)".*/you said \\1/'; exit 1`)
    const refusal = await refusalOf(open().store('r', { type: 'basic', username: 'u', password: 'horse' }))
    expect(refusal.message).toBe('credential helper docker-credential-x failed to store: you said *****')
  })

  test('because it is not there', async () => {
    const refusal = await refusalOf(open('nope').get('r'))
    expect(refusal.message).toBe('credential helper docker-credential-nope not found')
  })

  test('because it is no program', async () => {
    helpers.add('y', 'exit 0')
    writeFileSync(join(helpers.folder, 'docker-credential-y'), '#!/nowhere/interpreter\n')
    expect((await refusalOf(open('y').get('r'))).message).toBe(
      'cannot start credential helper docker-credential-y: ENOENT',
    )
  })

  test('by taking too long, together with what it has started', async () => {
    // What it has started keeps its output open: left running, it would be waited for longer than a test may take.
    helpers.add('x', 'sleep 3600')
    expect((await refusalOf(open('x', 200).get('r'))).message).toBe(
      'credential helper docker-credential-x did not finish within 0.2 s',
    )
  })

  test('by printing without end', async () => {
    helpers.add('x', `exec tr '\\0' 'C' < /dev/zero`)
    expect((await refusalOf(open().get('r'))).message).toBe(
      'credential helper docker-credential-x printed more than 1048576 bytes',
    )
  })
})

test('output that a background process keeps open is not waited for', async () => {
  // For longer than a test may take.
  helpers.add('x', `sleep 3600 & echo $! > "$HELPER_STATE/process"; echo '{"Username":"u","Secret":"p"}'`)
  onTestFinished(() => void process.kill(Number(readFileSync(join(folder, 'process'), 'utf8'))))
  expect(await open().get('r')).toEqual({ type: 'basic', username: 'u', password: 'p' })
})

test.each(['', 'a b', 'a\nb', 'a\0', 'a\u007f'])(
  'a server named %j is refused before anything starts',
  async (serverKey) => {
    helpers.add('x', `touch "$HELPER_STATE/started"`)
    expect((await refusalOf(open().get(serverKey))).message).toContain('cannot be the name of a server')
    expect(existsSync(join(folder, 'started'))).toBe(false)
  },
)

test('a path is no name, and what lies there does not run', () => {
  expect(() => open('../../evil')).toThrow('invalid helper name "../../evil" in config.json')
})

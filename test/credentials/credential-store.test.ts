import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { createCredentialLookup } from '../../src/credentials/credential-lookup.js'
import { credentialSettingsOf, type CredentialSettings } from '../../src/credentials/credential-settings.js'
import { eraseCredential, storeCredential } from '../../src/credentials/credential-store.js'
import type { Credential } from '../../src/registry/auth/credential.js'
import { formatOwner, ownIdentity } from '../../src/util/process-identity.js'
import { temporaryFolder } from '../util/temporary-folder.js'
import { FakeHelpers } from './fake-helper.js'

const CANARY = 'CANARY-123'
const USER: Credential = { type: 'basic', username: 'u', password: CANARY }
const AUTH = Buffer.from(`u:${CANARY}`).toString('base64')

let folder: string
let path: string
let helpers: FakeHelpers
let settings: CredentialSettings

beforeEach(() => {
  folder = temporaryFolder()
  path = join(folder, '.docker', 'config.json')
  helpers = new FakeHelpers(folder)
  settings = credentialSettingsOf({ env: helpers.environment, homeFolder: folder, platform: 'linux' })
})

function write(content: string, mode = 0o600): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
  chmodSync(path, mode)
}

const read = (): string => readFileSync(path, 'utf8')
/** A login and a logout, to be started one after the other. */
const attempts = (registry: string): readonly (() => Promise<unknown>)[] => [
  () => storeCredential(settings, registry, USER),
  () => eraseCredential(settings, registry),
]
const modeOf = (file: string): string => (statSync(file).mode & 0o777).toString(8)

describe('a login to a file', () => {
  test('makes file and folder, closed to others', async () => {
    expect(await storeCredential(settings, 'r:5000', USER)).toEqual({ path, isPlainText: true })
    expect(read()).toBe(`{\n\t"auths": {\n\t\t"r:5000": {\n\t\t\t"auth": "${AUTH}"\n\t\t}\n\t}\n}\n`)
    expect([modeOf(path), modeOf(dirname(path))]).toEqual(['600', '700'])
    expect(readdirSync(dirname(path))).toEqual(['config.json'])
    expect(await createCredentialLookup(settings)({ registry: 'r:5000' })).toEqual(USER)
  })

  test('keeps everything else as it is', async () => {
    write(
      '{\n  "HttpHeaders": {"X": "1"},\n  "10": 1.50, "2": [ ],\n  "auths": {\n    "q": {}\n  },\n  "proxies": {}\n}\n',
    )
    await storeCredential(settings, 'docker.io', USER)
    expect(read()).toBe(
      `{\n  "HttpHeaders": {"X": "1"},\n  "10": 1.50, "2": [ ],\n  "auths": {\n    "q": {},\n    "https://index.docker.io/v1/": {\n      "auth": "${AUTH}"\n    }\n  },\n  "proxies": {}\n}\n`,
    )
  })

  test('tightens the mode, and says so', async () => {
    write('{}', 0o666)
    expect(await storeCredential(settings, 'r', USER)).toEqual({ path, isPlainText: true, tightenedFrom: 0o666 })
    expect(modeOf(path)).toBe('600')
    chmodSync(path, 0o640)
    expect(await storeCredential(settings, 'r', USER)).toEqual({ path, isPlainText: true, tightenedFrom: 0o640 })
    expect(modeOf(path)).toBe('600')
    expect(await storeCredential(settings, 'r', USER)).toEqual({ path, isPlainText: true })
  })

  test('writes through links, also to a file that is still to be made', async () => {
    const real = join(folder, 'dotfiles', 'docker.json')
    mkdirSync(dirname(path))
    mkdirSync(dirname(real))
    symlinkSync('../middle', path)
    symlinkSync(real, join(folder, 'middle'))
    expect(await storeCredential(settings, 'r', USER)).toEqual({ path: real, isPlainText: true })
    expect((await storeCredential(settings, 'q', USER)).path).toBe(real)
    expect(lstatSync(path).isSymbolicLink()).toBe(true)
    expect(Object.keys((JSON.parse(readFileSync(real, 'utf8')) as { auths: object }).auths)).toEqual(['r', 'q'])
    expect(readdirSync(dirname(path))).toEqual(['config.json'])
  })

  test.each([
    ['{"auths":{"r":', 'is not valid JSON (byte 14)'],
    ['\ufeff{}', 'is not valid JSON: it begins with a byte order mark (byte 0)'],
    ['[]', 'is not a JSON object'],
    ['{"auths":[]}', '"auths" in'],
  ])('touches nothing that is broken: %j', async (content, problem) => {
    write(content, 0o644)
    for (const attempt of attempts('r')) {
      await expect(attempt()).rejects.toMatchObject({ code: 'credential-store-error' })
      await expect(attempt()).rejects.toThrow(problem)
    }
    expect(read()).toBe(content)
    expect(modeOf(path)).toBe('644')
    expect(readdirSync(dirname(path))).toEqual(['config.json'])
  })

  test('does not take a folder for a file', async () => {
    const other = credentialSettingsOf({ env: {}, homeFolder: folder, registryConfig: [folder] })
    await expect(storeCredential(other, 'r', USER)).rejects.toThrow(
      `cannot read ${folder}: illegal operation on a directory`,
    )
  })

  test('leaves nothing of a process that died on its way', async () => {
    write('{}')
    const dead = formatOwner({ ...ownIdentity(), pid: 2 ** 22 + 1 })
    writeFileSync(join(dirname(path), `.gantry-${dead}.tmp`), CANARY)
    await storeCredential(settings, 'r', USER)
    expect(readdirSync(dirname(path))).toEqual(['config.json'])
  })

  test('keeps a token', async () => {
    const token: Credential = { type: 'identity-token', token: CANARY }
    await storeCredential(settings, 'r', token)
    expect(JSON.parse(read())).toEqual({ auths: { r: { auth: 'PHRva2VuPjo=', identitytoken: CANARY } } })
    expect(await createCredentialLookup(settings)({ registry: 'r' })).toEqual(token)
  })

  test('for a path serves what lies below it', async () => {
    await storeCredential(settings, 'quay.io/org/team', USER)
    const find = createCredentialLookup(settings)
    expect(await find({ registry: 'quay.io', repository: 'org/team/a' })).toEqual(USER)
    expect(await find({ registry: 'quay.io', repository: 'org/a' })).toBeUndefined()
  })

  test.each(['', 'https://r', 'r/', '/r', 'r/A', 'r/../x', 'r x', 'r\n', 'r/a//b ', 'u@r', '\u001b[2J'])(
    '%j is no registry',
    async (registry) => {
      for (const attempt of attempts(registry)) {
        await expect(attempt()).rejects.toMatchObject({ code: 'invalid-argument' })
      }
      expect(existsSync(path)).toBe(false)
    },
  )
})

describe('a logout from a file', () => {
  test('forgets every spelling of the host, and no other', async () => {
    const keys = ['r', 'https://r', 'http://r/v2/', 'https://r/x', 'r:1', 'r/a', 'sub.r']
    write(JSON.stringify({ auths: Object.fromEntries(keys.map((key) => [key, {}])), n: 1 }, undefined, 2))
    expect(await eraseCredential(settings, 'r')).toEqual({ path, erased: true })
    expect(JSON.parse(read())).toEqual({ auths: { 'r:1': {}, 'r/a': {}, 'sub.r': {} }, n: 1 })
    expect(await eraseCredential(settings, 'r')).toEqual({ path, erased: false })
    expect(await eraseCredential(settings, 'r/a')).toEqual({ path, erased: true })
  })

  test('makes nothing', async () => {
    expect(await eraseCredential(settings, 'r')).toEqual({ path, erased: false })
    expect(existsSync(dirname(path))).toBe(false)
  })

  test('undoes a login', async () => {
    const before = '{\n    "auths": {\n        "q": {}\n    },\n    "n": 1e3\n}'
    write(before)
    await storeCredential(settings, 'docker.io', USER)
    await eraseCredential(settings, 'registry-1.docker.io')
    expect(read()).toBe(before)
  })
})

describe('with a helper', () => {
  test('the file holds a marker instead of the secret', async () => {
    helpers.addWorking('x')
    write(`{"auths":{"r":{"auth":"${AUTH}"}},"credsStore":"x"}`)
    expect(await storeCredential(settings, 'r', USER)).toEqual({
      path,
      helper: 'docker-credential-x',
      isPlainText: false,
    })
    expect(read()).toBe('{"auths":{"r":{}},"credsStore":"x"}')
    expect(await createCredentialLookup(settings)({ registry: 'r' })).toEqual(USER)
    expect(await eraseCredential(settings, 'r')).toEqual({ path, helper: 'docker-credential-x', erased: true })
    expect(read()).toBe('{"auths":{},"credsStore":"x"}')
    expect(await createCredentialLookup(settings)({ registry: 'r' })).toBeUndefined()
  })

  test('of its own a host does not use the one for all', async () => {
    helpers.addWorking('own')
    helpers.addWorking('all')
    write('{"credsStore":"all","credHelpers":{"docker.io":"own","plain":""}}')
    await storeCredential(settings, 'docker.io', { type: 'identity-token', token: 't' })
    expect(helpers.callsOf('own')).toEqual([
      'store {"ServerURL":"https://index.docker.io/v1/","Username":"<token>","Secret":"t"}',
    ])
    expect(await storeCredential(settings, 'plain', USER)).toMatchObject({ isPlainText: true })
    expect(helpers.callsOf('all')).toEqual([])
  })

  test.each([
    ['credential helper docker-credential-nope not found', '{"credsStore":"nope"}'],
    ['invalid helper name "../x" in ', '{"credHelpers":{"r":"../x"}}'],
    ['credential helper docker-credential-fail failed to', '{"credsStore":"fail"}'],
  ])('%s: nothing is written', async (message, content) => {
    helpers.add('fail', 'cat; exit 1')
    write(content)
    for (const attempt of attempts('r')) {
      await expect(attempt()).rejects.toThrow(message)
      await expect(attempt()).rejects.not.toThrow(CANARY)
    }
    expect(read()).toBe(content)
  })

  test('a path cannot be logged in to', async () => {
    helpers.addWorking('x')
    write('{"credsStore":"x"}')
    await expect(storeCredential(settings, 'r/a', USER)).rejects.toMatchObject({
      code: 'unsupported',
      message: 'docker-credential-x cannot hold a credential for r/a',
    })
  })
})

describe('a first login', () => {
  test('chooses the keychain of the system', async () => {
    helpers.addWorking('secretservice')
    expect(await storeCredential(settings, 'r', USER)).toEqual({
      path,
      helper: 'docker-credential-secretservice',
      isPlainText: false,
    })
    expect(JSON.parse(read())).toEqual({ auths: { r: {} }, credsStore: 'secretservice' })
    expect(await createCredentialLookup(settings)({ registry: 'r' })).toEqual(USER)
  })

  test.each(['{"auths":{"q":{}}}', '{"credsStore":""}', '{"credHelpers":{"q":"x"}}'])(
    'is none when the file says something: %s',
    async (content) => {
      helpers.addWorking('secretservice')
      write(content)
      expect(await storeCredential(settings, 'r', USER)).toEqual({ path, isPlainText: true })
    },
  )

  test('to a file that the user names stays there', async () => {
    helpers.addWorking('secretservice')
    const registryConfig = [join(folder, 'named.json')]
    const named = credentialSettingsOf({
      env: helpers.environment,
      homeFolder: folder,
      platform: 'linux',
      registryConfig,
    })
    expect(await storeCredential(named, 'r', USER)).toEqual({ path: registryConfig[0], isPlainText: true })
  })

  test('never falls back to plain text', async () => {
    helpers.add('secretservice', 'echo "Cannot autolaunch D-Bus without $DISPLAY"; exit 1')
    await expect(storeCredential(settings, 'r', USER)).rejects.toMatchObject({
      code: 'credential-store-error',
      message: expect.stringContaining('failed to store: Cannot autolaunch D-Bus') as string,
      hint: expect.stringContaining('"credsStore": ""') as string,
    })
    expect(existsSync(path)).toBe(false)
  })
})

test('twenty logins at a time lose nothing', async () => {
  write('{"n":1}')
  const hosts = Array.from({ length: 20 }, (_, index) => `r${index}`)
  await Promise.all(hosts.map((host) => storeCredential(settings, host, USER)))
  expect(Object.keys((JSON.parse(read()) as { auths: object }).auths).sort()).toEqual([...hosts].sort())
  await Promise.all(hosts.map((host) => eraseCredential(settings, host)))
  expect(JSON.parse(read())).toEqual({ n: 1, auths: {} })
  expect(readdirSync(dirname(path))).toEqual(['config.json'])
})

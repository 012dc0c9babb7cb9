import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { createCredentialLookup, lookupFilesOf } from '../../src/credentials/credential-lookup.js'
import { credentialSettingsOf, type CredentialContext } from '../../src/credentials/credential-settings.js'
import { readHttpHeaders } from '../../src/credentials/http-headers.js'
import type { CredentialLookup } from '../../src/registry/auth/credential.js'
import { temporaryFolder } from '../util/temporary-folder.js'
import { FakeHelpers } from './fake-helper.js'

let folder: string
let helpers: FakeHelpers

beforeEach(() => {
  folder = temporaryFolder()
  helpers = new FakeHelpers(folder)
})

const DOCKER = '.docker/config.json'
const PODMAN = '.config/containers/auth.json'

function write(path: string, content: unknown): string {
  const full = join(folder, path)
  mkdirSync(dirname(full), { recursive: true })
  writeFileSync(full, typeof content === 'string' ? content : JSON.stringify(content))
  return full
}

/** A file that knows one user on each of the servers. */
function auths(user: string, ...servers: readonly string[]): unknown {
  return {
    auths: Object.fromEntries(servers.map((server) => [server, { auth: Buffer.from(`${user}:p`).toString('base64') }])),
  }
}

function context(env: Record<string, string> = {}, more: Partial<CredentialContext> = {}): CredentialContext {
  return { env: { ...helpers.environment, ...env }, homeFolder: folder, platform: 'linux', ...more }
}

function lookup(env: Record<string, string> = {}, more: Partial<CredentialContext> = {}): CredentialLookup {
  return createCredentialLookup(credentialSettingsOf(context(env, more)))
}

async function userOf(find: CredentialLookup, registry: string, repository?: string): Promise<string | undefined> {
  const credential = await find({ registry, ...(repository === undefined ? {} : { repository }) })
  return credential?.type === 'basic' ? credential.username : credential?.type
}

describe('the order of places', () => {
  test('nothing anywhere is anonymous', async () => {
    expect(await userOf(lookup(), 'r', 'a')).toBeUndefined()
  })

  test('each place stands back behind the one before', async () => {
    const paths = {
      runtime: write('run/containers/auth.json', auths('runtime', 'r')),
      config: write('xdg/containers/auth.json', auths('config', 'r')),
      home: write(PODMAN, auths('home', 'r')),
      docker: write(DOCKER, auths('docker', 'r')),
      authFile: write('auth.json', auths('authFile', 'r')),
      first: write('first.json', auths('first', 'q')),
      second: write('second.json', auths('second', 'r')),
    }
    const ci = { CI_REGISTRY: 'r', CI_JOB_TOKEN: 'j' }
    const xdg = { ...ci, XDG_RUNTIME_DIR: join(folder, 'run'), XDG_CONFIG_HOME: join(folder, 'xdg') }
    const variable = { ...xdg, DOCKER_AUTH_CONFIG: JSON.stringify(auths('variable', 'r')) }
    const authFile = { ...variable, REGISTRY_AUTH_FILE: paths.authFile }
    const credential = { type: 'basic', username: 'explicit', password: 'p' } as const
    const registryConfig = [paths.first, paths.second]
    expect(await userOf(lookup(authFile, { registryConfig, credential }), 'r')).toBe('explicit')
    expect(await userOf(lookup(authFile, { registryConfig }), 'r')).toBe('second')
    expect(await userOf(lookup(authFile), 'r')).toBe('authFile')
    expect(await userOf(lookup(variable), 'r')).toBe('variable')
    expect(await userOf(lookup(xdg), 'r')).toBe('docker')
    write(DOCKER, auths('docker', 'q'))
    expect(await userOf(lookup(xdg), 'r')).toBe('runtime')
    write('run/containers/auth.json', '{}')
    expect(await userOf(lookup(xdg), 'r')).toBe('config')
    write('xdg/containers/auth.json', '{}')
    expect(await userOf(lookup(xdg), 'r')).toBe('home')
    write(PODMAN, '{}')
    expect(await userOf(lookup(xdg), 'r')).toBe('gitlab-ci-token')
    expect(await userOf(lookup(xdg), 'r:443')).toBeUndefined()
    expect(await userOf(lookup({ GITHUB_TOKEN: 't' }), 'ghcr.io')).toBe('token')
    expect(await userOf(lookup({ GITHUB_TOKEN: 't' }), 'evil.ghcr.io')).toBeUndefined()
  })

  test('a file that is named means that file alone', async () => {
    write(DOCKER, auths('docker', 'ghcr.io'))
    const other = write('other.json', auths('other', 'r'))
    for (const env of [{ REGISTRY_AUTH_FILE: other }, { REGISTRY_AUTH_FILE: join(folder, 'missing.json') }]) {
      expect(await userOf(lookup({ ...env, GITHUB_TOKEN: 't' }), 'ghcr.io')).toBeUndefined()
    }
    expect(await userOf(lookup({ GITHUB_TOKEN: 't' }, { registryConfig: [other] }), 'ghcr.io')).toBeUndefined()
    expect(lookupFilesOf(credentialSettingsOf(context({ REGISTRY_AUTH_FILE: other })))).toEqual([other])
  })

  test('a later file is not read when an earlier one knows', async () => {
    write(DOCKER, auths('docker', 'r'))
    write(PODMAN, 'broken')
    expect(await userOf(lookup(), 'r')).toBe('docker')
    await expect(lookup()({ registry: 'q' })).rejects.toMatchObject({
      code: 'credential-store-error',
      message: `${join(folder, PODMAN)} is not valid JSON (byte 0)`,
    })
  })

  test('a broken variable is an error that names it', async () => {
    await expect(lookup({ DOCKER_AUTH_CONFIG: '{"auths":' })({ registry: 'r' })).rejects.toMatchObject({
      code: 'credential-store-error',
      message: 'DOCKER_AUTH_CONFIG is not valid JSON (byte 9)',
    })
  })
})

describe('the entry within a file', () => {
  test.each([
    ['r:5000', 'r:5000', true],
    ['https://r:5000', 'r:5000', true],
    ['http://r:5000/v2/', 'r:5000', true],
    ['https://r:5000/v1/', 'r:5000', true],
    ['https://r:5000/anything', 'r:5000', true],
    ['r:5001', 'r:5000', false],
    ['r', 'r:5000', false],
    ['r', 'sub.r', false],
    ['sub.r', 'r', false],
    ['https://index.docker.io/v1/', 'docker.io', true],
    ['https://index.docker.io/v1/', 'registry-1.docker.io', true],
    ['docker.io', 'index.docker.io', true],
    ['https://index.docker.io/v1/', 'ghcr.io', false],
  ])('%s serves %s: %s', async (key, registry, expected) => {
    write(DOCKER, auths('u', key))
    expect(await userOf(lookup(), registry, 'a')).toBe(expected ? 'u' : undefined)
  })

  test('is the longest path that the repository lies under', async () => {
    const keys = ['r:5000/a/b/c', 'r:5000/a/b', 'r:5000/a', 'r:5000']
    const entries = keys.map((key) => [key, { username: key, password: 'p' }])
    write(PODMAN, { auths: Object.fromEntries(entries) })
    const find = lookup()
    expect(await userOf(find, 'r:5000', 'a/b/c')).toBe('r:5000/a/b/c')
    expect(await userOf(find, 'r:5000', 'a/b/c/d')).toBe('r:5000/a/b/c')
    expect(await userOf(find, 'r:5000', 'a/b/cc')).toBe('r:5000/a/b')
    expect(await userOf(find, 'r:5000', 'a')).toBe('r:5000/a')
    expect(await userOf(find, 'r:5000', 'ab')).toBe('r:5000')
    expect(await userOf(find, 'r:5000')).toBe('r:5000')
  })

  test('for a path comes before the helper of the host, and the helper before the entry of the host', async () => {
    helpers.add('x', `echo '{"Username":"helper","Secret":"p"}'`)
    write(DOCKER, { ...(auths('plain', 'r', 'r/a') as object), credsStore: 'x' })
    expect(await userOf(lookup(), 'r', 'a/b')).toBe('plain')
    expect(await userOf(lookup(), 'r', 'b')).toBe('helper')
  })

  test('that is empty says nothing', async () => {
    write(DOCKER, { auths: { r: {} } })
    write(PODMAN, auths('podman', 'r'))
    expect(await userOf(lookup(), 'r')).toBe('podman')
  })

  test('that is broken is an error, and does not disturb others', async () => {
    write(DOCKER, { auths: { r: { auth: '!' }, q: { auth: 'dTpw' } } })
    expect(await userOf(lookup(), 'q')).toBe('u')
    await expect(lookup()({ registry: 'r' })).rejects.toMatchObject({
      code: 'credential-store-error',
      message: `entry "r" in ${join(folder, DOCKER)}: "auth" is not base64`,
    })
  })
})

describe('helpers', () => {
  const answer = (user: string): string => `echo '{"Username":"${user}","Secret":"p"}'`

  test('of a host come before the one for all', async () => {
    helpers.add('own', answer('own'))
    helpers.add('all', answer('all'))
    write(DOCKER, {
      credsStore: 'all',
      credHelpers: { 'r:5000': 'own', 'https://q': 'own', off: '' },
      ...(auths('plain', 'off') as object),
    })
    const find = lookup()
    expect(await userOf(find, 'r:5000')).toBe('own')
    expect(await userOf(find, 'q')).toBe('own')
    expect(await userOf(find, 'r')).toBe('all')
    expect(await userOf(find, 'off')).toBe('plain')
  })

  test('that hold nothing leave the word to the file', async () => {
    helpers.addWorking('x')
    write(DOCKER, { ...(auths('plain', 'r') as object), credsStore: 'x' })
    expect(await userOf(lookup(), 'r')).toBe('plain')
    expect(await userOf(lookup(), 'q')).toBeUndefined()
  })

  test('are asked once for each server, whatever the repository', async () => {
    helpers.addWorking('x')
    write(DOCKER, { credsStore: 'x' })
    const find = lookup()
    await Promise.all(['a', 'b', 'c', 'a'].map((repository) => userOf(find, 'r', repository)))
    expect(await userOf(find, 'r', 'd')).toBeUndefined()
    await userOf(find, 'docker.io', 'library/a')
    expect(helpers.callsOf('x')).toEqual(['get r', 'get https://index.docker.io/v1/', 'get docker.io'])
  })

  test.each([
    ['a missing one', { credsStore: 'nope' }, 'credential helper docker-credential-nope not found'],
    ['a path', { credHelpers: { r: '../../evil' } }, 'invalid helper name "../../evil" in '],
    ['a failing one', { credsStore: 'fail' }, 'credential helper docker-credential-fail failed to get: locked'],
  ])('%s is an error, never anonymous and never the file', async (_, config, message) => {
    helpers.add('fail', 'echo locked; exit 1')
    write(DOCKER, { ...(auths('plain', 'r') as object), ...config })
    const failing = lookup({ GITHUB_TOKEN: 't' })({ registry: 'r', repository: 'a' })
    await expect(failing).rejects.toMatchObject({ code: 'credential-store-error' })
    await expect(failing).rejects.toThrow(message)
  })
})

describe('HttpHeaders', () => {
  test('come from the files that are read', async () => {
    write(DOCKER, { HttpHeaders: { 'X-Meta': 'a b', __proto__: undefined } })
    write(PODMAN, '{"HttpHeaders":{"X-Meta":"later","__proto__":"data"}}')
    const headers = await readHttpHeaders(credentialSettingsOf(context()))
    expect(Object.entries(headers)).toEqual([
      ['X-Meta', 'a b'],
      ['__proto__', 'data'],
    ])
  })

  test.each([{ 'X Y': 'v' }, { X: 'a\r\nEvil: CANARY-123' }, { '': 'v' }])(
    '%j is refused without its value',
    async (headers) => {
      const path = write(DOCKER, { HttpHeaders: headers })
      await expect(readHttpHeaders(credentialSettingsOf(context()))).rejects.toMatchObject({
        code: 'credential-store-error',
        message: `header "${Object.keys(headers)[0] ?? ''}" in ${path} cannot be sent`,
      })
    },
  )
})

describe('where a credential comes from', () => {
  const originsOf = async (find: CredentialLookup, registry: string, repository?: string) => {
    const { origins, isGuess } = (await find.explain?.({ registry, repository })) ?? {}
    return { origins, isGuess }
  }

  test('is the entry of a file, by the key that it has there', async () => {
    const path = write(DOCKER, auths('u', 'https://r.example/v1/', 'r.example/team'))
    expect(await originsOf(lookup(), 'r.example')).toEqual({
      origins: [`the entry "https://r.example/v1/" in ${path}`],
      isGuess: false,
    })
    expect((await originsOf(lookup(), 'r.example', 'team/a')).origins).toEqual([
      `the entry "r.example/team" in ${path}`,
    ])
  })

  test('is a helper, and the file that names it', async () => {
    const missing = 'echo "credentials not found in native keychain"; exit 1'
    helpers.add('h', `read key; [ "$key" = r ] || { ${missing}; }; echo '{"Username":"u","Secret":"s"}'`)
    const path = write(DOCKER, { credsStore: 'h' })
    expect((await originsOf(lookup(), 'r')).origins).toEqual([
      `the credential helper docker-credential-h, which ${path} names`,
    ])
    expect((await originsOf(lookup(), 'other')).origins?.slice(0, 2)).toEqual([
      'the credential helper docker-credential-h',
      path,
    ])
  })

  test('is a variable, whose value may be meant for something else', async () => {
    expect(await originsOf(lookup({ GITHUB_TOKEN: 't' }), 'ghcr.io')).toEqual({
      origins: ['the variable GITHUB_TOKEN'],
      isGuess: true,
    })
    const text = JSON.stringify(auths('u', 'r'))
    expect(await originsOf(lookup({ DOCKER_AUTH_CONFIG: text }), 'r')).toEqual({
      origins: ['the entry "r" in DOCKER_AUTH_CONFIG'],
      isGuess: false,
    })
  })

  test('is nowhere: every place that was looked at is named', async () => {
    const path = write(PODMAN, { auths: {} })
    expect(await originsOf(lookup(), 'ghcr.io')).toEqual({
      origins: [
        `${join(folder, DOCKER)} (does not exist)`,
        path,
        'REGISTRY_AUTH_FILE (not set)',
        'DOCKER_AUTH_CONFIG (not set)',
        'GITHUB_TOKEN (not set)',
      ],
      isGuess: false,
    })
    const named = join(folder, 'none.json')
    expect((await originsOf(lookup({}, { registryConfig: [named] }), 'r')).origins).toEqual([
      `${named} (does not exist)`,
    ])
  })
})

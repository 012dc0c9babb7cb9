import { describe, expect, test } from 'vitest'
import { credentialSettingsOf, loginFileOf } from '../../src/credentials/credential-settings.js'

describe('settings', () => {
  test('without any variable', () => {
    expect(credentialSettingsOf({ env: {}, homeFolder: '/home/u', platform: 'linux', userId: 1000 })).toEqual({
      registryConfigs: [],
      dockerConfig: '/home/u/.docker/config.json',
      containersAuthFiles: ['/run/containers/1000/auth.json', '/home/u/.config/containers/auth.json'],
      environmentCredentials: [],
      environment: {},
      platform: 'linux',
    })
  })

  test('with every variable', () => {
    const env = {
      ...{ REGISTRY_AUTH_FILE: '/a.json', DOCKER_AUTH_CONFIG: '{}', DOCKER_CONFIG: '/docker' },
      ...{ XDG_RUNTIME_DIR: '/run/user/1', XDG_CONFIG_HOME: '/config' },
    }
    const credential = { type: 'registry-token', token: 't' } as const
    const registryConfig = ['/b.json']
    expect(credentialSettingsOf({ env, homeFolder: '/home/u', platform: 'linux', credential, registryConfig })).toEqual(
      {
        credential,
        registryConfigs: ['/b.json'],
        registryAuthFile: '/a.json',
        dockerAuthConfig: '{}',
        dockerConfig: '/docker/config.json',
        containersAuthFiles: [
          '/run/user/1/containers/auth.json',
          '/config/containers/auth.json',
          '/home/u/.config/containers/auth.json',
        ],
        environmentCredentials: [],
        environment: env,
        platform: 'linux',
      },
    )
  })

  test('take a variable that is set to nothing as not set', () => {
    const env = {
      REGISTRY_AUTH_FILE: '',
      DOCKER_AUTH_CONFIG: '',
      DOCKER_CONFIG: '',
      XDG_RUNTIME_DIR: '',
      XDG_CONFIG_HOME: '',
    }
    const { environment: _, ...settings } = credentialSettingsOf({ env, homeFolder: '/h', platform: 'linux' })
    const { environment: _none, ...expected } = credentialSettingsOf({ env: {}, homeFolder: '/h', platform: 'linux' })
    expect(settings).toEqual(expected)
  })

  test.each([
    ['darwin', '/Users/u', '/Users/u/.docker/config.json', ['/Users/u/.config/containers/auth.json']],
    ['win32', 'C:\\Users\\u', 'C:\\Users\\u\\.docker\\config.json', ['C:\\Users\\u\\.config\\containers\\auth.json']],
  ] as const)('on %s', (platform, homeFolder, dockerConfig, containersAuthFiles) => {
    const env = { XDG_RUNTIME_DIR: '/run/user/1', XDG_CONFIG_HOME: '/config' }
    expect(credentialSettingsOf({ env, homeFolder, platform, userId: 1 })).toMatchObject({
      dockerConfig,
      containersAuthFiles,
    })
  })
})

test.each([
  [{}, [], '/h/.docker/config.json'],
  [{ REGISTRY_AUTH_FILE: '/a.json' }, [], '/a.json'],
  [{ REGISTRY_AUTH_FILE: '/a.json' }, ['/b.json', '/c.json'], '/b.json'],
])('a login with %j and %j goes to one file', (env, registryConfig, path) => {
  expect(loginFileOf(credentialSettingsOf({ env, homeFolder: '/h', platform: 'linux', registryConfig }))).toBe(path)
})

describe('what CI systems hand over', () => {
  const of = (env: Record<string, string>): unknown =>
    credentialSettingsOf({ env, homeFolder: '/h' }).environmentCredentials
  const basic = (username: string, password: string): unknown => ({ type: 'basic', username, password })

  test.each([
    [
      { GITHUB_TOKEN: 't', GITHUB_ACTOR: 'a' },
      [{ registry: 'ghcr.io', credential: basic('a', 't'), variable: 'GITHUB_TOKEN' }],
    ],
    [{ GITHUB_TOKEN: 't' }, [{ registry: 'ghcr.io', credential: basic('token', 't'), variable: 'GITHUB_TOKEN' }]],
    [{ GITHUB_TOKEN: '', GITHUB_ACTOR: 'a' }, []],
    [
      { CI_REGISTRY: 'r:5050', CI_REGISTRY_USER: 'u', CI_REGISTRY_PASSWORD: 'p', CI_JOB_TOKEN: 'j' },
      [{ registry: 'r:5050', credential: basic('u', 'p'), variable: 'CI_REGISTRY_PASSWORD' }],
    ],
    [
      { CI_REGISTRY: 'r', CI_REGISTRY_USER: 'u', CI_JOB_TOKEN: 'j' },
      [{ registry: 'r', credential: basic('gitlab-ci-token', 'j'), variable: 'CI_JOB_TOKEN' }],
    ],
    [{ CI_REGISTRY: 'r' }, []],
    [{ CI_JOB_TOKEN: 'j' }, []],
    [{ CI_REGISTRY: 'https://r/', CI_JOB_TOKEN: 'j' }, []],
  ])('%j', (env, expected) => {
    expect(of(env)).toEqual(expected)
  })
})

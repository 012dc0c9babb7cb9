import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  readRegistrySettings,
  registrySettingsFileOf,
  setRegistrySettings,
  settingsOfRegistry,
  unsetRegistrySettings,
  type RegistrySettings,
} from '../../src/credentials/registry-settings.js'
import { temporaryFolder } from '../util/temporary-folder.js'

const ALL: RegistrySettings = {
  authHosts: ['auth.example.com', '[::1]:5001'],
  plainHttp: false,
  caFile: '/etc/ssl/own.pem',
  chunkSize: 5_000_000,
  concurrency: 4,
  mirrors: ['mirror.example.com'],
}

let path: string
beforeEach(() => {
  path = join(temporaryFolder(), 'gantry', 'registries.json')
})

function write(text: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text, { mode: 0o600 })
}

const read = async (registry: string) => settingsOfRegistry(await readRegistrySettings(path), registry)

test.each([
  [{ XDG_CONFIG_HOME: '/x' }, '/h', '/x/gantry/registries.json'],
  [{ XDG_CONFIG_HOME: '' }, '/h', '/h/.config/gantry/registries.json'],
  [{ XDG_CONFIG_HOME: 'relative' }, '/h', '/h/.config/gantry/registries.json'],
  [{}, undefined, undefined],
])('with %j and the home folder %s the file is %s', (environment, homeFolder, file) => {
  expect(registrySettingsFileOf({ environment, homeFolder })).toBe(file)
})

describe('settings', () => {
  test('are kept, changed one by one, and taken away', async () => {
    expect(await setRegistrySettings(path, 'r:5000', ALL)).toEqual(ALL)
    expect(await setRegistrySettings(path, 'r:5000', { concurrency: 2, plainHttp: undefined })).toEqual({
      ...ALL,
      concurrency: 2,
    })
    await setRegistrySettings(path, 'other', { plainHttp: true })
    expect(await read('r:5000')).toEqual({ ...ALL, concurrency: 2 })
    expect(await read('r')).toEqual({})
    expect(await unsetRegistrySettings(path, 'r:5000', ['concurrency', 'mirrors'])).toBe(true)
    expect(Object.keys(await read('r:5000'))).toEqual(['authHosts', 'plainHttp', 'caFile', 'chunkSize'])
    expect(await unsetRegistrySettings(path, 'r:5000')).toBe(true)
    expect(await unsetRegistrySettings(path, 'r:5000')).toBe(false)
    expect([...(await readRegistrySettings(path)).keys()]).toEqual(['other'])
    expect(await unsetRegistrySettings(path, 'other', ['plainHttp'])).toBe(true)
    expect((await readRegistrySettings(path)).size).toBe(0)
    expect(readdirSync(dirname(path))).toEqual(['registries.json'])
  })

  test('are the same for every name of Docker Hub', async () => {
    await setRegistrySettings(path, 'index.docker.io', { concurrency: 3 })
    expect(await read('registry-1.docker.io')).toEqual({ concurrency: 3 })
    expect(Object.keys((JSON.parse(readFileSync(path, 'utf8')) as { registries: object }).registries)).toEqual([
      'docker.io',
    ])
  })

  test('leave nothing behind where nothing is taken away', async () => {
    expect(await unsetRegistrySettings(path, 'r')).toBe(false)
    expect(existsSync(dirname(path))).toBe(false)
  })

  test('set at the same time are all kept', async () => {
    const hosts = Array.from({ length: 12 }, (_, index) => `r${index}`)
    await Promise.all(hosts.map((host) => setRegistrySettings(path, host, { concurrency: 1 })))
    expect([...(await readRegistrySettings(path)).keys()].sort()).toEqual(hosts.sort())
  })

  test.each<[string, RegistrySettings, string]>([
    ['https://r', { plainHttp: true }, '"https://r" is not the name of a registry'],
    ['r', { authHosts: [] }, 'authHosts for r has to be a list of hosts'],
    ['r', { authHosts: ['https://a/'] }, 'authHosts for r has "https://a/", which is no host[:port]'],
    ['r', { mirrors: ['a:99999'] }, 'mirrors for r has "a:99999", which is no host[:port]'],
    ['r', { caFile: 'ca.pem' }, 'caFile for r has to be an absolute path'],
    ['r', { chunkSize: 0 }, 'chunkSize for r has to be a whole number of bytes above 0'],
    ['r', { concurrency: 1.5 }, 'concurrency for r has to be a whole number above 0'],
  ])('for %s that are none are refused: %j', async (registry, change, message) => {
    await expect(setRegistrySettings(path, registry, change)).rejects.toMatchObject({
      code: 'invalid-argument',
      message,
    })
    expect(existsSync(path)).toBe(false)
  })

  test('have no place without a home folder, and are empty then', async () => {
    expect((await readRegistrySettings(undefined)).size).toBe(0)
    await expect(setRegistrySettings(undefined, 'r', { plainHttp: true })).rejects.toMatchObject({ code: 'file-error' })
  })
})

describe('a file with settings', () => {
  test('may hold what is unknown: it is left out, told of, and kept when something is set', async () => {
    write('{"r":{},"registries":{"r":{"plainHtpp":true,"plainHttp":true}}}')
    const problems: string[] = []
    const settings = await readRegistrySettings(path, { onUnknownSetting: (problem) => problems.push(problem) })
    expect(settings).toEqual(new Map([['r', { plainHttp: true }]]))
    expect(problems).toEqual([
      `${path}: "r" is unknown and left out; settings stand below "registries"`,
      expect.stringContaining(`${path}: "plainHtpp" of "r" is unknown and left out; the settings are authHosts, `),
    ])
    await setRegistrySettings(path, 'r', { concurrency: 2 })
    expect(readFileSync(path, 'utf8')).toBe(
      '{"r":{},"registries":{"r":{"plainHtpp":true,"plainHttp":true,"concurrency":2}}}',
    )
  })

  test.each([
    ['{"registries":{"r":{"plainHttp":"yes"}}}', /"plainHttp" of "r" has to be true or false$/],
    ['{"registries":{"r/a":{}}}', /"r\/a" is not the name of a registry$/],
    ['{"registries":{"r":true}}', /"r" is not an object$/],
    ['{"registries":[]}', /"registries" is not an object$/],
    ['{"registries":', /is not valid JSON \(byte 14\)$/],
  ])('that is broken is an error, and stays as it is: %s', async (text, message) => {
    write(text)
    const expected = { message: expect.stringMatching(message) }
    await expect(readRegistrySettings(path)).rejects.toMatchObject(expected)
    await expect(setRegistrySettings(path, 'q', { plainHttp: true })).rejects.toMatchObject(expected)
    expect(readFileSync(path, 'utf8')).toBe(text)
  })

  test.each(['', '\n', '{}', '{"registries":{}}'])('that is empty has none: %j', async (text) => {
    write(text)
    expect((await readRegistrySettings(path)).size).toBe(0)
    expect(await setRegistrySettings(path, 'r', { plainHttp: true })).toEqual({ plainHttp: true })
  })
})

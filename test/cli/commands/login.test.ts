import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createFixture, type Fixture } from '../fixture.js'
import { runCli, type CliOptions } from '../run-cli.js'

const SECRET = 'CANARY-s3cret'

describe.each(['basic', 'bearer'] as const)('a registry with %s authentication', (type) => {
  let fixture: Fixture
  let configFile: string
  let options: CliOptions

  beforeAll(async () => {
    fixture = await createFixture({ authentication: { type, users: { hello: SECRET } } })
    const config = join(fixture.folder, 'docker')
    configFile = join(config, 'config.json')
    options = { environment: { DOCKER_CONFIG: config }, homeFolder: fixture.folder }
  })
  afterAll(() => fixture.close())

  const login = (words: readonly string[], stdin?: string) =>
    runCli(['login', fixture.registry, ...words], { ...options, ...(stdin === undefined ? {} : { stdin }) })

  test('a wrong password is not stored', async () => {
    const { code, stdout, stderr } = await login(['-u', 'hello', '--password-stdin'], 'wrong\n')
    expect(stderr).toMatch(/^Error response from registry: (unauthorized: |token service \S+ refused the credentials)/)
    expect(stdout).toBe('')
    expect(code).toBe(5)
    await expect(readFile(configFile)).rejects.toThrow('ENOENT')
  })

  test('nothing works before, everything after a login, nothing after a logout', async () => {
    const name = `${fixture.registry}/hello:v1`
    const before = await runCli(['push', name, '--artifact-type', 'a/b'], options)
    expect(before.code).toBe(5)
    const { code, stdout, stderr } = await login(['-u', 'hello', '--password-stdin'], `${SECRET}\r\n`)
    expect(stdout).toBe('Login Succeeded\n')
    expect(stderr).toBe(`WARNING! The credentials are stored unencrypted in ${configFile}.\n`)
    expect(code).toBe(0)
    expect((await stat(configFile)).mode & 0o777).toBe(0o600)
    expect((await runCli(['push', name, '--artifact-type', 'a/b'], options)).code).toBe(0)
    expect((await runCli(['copy', '-r', name, `${fixture.registry}/other:v1`], options)).code).toBe(0)
    expect((await runCli(['repo', 'tags', `${fixture.registry}/other`], options)).stdout).toBe('v1\n')
    expect((await runCli(['manifest', 'delete', '-f', `${fixture.registry}/other:v1`], options)).code).toBe(0)
    expect(await runCli(['logout', fixture.registry], options)).toEqual({ code: 0, stdout: '', stderr: '' })
    expect((await runCli(['resolve', name], options)).code).toBe(5)
    expect((await runCli(['logout', fixture.registry], options)).code).toBe(0)
  })

  test('user and password are asked for', async () => {
    const { code, stdout } = await login([], `hello\n${SECRET}\n`)
    expect(stdout).toBe('Username: Password: Login Succeeded\n')
    expect(code).toBe(0)
    expect((await login(['-u', 'hello'], `${SECRET}\n`)).stdout).toBe('Password: Login Succeeded\n')
    expect((await login(['-u', 'hello'], '')).stderr).toBe('Error: password required\n')
    expect((await login([], '\n\n')).stderr).toBe('Error: token required\n')
    await runCli(['logout', fixture.registry], options)
  })

  test('flags stand before what is stored, and a password in a flag is warned of', async () => {
    const words = ['repo', 'ls', fixture.registry, '-u', 'hello', '-p', SECRET]
    const { code, stderr } = await runCli(words, options)
    expect(stderr).toBe('WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n')
    expect(code).toBe(0)
  })

  test('a secret is in no output, also with --debug', async () => {
    const outputs = [
      await login(['-u', 'hello', '--password-stdin', '--debug'], SECRET),
      await runCli(['repo', 'ls', fixture.registry, '--debug', '-H', `X-Secret: ${SECRET}`], options),
      await runCli(['push', `${fixture.registry}/debug:v1`, '--artifact-type', 'a/b', '--debug'], options),
      await runCli(['resolve', `${fixture.registry}/nosuch:v1`, '--debug'], options),
    ]
    for (const { stdout, stderr } of outputs) {
      expect(stderr).toContain('--> Request #')
      expect(stdout + stderr).not.toContain(SECRET)
      expect(stdout + stderr).not.toContain(Buffer.from(`hello:${SECRET}`).toString('base64'))
    }
  })

  test('a helper that is missing is an error, and no reason to go on without it', async () => {
    const folder = join(fixture.folder, 'helper')
    await mkdir(folder)
    await writeFile(join(folder, 'config.json'), '{"credsStore":"nope"}')
    const environment = { DOCKER_CONFIG: folder }
    const { code, stderr } = await runCli(['repo', 'ls', fixture.registry], { ...options, environment })
    expect(stderr).toMatch(/^Error: credential helper docker-credential-nope not found/)
    expect(code).toBe(1)
  })

  test('a helper is asked, and an identity of its own is used', async () => {
    const folder = join(fixture.folder, 'with-helper')
    await mkdir(folder)
    await writeFile(join(folder, 'config.json'), `{"credHelpers":{"${fixture.registry}":"fake"}}`)
    const helper = join(folder, 'docker-credential-fake')
    await writeFile(helper, `#!/bin/sh\nprintf '{"ServerURL":"x","Username":"hello","Secret":"${SECRET}"}'\n`)
    await chmod(helper, 0o700)
    const environment = { DOCKER_CONFIG: folder, PATH: `${folder}:${process.env.PATH ?? ''}` }
    expect((await runCli(['repo', 'ls', fixture.registry], { ...options, environment })).code).toBe(0)
  })
})

test('what is no registry cannot be logged in to', async () => {
  for (const registry of ['https://example.com', 'example.com/a?b', 'user:pw@example.com']) {
    const { code, stderr } = await runCli(['login', registry, '-u', 'u', '--password-stdin'], { stdin: 'p' })
    expect(stderr).toContain('invalid registry')
    expect(code).toBe(2)
  }
})

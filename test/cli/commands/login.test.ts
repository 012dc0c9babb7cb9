import { chmod, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
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

  test.each([
    [['-u', 'hello', '-p', SECRET], undefined],
    [['-u', 'hello', '--password-stdin'], SECRET],
    [['-u', 'hello'], `${SECRET}\n`],
    [[], `hello\n${SECRET}\n`],
  ])('the file that is named holds the login of %j, and is read again', async (words, stdin) => {
    const file = join(fixture.folder, 'named.json')
    onTestFinished(() => rm(file, { force: true }))
    await rm(configFile, { force: true })
    const other = join(fixture.folder, 'other.json')
    const files = ['--registry-config', file, '--registry-config', other]
    expect((await login([...words, ...files], stdin)).code).toBe(0)
    expect(JSON.parse(await readFile(file, 'utf8')).auths).toHaveProperty([fixture.registry])
    await expect(readFile(configFile)).rejects.toThrow('ENOENT')
    await expect(readFile(other)).rejects.toThrow('ENOENT')
    const tags = ['push', `${fixture.registry}/named:v1`, '--artifact-type', 'a/b', '--registry-config', file]
    expect((await runCli(tags, options)).code).toBe(0)
    await runCli(['logout', fixture.registry, '--registry-config', file], options)
    expect((await runCli(tags, options)).code).toBe(5)
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

  test('a password that goes to another machine in clear is warned of', async () => {
    const server = createServer((_request, response) => response.end('{}')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    const name = `registry.example.com:${port}`
    const flags = ['--plain-http', '--resolve', `${name}:127.0.0.1`, '-u', 'hello', '--password-stdin']
    const { code, stderr } = await runCli(['login', name, ...flags], { ...options, stdin: SECRET })
    expect(stderr).toContain(
      `WARNING! The credentials go to ${name} without TLS: everybody on the way can read them.\n`,
    )
    expect(code).toBe(0)
    expect((await login(['--plain-http', '-u', 'hello', '--password-stdin'], SECRET)).stderr).not.toContain(
      'without TLS',
    )
    await runCli(['logout', name], options)
  })

  test('a user name with a colon is refused before anything is sent', async () => {
    for (const [flags, stdin] of [
      [['-u', 'us:er', '--password-stdin'], SECRET],
      [[], `us:er\n${SECRET}\n`],
    ] as const) {
      const { code, stderr } = await login([...flags, '--debug'], stdin)
      expect(stderr).toContain('Error: the user name must not contain a colon\n')
      expect(stderr).not.toContain('Request #')
      expect(code).toBe(2)
    }
  })

  test('a token service that is named is remembered for the registry, and settings count', async () => {
    const words = ['-u', 'hello', '--password-stdin', '--auth-host']
    await login([...words, 'auth.example.com'], SECRET)
    expect((await login([...words, 'other.example.com:5001'], SECRET)).code).toBe(0)
    const file = join(fixture.folder, '.config/gantry/registries.json')
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({
      registries: { [fixture.registry]: { authHosts: ['auth.example.com', 'other.example.com:5001'] } },
    })
    await writeFile(file, `{"registries":{"${fixture.registry}":{"plainHttp":false}}}`)
    const failed = await runCli(['repo', 'ls', fixture.registry, '--retries', '1'], options)
    expect(failed.stderr).toContain('gave an HTTP response to an HTTPS client')
    expect(failed.code).toBe(1)
    expect((await runCli(['repo', 'ls', fixture.registry, '--plain-http'], options)).code).toBe(0)
    await rm(file)
    await runCli(['logout', fixture.registry], options)
  })

  test('a scheme and the path of an API are taken off the registry', async () => {
    for (const given of [`https://${fixture.registry}`, `http://${fixture.registry}/`, `${fixture.registry}/v2/`]) {
      const flags = ['-u', 'hello', '--password-stdin']
      const { code, stderr } = await runCli(['login', given, ...flags], { ...options, stdin: SECRET })
      expect(stderr).toContain(`Note: using "${fixture.registry}" for "${given}"; `)
      expect(code).toBe(0)
      const out = await runCli(['logout', given], options)
      expect(out.stderr).toContain(`Note: using "${fixture.registry}"`)
      expect((await readFile(configFile, 'utf8')).includes(fixture.registry)).toBe(false)
    }
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
  for (const registry of ['https://user:pw@example.com', 'example.com/a?b', 'user:pw@example.com']) {
    const { code, stderr } = await runCli(['login', registry, '-u', 'u', '--password-stdin'], { stdin: 'p' })
    expect(stderr).toContain('invalid registry')
    expect(code).toBe(2)
  }
})

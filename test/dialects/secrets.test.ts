import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { FakeHelpers } from '../credentials/fake-helper.js'
import { CANARY, secretOf } from '../emulator/profiles/profile.js'
import { PROFILES } from '../emulator/profiles/profiles.js'
import type { Role } from '../emulator/request-log.js'
import { digestOf } from '../../src/oci/digest.js'
import { MediaType } from '../../src/oci/media-types.js'
import { openWorkbench } from './open-workbench.js'
import { expectSecretsAtHome } from './secrets.js'
import type { Workbench } from './workbench.js'

const FILE = { title: 'a.txt', bytes: Buffer.from('content\n') }

/** Whatever the servers of one role were sent that is a secret, in any form. */
function secretsAt({ emulator }: Workbench, role: Role): readonly string[] {
  return emulator.log.entries
    .filter((entry) => entry.role === role)
    .map(({ url, headers }) => {
      const [, credentials = ''] = (headers.authorization ?? '').split(' ')
      return `${url} ${JSON.stringify(headers)} ${Buffer.from(credentials, 'base64').toString()}`
    })
    .filter((text) => text.includes(CANARY))
}

test.each([302, 303, 307, 308] as const)(
  'credentials, headers and cookies stay behind at a redirect (%i)',
  async (redirect) => {
    const bench = await openWorkbench('docker-hub', () => ({ blob: { redirect } }))
    await bench.login()
    await bench.seedFile('app', 'v1', FILE)
    const own = ['-H', `X-Api-Key: ${CANARY}-key`, '-H', `Cookie: session=${CANARY}-cookie`]
    await bench.do('pull', `${bench.repository()}:v1`, '-o', join(bench.folder, 'out'), ...own)
    expect(bench.emulator.log.find('GET', /./, 'blobs').length).toBeGreaterThan(0)
    expect(secretsAt(bench, 'blobs')).toEqual([])
    // The token service is another host too: it gets the password, and nothing else of ours.
    const asked = bench.emulator.log.entries.filter(({ role }) => role === 'tokens')
    expect(asked.length).toBeGreaterThan(0)
    expect(asked.flatMap(({ headers }) => [headers['x-api-key'], headers.cookie]).filter(Boolean)).toEqual([])
    // Where they belong they arrive.
    const read = bench.emulator.log.find('GET', /manifests/).at(-1)
    expect([read?.headers['x-api-key'], read?.headers.cookie]).toEqual([`${CANARY}-key`, `session=${CANARY}-cookie`])
    expectSecretsAtHome(bench)
  },
)

test.each(['otherHost', 'http', 'private'] as const)(
  'no password is sent to a token service of another owner (%s)',
  async (realm) => {
    const bench = await openWorkbench('quay', ({ auth }) => ({ auth: { ...auth, realm } }))
    expect((await bench.login()).code).not.toBe(0)
    expect(secretsAt(bench, 'tokens')).toEqual([])
    expect(secretsAt(bench, 'registry')).toEqual([])
    expect(bench.emulator.log.entries.filter(({ role }) => role !== 'registry')).toEqual([])
  },
)

test.each(['other', 'private'] as const)('no byte of a blob is sent to another host (%s)', async (locationHost) => {
  const bench = await openWorkbench('spec', () => ({ upload: { locationHost } }))
  await bench.login()
  const file = await bench.write('secret.txt', CANARY)
  const { code, stderr } = await bench.run('push', `${bench.repository()}:v1`, file, '--disable-path-validation')
  expect([code, stderr.includes('upload location is on another host')]).toEqual([1, true])
  expect(bench.emulator.log.entries.filter(({ role }) => role !== 'registry')).toEqual([])
  expect(bench.emulator.storage.digestOfTag(bench.name(), 'v1')).toBeUndefined()
})

test('addresses in a manifest are not asked for what the registry does not have', async () => {
  const bench = await openWorkbench('spec')
  await bench.login()
  const elsewhere = `${bench.emulator.origins.blobs.origin}/layer`
  const layer = {
    mediaType: MediaType.octetStream,
    digest: digestOf('elsewhere'),
    size: 9,
    urls: [elsewhere],
    annotations: { 'org.opencontainers.image.title': 'a.txt' },
  }
  await bench.seed(bench.name(), ['v1'], { layers: [layer] })
  const { code } = await bench.run('pull', `${bench.repository()}:v1`, '-o', join(bench.folder, 'out'))
  expect(code).toBe(6)
  expect(bench.emulator.log.entries.filter(({ role }) => role === 'blobs')).toEqual([])
})

test.each([
  ['that is not there', { credsStore: 'nope' }, /docker-credential-nope/],
  ['with a path for a name', { credHelpers: { REGISTRY: '../../evil' } }, /"\.\.\/\.\.\/evil"|\.\.\/\.\.\/evil/],
  ['that fails', { credsStore: 'broken' }, /docker-credential-broken/],
])('a credential helper %s is an error, and nobody is asked as nobody', async (_, config, message) => {
  const bench = await openWorkbench('spec')
  await bench.seed(bench.name(), ['v1'])
  await bench.write('docker/config.json', JSON.stringify(config).replace('REGISTRY', bench.registry))
  const helpers = new FakeHelpers(bench.folder)
  helpers.add('broken', `echo "cannot say ${secretOf('helper')}" >&2; exit 1`)
  const marker = join(bench.folder, 'marker')
  await mkdir(join(bench.folder, 'x/y'), { recursive: true })
  await writeFile(join(bench.folder, 'evil'), `#!/bin/sh\ntouch ${marker}\n`, { mode: 0o755 })
  const environment = helpers.environment
  const { code, stderr } = await bench.runWith({ environment }, [
    'resolve',
    `${bench.repository()}:v1`,
    ...bench.flags(),
  ])
  expect(code).not.toBe(0)
  expect(stderr).toMatch(message)
  expect(bench.printed).not.toContain(CANARY)
  expect(bench.emulator.log.entries.filter(({ path }) => path !== '/v2/' && !path.startsWith('/v2/project'))).toEqual(
    [],
  )
  expect(bench.emulator.log.entries.filter(({ headers }) => headers.authorization !== undefined)).toEqual([])
  await expect(stat(marker)).rejects.toMatchObject({ code: 'ENOENT' })
})

test('credentials of one registry are not those of another port, name or subdomain', async () => {
  const bench = await openWorkbench('spec')
  await bench.seed(bench.name(), ['v1'])
  const auth = Buffer.from(`user:${PROFILES.spec.account.password}`).toString('base64')
  const [host = ''] = bench.registry.split(':')
  const others = [`sub.${host}`, `${host}:5000`, `x${host}`, host.split('.').slice(1).join('.'), `${host}.evil.test`]
  await bench.write(
    'docker/config.json',
    JSON.stringify({ auths: Object.fromEntries(others.map((key) => [key, { auth }])) }),
  )
  const { code } = await bench.run('resolve', `${bench.repository()}:v1`)
  expect(code).toBe(5)
  expect([...secretsAt(bench, 'registry'), ...secretsAt(bench, 'tokens')]).toEqual([])
})

test.each(['spec', 'acr', 'docker-hub', 'ecr', 'quay'] as const)(
  '%s: no command shows a secret, not even with --debug',
  async (name) => {
    const bench = await openWorkbench(name, ({ blob }) => ({ blob: { redirect: 307, ...blob } }))
    const { username, password, refreshToken } = bench.profile.account
    const login = ['login', bench.registry, '-u', username, '--password-stdin', '--debug', ...bench.flags()]
    expect((await bench.runWith({ stdin: refreshToken ?? password }, login)).code).toBe(0)
    const file = await bench.write('a.txt', 'content\n')
    const reference = `${bench.repository()}:v1`
    const own = ['--debug', '-H', `X-Secret: ${CANARY}-header`]
    for (const words of [
      ['push', reference, file, '--artifact-type', 'test/file', '--disable-path-validation'],
      ['attach', reference, file, '--artifact-type', 'test/more', '--disable-path-validation'],
      ['pull', reference, '-o', join(bench.folder, 'out')],
      ['resolve', reference],
      ['discover', reference],
      ['tag', reference, 'v2'],
      ['repo', 'tags', bench.repository()],
      ['repo', 'ls', bench.registry],
      ['manifest', 'fetch', reference],
      ['resolve', `${bench.repository('absent')}:v1`],
      ['manifest', 'delete', '--force', `${bench.repository()}:v2`],
    ]) {
      await bench.run(...words, ...own)
    }
    await bench.runWith({}, ['logout', bench.registry])
    expect(bench.printed).toMatch(/authorization/i)
    for (const text of [CANARY, Buffer.from(`${username}:${password}`).toString('base64')]) {
      expect(bench.printed).not.toContain(text)
    }
    // What the registry handed out is as secret as what it was given.
    for (const { headers } of bench.emulator.log.entries) {
      const [, token = ''] = (headers.authorization ?? '').split(' ')
      if (token !== '') expect(bench.printed).not.toContain(token)
    }
    const signatures = bench.emulator.log.entries
      .filter(({ role }) => role === 'blobs')
      .map(({ url }) => new URLSearchParams(url.split('?')[1]))
    for (const value of signatures.flatMap((query) => [...query.values()]).filter((text) => text.length > 8)) {
      expect(bench.printed).not.toContain(value)
    }
    expectSecretsAtHome(bench)
  },
)

test('a login leaves a file for its owner alone, with all that was in it, and nothing beside it', async () => {
  const bench = await openWorkbench('spec')
  const text = '{\n\t"unknown": [1.0],\n\t"HttpHeaders": {"X": "1"}\n}\n'
  const path = join(bench.folder, 'docker/config.json')
  await writeFile(path, text, { mode: 0o666 })
  expect((await bench.login()).code).toBe(0)
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect(await readFile(path, 'utf8')).toContain('"unknown": [1.0]')
  expect(await readdir(join(bench.folder, 'docker'))).toEqual(['config.json'])
  await writeFile(path, '{"auths": {')
  const broken = await bench.login()
  expect([broken.code, await readFile(path, 'utf8')]).toEqual([1, '{"auths": {'])
  expect(broken.stderr).toMatch(/config\.json is not valid JSON \(byte \d+\)/)
  expect(await readdir(join(bench.folder, 'docker'))).toEqual(['config.json'])
})

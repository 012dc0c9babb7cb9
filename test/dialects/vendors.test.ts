import { createHash } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { CliResult } from '../cli/run-cli.js'
import type { EmulatorOptions } from '../emulator/emulator-options.js'
import { snapshotFolder } from '../emulator/folder-snapshot.js'
import { CANARY, type ProfileName } from '../emulator/profiles/profile.js'
import { PROFILES } from '../emulator/profiles/profiles.js'
import { openWorkbench } from './open-workbench.js'
import { expectSecretsAtHome } from './secrets.js'
import type { Workbench } from './workbench.js'

const PATHS = '--disable-path-validation'

/** Opens a logged-in workbench with some switches changed for this test. */
async function open(
  name: ProfileName,
  change: (options: EmulatorOptions) => EmulatorOptions = () => ({}),
): Promise<Workbench> {
  const bench = await openWorkbench(name, change)
  await bench.login()
  return bench
}

async function push(bench: Workbench, reference: string, content = 'hello\n', ...flags: string[]): Promise<CliResult> {
  const file = await bench.write('hello.txt', content)
  return bench.run('push', reference, file, '--artifact-type', 'test/file', PATHS, ...flags)
}

function lines({ stderr }: CliResult): readonly string[] {
  return stderr.trimEnd().split('\n')
}

describe('what registries refuse', () => {
  test.each([404, 'drop'] as const)('ecr: a repository has to be made first (%s)', async (unknownPush) => {
    const bench = await open('ecr', ({ names }) => ({ names: { ...names, unknownPush } }))
    const result = await push(bench, bench.repository('unmade'), 'hello\n', '--retries', '2')
    expect(result.code).toBe(unknownPush === 404 ? 6 : 1)
    if (unknownPush === 404) {
      expect(lines(result).at(-2)).toMatch(/name unknown: The repository with name 'project\/unmade' does not exist/)
    } else expect(result.stderr).toContain('connection closed')
    expect(lines(result).at(-1)).toBe('the registry may want the repository to be created first')
  })

  test.each(['ecr', 'quay', 'harbor'] as const)('%s: a tag that must not move is a conflict', async (name) => {
    const bench = await open(name)
    await bench.seed(bench.name(), ['release-1'])
    const result = await push(bench, `${bench.repository()}:release-1`)
    expect(result.stderr).toMatch(/immutable/)
    expect(result.code).toBe(name === 'ecr' ? 1 : 4)
  })

  test('harbor: a manifest that a policy withholds', async () => {
    const bench = await open('harbor')
    await bench.seed(bench.name('vulnerable'), ['v1'])
    const result = await bench.run('pull', `${bench.repository('vulnerable')}:v1`, '-o', join(bench.folder, 'out'))
    expect(result.stderr).toContain('current image with vulnerabilities cannot be pulled')
    expect(result.code).toBe(5)
  })

  test('openshift: a name of three parts', async () => {
    const bench = await open('openshift')
    const result = await push(bench, `${bench.registry}/a/b/c:v1`)
    expect(result.stderr).toContain('a repository name has 2 parts')
    expect(result.code).not.toBe(0)
  })

  test('docker-hub: a token that does not hold what it promises', async () => {
    const bench = await open('docker-hub')
    const guest = PROFILES['docker-hub'].options.auth?.accounts?.[1]
    const words = ['login', bench.registry, '-u', 'guest', '--password-stdin', ...bench.flags()]
    expect((await bench.runWith({ stdin: guest?.password ?? '' }, words)).code).toBe(0)
    const result = await push(bench, `${bench.repository()}:v1`)
    expect(result.stderr).toMatch(/unauthorized: authentication required/)
    expect(result.code).toBe(5)
    expect(bench.emulator.log.find('POST', /uploads/).length).toBeLessThan(8)
  })

  test('ghcr: what is private looks as if it were not there', async () => {
    const bench = await open('ghcr', ({ auth }) => ({
      auth: { ...auth, accounts: [{ ...PROFILES.ghcr.account, actions: ['pull'] }] },
    }))
    const result = await bench.run('resolve', `${bench.repository('private')}:v1`)
    expect(result.stderr).toMatch(/403|denied/)
    expect(result.code).toBe(5)
  })
})

describe('rate limits', () => {
  const limited = ({ rateLimit }: EmulatorOptions): EmulatorOptions => ({ rateLimit: { ...rateLimit, allowed: 0 } })

  test.each([
    ['docker-hub', /asks to wait 21600 s after status 429; the limit is 60 s/],
    ['harbor', /asks to wait (3600|3599) s after status 429; the limit is 60 s/],
  ] as const)('%s: the error names the time to wait, and the flag', async (name, expected) => {
    const bench = await open(name, limited)
    await bench.seedFile('app', 'v1', { title: 'a.txt', bytes: Buffer.from('a\n') })
    const result = await bench.run('pull', `${bench.repository()}:v1`, '-o', join(bench.folder, 'out'))
    expect(result.stderr).toMatch(expected)
    expect(lines(result).at(-1)).toBe('To wait that long, allow it with --retry-max-wait.')
    expect(result.code).toBe(1)
  })

  test('quay: a page of HTML without a time', async () => {
    const bench = await open('quay', limited)
    await bench.seedFile('app', 'v1', { title: 'a.txt', bytes: Buffer.from('a\n') })
    const result = await bench.run(
      'pull',
      `${bench.repository()}:v1`,
      '-o',
      join(bench.folder, 'out'),
      '--retries',
      '1',
    )
    expect(result.stderr).toMatch(/429: Too Many Requests/)
    expect(result.code).toBe(1)
  })

  test('acr: a short wait is waited for', async () => {
    const bench = await open('acr', () => ({ rateLimit: { allowed: 0, refused: 1, retryAfter: 1 } }))
    await bench.seedFile('app', 'v1', { title: 'a.txt', bytes: Buffer.from('a\n') })
    const result = await bench.run('pull', `${bench.repository()}:v1`, '-o', join(bench.folder, 'out'))
    expect(result.stderr).toMatch(/^retrying GET .* in 1\.0 s: status 429\n$/)
    expect(result.code).toBe(0)
  })
})

describe('hostile directions', () => {
  const realms = [
    ['private', /untrusted|refused|not trusted|leave https/],
    ['http', /leave https for plain http/],
  ] as const

  test.each(realms)('realm %s: no secret is sent', async (realm, expected) => {
    const bench = await open('spec', ({ auth }) => ({ auth: { ...auth, realm } }))
    bench.emulator.log.clear()
    const result = await bench.login()
    expect(result.stderr).toMatch(expected)
    expect(result.code).not.toBe(0)
    expect(bench.emulator.log.entries.filter(({ headers }) => headers.authorization !== undefined)).toEqual([])
  })

  test('quay: a realm of another domain needs to be trusted by name', async () => {
    const bench = await open('quay', ({ auth }) => ({ auth: { ...auth, realm: 'otherHost' } }))
    const refused = await bench.login()
    expect(refused.stderr).toMatch(/token service sso\.quay\.test is not trusted for quay\.io/)
    expect(lines(refused).at(-1)).toBe('If this token service belongs to the registry, name it with --auth-host.')
    expect(bench.emulator.log.entries.filter(({ role }) => role === 'tokens')).toEqual([])
    const { username, password } = bench.profile.account
    const words = ['login', bench.registry, '-u', username, '--password-stdin', '--auth-host', 'sso.quay.test']
    expect((await bench.runWith({ stdin: password }, [...words, ...bench.flags()])).code).toBe(0)
  })

  test.each(['relative', 'withQuery'] as const)('realm %s is fine', async (realm) => {
    const bench = await open('spec', ({ auth }) => ({ auth: { ...auth, realm } }))
    expect((await push(bench, `${bench.repository()}:v1`)).code).toBe(0)
  })

  test.each([
    ['other', /upload location is on another host/],
    ['private', /upload location is on another host|untrusted/],
  ] as const)('Location on %s host: nothing is uploaded there', async (locationHost, expected) => {
    const bench = await open('spec', () => ({ upload: { locationHost } }))
    const result = await push(bench, `${bench.repository()}:v1`)
    expect(result.stderr).toMatch(expected)
    expect(bench.emulator.log.entries.filter(({ role }) => role !== 'registry')).toEqual([])
  })

  test('a Location that lost TLS and port is led back to the registry', async () => {
    const bench = await open('nexus', () => ({ upload: { locationScheme: 'http', dropPort: true } }))
    expect((await push(bench, `${bench.repository()}:v1`)).code).toBe(0)
  })

  test.each([
    ['loop', /redirects more than 5 times/],
    ['http', /would leave https for plain http/],
    ['private', /leave https|refused: a private address/],
    [4, undefined],
  ] as const)('redirects: %s', async (redirectChain, expected) => {
    const bench = await open('spec', () => ({ blob: { redirect: 307, redirectChain } }))
    await bench.seedFile('app', 'v1', { title: 'a.txt', bytes: Buffer.from('a\n') })
    const before = await snapshotFolder(join(bench.folder, 'out'))
    const result = await bench.run('pull', `${bench.repository()}:v1`, '-o', join(bench.folder, 'out'))
    if (expected === undefined) expect(result.code).toBe(0)
    else {
      expect(result.stderr).toMatch(expected)
      expect(await snapshotFolder(join(bench.folder, 'out'))).toEqual(before)
    }
    expectSecretsAtHome(bench)
  })

  test.each([
    [{ link: 'otherOrigin' }, /next page is on another host/],
    [{ linkLoop: true }, /repeated a page/],
  ] as const)('pages: %o', async (tags, expected) => {
    const bench = await open('spec', () => ({ tags: { ...tags, maxN: { count: 2, above: 'capped' } } }))
    await bench.seed(bench.name(), ['a', 'b', 'c'])
    const result = await bench.run('repo', 'tags', bench.repository())
    expect(result.stderr).toMatch(expected)
    expect(result.code).not.toBe(0)
    expect(bench.emulator.log.find('GET', /tags\/list/).length).toBeLessThan(5)
  })

  test('a registry that always says 401 is asked a few times', async () => {
    const bench = await open('spec', ({ auth }) => ({ auth: { ...auth, loop: true } }))
    bench.emulator.log.clear()
    expect((await bench.run('resolve', `${bench.repository()}:v1`)).code).toBe(5)
    expect(bench.emulator.log.entries.length).toBeLessThan(8)
  })
})

describe('odd answers that are no reason to fail', () => {
  const odd: readonly (readonly [string, EmulatorOptions])[] = [
    ['17 KiB of headers', { http: { hugeHeaders: 17 * 1024 } }],
    ['an address of an upload of 12 KiB', { upload: { location: 'outsideV2', locationLength: 12_000 } }],
    ['one failure of each request', { http: { flaky: { times: 1, status: 503 } } }],
    ['a first connection that is cut', { http: { reset: 1 } }],
    ['no digest in headers', { manifest: { digestHeader: 'missing' } }],
    ['digests of another algorithm', { manifest: { digestHeader: 'otherAlgorithm' } }],
    ['HEAD without length', { manifest: { head: 'noLength' } }],
    ['HEAD with the length of something else', { manifest: { head: 'gzipLength' } }],
    ['HEAD that is not there', { manifest: { head: 405 } }],
    ['HEAD without type', { manifest: { head: 'noContentType' } }],
    ['200 after a push', { manifest: { putStatus: 200 } }],
    ['202 after a push', { manifest: { putStatus: 202 } }],
    ['referrers 400', { referrers: { api: 400 } }],
    ['referrers 406', { referrers: { api: 406 } }],
    ['referrers answered by a web page', { referrers: { api: '200html' } }],
    ['a list that was not filtered and says so', { referrers: { filters: 'notApplied' } }],
    ['an address of an upload without path', { upload: { location: 'pathless' } }],
    ['referrers on many pages', { referrers: { page: 1 } }],
    ['a first token that is not enough', { auth: { ...PROFILES.spec.options.auth, insufficientScopeOnce: true } }],
    ['one scope a token', { auth: { ...PROFILES.spec.options.auth, firstScopeOnly: true } }],
    ['tokens from the future', { token: { issuedAt: 'future' } }],
    ['tokens for ten requests', { token: { ttl: { requests: 10 } } }],
    ['a download that breaks off', { blob: { truncate: 1, redirect: 307 } }],
    ['a download that breaks off, without ranges', { blob: { truncate: 1, ranges: 'ignore' } }],
    ['a download that breaks off, with a wrong range', { blob: { truncate: 1, ranges: 'wrongContentRange' } }],
  ]

  test.each(odd)('%s', async (_, options) => {
    const bench = await open('spec', () => options)
    const reference = `${bench.repository()}:v1`
    const content = 'all of it\n'.repeat(1000)
    expect(await push(bench, reference, content)).toMatchObject({ code: 0 })
    const sbom = await bench.write('sbom.json', '{}')
    for (const type of ['test/one', 'test/two'])
      await bench.do('attach', reference, sbom, '--artifact-type', type, PATHS)
    const found = JSON.parse(await bench.do('discover', reference, '-o', 'json', '--artifact-type', 'test/two')) as {
      manifests: { artifactType: string }[]
    }
    expect(found.manifests.map(({ artifactType }) => artifactType)).toEqual(['test/two'])
    await bench.do('pull', reference, '-o', join(bench.folder, 'out'), '--allow-path-traversal')
    const copy = [
      'copy',
      '-r',
      reference,
      `${bench.repository('copy')}:v1`,
      ...bench.flags('from-'),
      ...bench.flags('to-'),
    ]
    expect(await bench.runWith({}, copy)).toMatchObject({ code: 0, stderr: expect.any(String) })
    expect(bench.printed).not.toContain(CANARY)
    expectSecretsAtHome(bench)
  })
})

describe('wrong content', () => {
  test.each([
    ['digest in headers', { manifest: { digestHeader: 'wrong' } }, /digest mismatch/],
    ['bytes that were changed', { blob: { corrupt: 100 } }, /digest mismatch/],
  ] as const)('%s: nothing is left behind', async (_, options, expected) => {
    const bench = await open('spec', () => options)
    await bench.seedFile('app', 'v1', { title: 'a.txt', bytes: Buffer.from('the content\n') })
    const result = await bench.run('pull', `${bench.repository()}:v1`, '-o', join(bench.folder, 'out'))
    expect(result.stderr).toMatch(expected)
    expect(result.code).not.toBe(0)
    expect((await snapshotFolder(join(bench.folder, 'out'))).filter((line) => !line.endsWith('755'))).toEqual([])
  })
})

test.each(['manifests', 'blobs'] as const)('%s that are encoded on their way are decoded', async (contentEncoding) => {
  const bench = await open('spec', () => ({ http: { contentEncoding } }))
  await bench.seedFile('app', 'v1', { title: 'a.txt', bytes: Buffer.from('the content\n') })
  await bench.do('pull', `${bench.repository()}:v1`, '-o', join(bench.folder, 'out'))
  expect(await readFile(join(bench.folder, 'out', 'a.txt'), 'utf8')).toBe('the content\n')
})

describe('forms of errors', () => {
  test.each([
    ['single', /name unknown: there is no such repository/],
    ['escaped', /name unknown: there is no such repository/],
    ['details', /there is no such repository/],
    ['text', /404: Not Found\n.*the registry says: there is no such repository/],
    ['html', /404: Not Found/],
    ['empty', /404: Not Found/],
    ['huge', /404: Not Found/],
    ['wrongStatus', /name unknown/],
  ] as const)('%s', async (errorShape, expected) => {
    const bench = await open('spec', () => ({ general: { errorShape } }))
    const result = await bench.run('repo', 'tags', bench.repository('absent'))
    expect(result.stderr).toMatch(expected)
    expect(result.stderr.length).toBeLessThan(2000)
    expect(result.code).toBe(6)
  })

  test.each(['details', 'text', 'empty', 'html'] as const)('of the token service: %s', async (errorBody) => {
    const bench = await open('spec', () => ({ token: { errorBody } }))
    const words = ['login', bench.registry, '-u', 'user', '--password-stdin', ...bench.flags()]
    const { code, stderr } = await bench.runWith({ stdin: 'wrong' }, words)
    const reason = errorBody === 'details' || errorBody === 'text' ? ': incorrect username or password' : ''
    const host = 'registry.spec.test'
    expect(stderr).toBe(
      `Error response from registry: token service ${host} refused the credentials for ${host}: status 401${reason}\ncheck user and password\n`,
    )
    expect(code).toBe(5)
  })

  test.each([
    [404, /is no registry/],
    ['everything', /registry/],
  ] as const)('/v2/ answers %s', async (ping, expected) => {
    const bench = await open('spec', () => ({ general: { ping }, auth: {} }))
    const result = await bench.run('repo', 'ls', bench.registry)
    expect([result.code === 0, result.stdout]).toEqual([ping === 404, ''])
    const login = await bench.login()
    if (ping === 404) expect(login.stderr).toMatch(expected)
  })

  test('a warning of the registry is shown once', async () => {
    const bench = await open('spec', () => ({ general: { warning: 'this registry moves' } }))
    await bench.seed(bench.name(), ['v1'])
    const { stderr } = await bench.run('resolve', `${bench.repository()}:v1`)
    expect(stderr).toBe('WARNING: this registry moves\n')
  })
})

describe('large blobs', () => {
  test.each(['gitlab', 'acr'] as const)('%s: 64 MiB go up, across, and down again', async (name) => {
    const bench = await open(name)
    const bytes = Buffer.alloc(64 * 1024 * 1024)
    for (let offset = 0; offset < bytes.length; offset += 4096) bytes.writeUInt32LE(offset, offset)
    const file = await bench.write('large.bin', bytes)
    const [from, to] = [bench.repository('large'), bench.repository('large-copy')]
    await bench.do('push', `${from}:v1`, file, PATHS)
    await rm(file)
    const ends = [...bench.flags('from-'), ...bench.flags('to-')]
    expect(await bench.runWith({}, ['copy', `${from}:v1`, `${to}:v1`, ...ends])).toMatchObject({ code: 0 })
    // The artifact names the file by its whole path, so that is where it comes back.
    await bench.do('pull', `${to}:v1`, '--allow-path-traversal')
    const digest = createHash('sha256').update(bytes).digest('hex')
    expect(
      (await snapshotFolder(bench.folder)).some((line) => line.startsWith('large.bin ') && line.endsWith(digest)),
    ).toBe(true)
    expectSecretsAtHome(bench)
  })
})

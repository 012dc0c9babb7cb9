import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { FakeHelpers } from '../credentials/fake-helper.js'
import type { Account } from '../emulator/auth/auth-switches.js'
import { snapshotFolder } from '../emulator/folder-snapshot.js'
import { CANARY, PROFILE_NAMES, secretOf, type Profile, type ProfileName } from '../emulator/profiles/profile.js'
import { PROFILES } from '../emulator/profiles/profiles.js'
import { expectSecretsAtHome } from './secrets.js'
import { Workbench } from './workbench.js'

/** How somebody comes to be known. */
interface Login {
  readonly profile: ProfileName
  readonly name: string
  /** Whom the registry knows; the account of the profile when absent. */
  readonly account?: Account
  /** Logs in, or writes what somebody else's login would have left; returns variables for what follows. */
  readonly prepare: (bench: Workbench, account: Account) => Promise<Readonly<Record<string, string>>>
  /** What the token service or the registry has to have seen. */
  readonly check?: (bench: Workbench) => void
}

async function open(name: ProfileName, account?: Account): Promise<Workbench> {
  const profile: Profile = PROFILES[name]
  const auth = { ...profile.options.auth, ...(account === undefined ? {} : { accounts: [account] }) }
  const bench = await Workbench.open(profile, { auth })
  onTestFinished(() => bench.close())
  return bench
}

/** `gantry login` with the secret on stdin, as every vendor documents it. */
const byStdin: Login['prepare'] = async (bench, account) => {
  const words = ['login', bench.registry, '-u', account.username, '--password-stdin', ...bench.flags()]
  const { code, stdout, stderr } = await bench.runWith(
    { stdin: `${account.refreshToken ?? account.password}\n` },
    words,
  )
  expect([code, stdout, stderr.replace(/WARNING! The credentials are stored unencrypted in .*\n/, '')]).toEqual([
    0,
    'Login Succeeded\n',
    '',
  ])
  return {}
}

/** An entry in Docker's configuration file. */
function byEntry(entryOf: (account: Account, bench: Workbench) => object): Login['prepare'] {
  return async (bench, account) => {
    const headers = bench.profile.options.general?.requiredHeaders ?? []
    const HttpHeaders = Object.fromEntries(headers.map((name) => [name, 'test']))
    await bench.write('docker/config.json', JSON.stringify({ HttpHeaders, ...entryOf(account, bench) }))
    return {}
  }
}

/** A credential helper that a vendor's own tool installs. */
function byHelper(
  helper: string,
  credentialOf: (account: Account) => { Username: string; Secret: string },
): Login['prepare'] {
  return async (bench, account) => {
    await byEntry((_, { registry }) => ({ credHelpers: { [registry]: helper } }))(bench, account)
    const helpers = new FakeHelpers(bench.folder)
    await bench.write('answer.json', JSON.stringify({ ServerURL: bench.registry, ...credentialOf(account) }))
    helpers.add(helper, `[ "$1" = get ] && cat "${join(bench.folder, 'answer.json')}"`)
    return helpers.environment
  }
}

function byEnvironment(
  variables: (account: Account, bench: Workbench) => Readonly<Record<string, string>>,
): Login['prepare'] {
  return (bench, account) => Promise.resolve(variables(account, bench))
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64')
}

function refreshesByForm({ emulator }: Workbench): void {
  const requests = emulator.log.entries.filter(({ path }) => path === '/oauth2/token')
  expect(requests.length).toBeGreaterThan(0)
  expect(new Set(requests.map(({ method }) => method))).toEqual(new Set(['POST']))
  expect(requests.every(({ headers }) => headers.authorization === undefined)).toBe(true)
}

const ZERO = '00000000-0000-0000-0000-000000000000'

function asksForNoToken({ emulator }: Workbench): void {
  expect(emulator.log.entries.filter(({ path }) => path.includes('token'))).toEqual([])
}

const LOGINS: readonly Login[] = [
  { profile: 'acr', name: 'the all-zero user and a refresh token', prepare: byStdin },
  {
    profile: 'acr',
    name: 'what az acr login writes: the all-zero user and an identity token',
    prepare: byEntry(({ refreshToken }, { registry }) => ({
      auths: { [registry]: { auth: encode(`${ZERO}:`), identitytoken: refreshToken } },
    })),
    check: refreshesByForm,
  },
  {
    profile: 'acr',
    name: 'the helper that answers <token>',
    prepare: byHelper('acr-env', ({ refreshToken = '' }) => ({ Username: '<token>', Secret: refreshToken })),
    check: refreshesByForm,
  },
  {
    profile: 'acr',
    name: 'an identity token on stdin',
    prepare: async (bench, { refreshToken = '' }) => {
      const words = ['login', bench.registry, '--identity-token-stdin', ...bench.flags()]
      expect((await bench.runWith({ stdin: refreshToken }, words)).code).toBe(0)
      return {}
    },
    check: refreshesByForm,
  },
  {
    profile: 'acr',
    name: 'a token of a repository, as user and password',
    account: { username: 'pusher', password: secretOf('acr-token') },
    prepare: byStdin,
  },
  { profile: 'gar', name: '_json_key with the key file on stdin', prepare: byStdin },
  {
    profile: 'gar',
    name: '_json_key_base64',
    account: {
      username: '_json_key_base64',
      password: encode(`{"type":"service_account","key":"${secretOf('key')}"}`),
    },
    prepare: byStdin,
  },
  {
    profile: 'gar',
    name: 'oauth2accesstoken',
    account: { username: 'oauth2accesstoken', password: `ya29.${secretOf('access')}${'a'.repeat(1500)}` },
    prepare: byStdin,
  },
  {
    profile: 'gar',
    name: 'the helper that gcloud auth configure-docker names',
    account: { username: '_dcgcloud_token', password: secretOf('gcloud') },
    prepare: byHelper('gcloud', ({ username, password }) => ({ Username: username, Secret: password })),
  },
  {
    profile: 'gcr',
    name: '_json_key, where only /v2/ says how to log in',
    prepare: byStdin,
  },
  { profile: 'quay', name: 'a robot, org+robot', prepare: byStdin },
  {
    profile: 'quay',
    name: '$oauthtoken',
    account: { username: '$oauthtoken', password: secretOf('oauth') },
    prepare: byStdin,
  },
  { profile: 'quay', name: '$app', account: { username: '$app', password: secretOf('app') }, prepare: byStdin },
  { profile: 'ncr', name: 'a user access key and its secret', prepare: byStdin },
  { profile: 'harbor', name: 'a robot of a project, robot$project+name', prepare: byStdin },
  {
    profile: 'harbor',
    name: 'a robot of the system, robot$name, in a file',
    account: { username: 'robot$ci', password: secretOf('harbor-system') },
    prepare: byEntry(({ username, password }, { registry }) => ({
      auths: { [registry]: { username, password } },
    })),
  },
  { profile: 'openshift', name: 'the token of a service account, beside any name', prepare: byStdin },
  {
    profile: 'openshift',
    name: 'a pull secret',
    prepare: byEntry(({ password }, { registry }) => ({
      auths: { [registry]: { auth: encode(`unused:${password}`), email: 'unused' } },
    })),
  },
  {
    profile: 'openshift',
    name: 'a token that is sent as it is',
    prepare: byEntry(({ password }, { registry }) => ({ auths: { [registry]: { registrytoken: password } } })),
    check: asksForNoToken,
  },
  { profile: 'ecr', name: 'AWS and the password of get-login-password', prepare: byStdin, check: asksForNoToken },
  {
    profile: 'ecr',
    name: 'the helper ecr-login',
    prepare: byHelper('ecr-login', ({ username, password }) => ({ Username: username, Secret: password })),
    check: asksForNoToken,
  },
  { profile: 'ecr-public', name: 'AWS and a password', prepare: byStdin },
  { profile: 'ghcr', name: 'any name and a personal access token', prepare: byStdin },
  {
    profile: 'ghcr',
    name: 'GITHUB_TOKEN and GITHUB_ACTOR',
    prepare: byEnvironment(({ username, password }) => ({ GITHUB_ACTOR: username, GITHUB_TOKEN: password })),
  },
  {
    profile: 'ghcr',
    name: 'GITHUB_TOKEN alone',
    prepare: byEnvironment(({ password }) => ({ GITHUB_TOKEN: password })),
  },
  {
    profile: 'gitlab',
    name: 'CI_REGISTRY_USER and CI_REGISTRY_PASSWORD',
    prepare: byEnvironment(({ username, password }, { registry }) => ({
      CI_REGISTRY: registry,
      CI_REGISTRY_USER: username,
      CI_REGISTRY_PASSWORD: password,
    })),
  },
  {
    profile: 'gitlab',
    name: 'CI_JOB_TOKEN',
    prepare: byEnvironment(({ password }, { registry }) => ({ CI_REGISTRY: registry, CI_JOB_TOKEN: password })),
  },
  {
    profile: 'gitlab',
    name: 'DOCKER_AUTH_CONFIG',
    prepare: byEnvironment(({ username, password }, { registry }) => ({
      DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { [registry]: { auth: encode(`${username}:${password}`) } } }),
    })),
  },
  {
    profile: 'gitlab',
    name: 'a deploy token on stdin',
    account: { username: 'gitlab+deploy-token-1', password: secretOf('deploy') },
    prepare: byStdin,
  },
  ...['https://index.docker.io/v1/', 'docker.io', 'index.docker.io', 'registry-1.docker.io'].map((key): Login => ({
    profile: 'docker-hub',
    name: `an entry for ${key}`,
    prepare: byEntry(({ username, password }) => ({ auths: { [key]: { auth: encode(`${username}:${password}`) } } })),
  })),
  { profile: 'docker-hub', name: 'user and access token', prepare: byStdin },
]

test.each(LOGINS.map((login) => [`${login.profile}: ${login.name}`, login] as const))(
  '%s: lets in who may come in, and nothing leaks',
  async (_, { profile, account, prepare, check }) => {
    const bench = await open(profile, account)
    const environment = await prepare(bench, account ?? PROFILES[profile].account)
    const file = await bench.write('hello.txt', 'hello\n')
    const words = ['push', `${bench.repository()}:v1`, file, '--disable-path-validation', '--debug', ...bench.flags()]
    const { code, stderr } = await bench.runWith({ environment }, words)
    expect(stderr.replace(/^.*DEBUG[^]*$/m, '')).toBe('')
    expect(code).toBe(0)
    expect(bench.emulator.storage.digestOfTag(bench.name(), 'v1')).toBeDefined()
    expect(bench.printed).not.toContain(CANARY)
    expectSecretsAtHome(bench)
    check?.(bench)
  },
)

test.each(['docker.io', 'index.docker.io', 'registry-1.docker.io'])(
  'docker-hub: %s is one registry with its other names',
  async (registry) => {
    const bench = await open('docker-hub')
    await bench.login()
    const config = JSON.parse(await readFile(join(bench.folder, 'docker/config.json'), 'utf8')) as { auths: object }
    expect(Object.keys(config.auths)).toEqual(['https://index.docker.io/v1/'])
    await bench.seed(bench.name(), ['v1'])
    await bench.do('resolve', `${registry}/${bench.name()}:v1`)
    const asked = bench.emulator.log.entries.filter(({ role }) => role === 'tokens')
    expect(asked.at(-1)?.url).toContain('account=acme')
  },
)

describe.each(PROFILE_NAMES)('%s', (profile) => {
  test(`${profile}: a wrong secret is refused, and nothing is stored`, async () => {
    const bench = await open(profile)
    const before = await snapshotFolder(bench.folder)
    const { username } = bench.profile.account
    const words = ['login', bench.registry, '-u', username, '--password-stdin', ...bench.flags()]
    const { code, stdout, stderr } = await bench.runWith({ stdin: `${CANARY}-wrong` }, words)
    expect([code, stdout]).toEqual([5, ''])
    expect(stderr).toMatch(/^Error response from registry: .*(refused the credentials|unauthorized)/)
    expect(await snapshotFolder(bench.folder)).toEqual(before)
    expect(bench.printed).not.toContain(CANARY)
  })

  test(`${profile}: without a login nothing can be pushed, and it says so`, async () => {
    const bench = await open(profile)
    const file = await bench.write('hello.txt', 'hello\n')
    const { code, stderr } = await bench.run('push', `${bench.repository()}:v1`, file, '--disable-path-validation')
    expect(stderr).toMatch(/40[13]|unauthorized|denied|refused/i)
    expect(code).toBe(5)
    expect(bench.emulator.log.find('PUT', /manifests/)).toEqual([])
  })
})

test('ghcr: the token of the environment goes to no other registry', async () => {
  const bench = await open('quay')
  const environment = {
    GITHUB_TOKEN: secretOf('github'),
    CI_REGISTRY: 'registry.gitlab.com',
    CI_JOB_TOKEN: secretOf('job'),
  }
  const { code } = await bench.runWith({ environment }, ['resolve', `${bench.repository()}:v1`, ...bench.flags()])
  expect(code).toBe(5)
  expect(bench.emulator.log.entries.every(({ headers }) => !headers.authorization?.startsWith('Basic'))).toBe(true)
  expectSecretsAtHome(bench)
})

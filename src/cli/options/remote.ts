import type { Command } from 'commander'
import { checkCredential } from '../../registry/auth/credential.js'
import type { Credential, HostOverride, ReferrersMode, TlsOptions } from '../../index.js'
import type { Context } from '../context.js'
import { UsageError } from '../usage-error.js'
import { checkExclusive } from './exclusive.js'
import { valuesOf, type FlagPrefix } from './prefix.js'
import { readSecret } from './read-secret.js'
import { repeatable } from './repeatable.js'
import { readTextFile } from './text-file.js'

/** How to reach one registry, as the flags say it. */
export interface RemoteOptions {
  /** Given by flags; replaces everything that is stored. */
  readonly credential?: Credential
  readonly username?: string
  readonly tls: TlsOptions
  /** Undefined: decided by the host. */
  readonly plainHttp?: boolean | undefined
  readonly resolve: readonly HostOverride[]
  readonly registryConfig: readonly string[]
  readonly headers: Readonly<Record<string, string>>
  readonly trustedAuthHosts: readonly string[]
  readonly referrers: ReferrersMode
}

const FLAGS = [
  'username',
  'password',
  'password-stdin',
  'identity-token',
  'identity-token-stdin',
  'insecure',
  'tls-verify',
  'plain-http',
  'ca-file',
  'cert-file',
  'key-file',
  'resolve',
  'registry-config',
  'header',
  'auth-host',
  'distribution-spec',
] as const

interface RemoteValues {
  readonly username: string
  readonly password: string
  readonly passwordStdin: boolean
  readonly identityToken: string
  readonly identityTokenStdin: boolean
  readonly insecure: boolean
  readonly tlsVerify: boolean
  readonly plainHttp: boolean
  readonly caFile: string
  readonly certFile: string
  readonly keyFile: string
  readonly resolve: readonly string[]
  readonly registryConfig: readonly string[]
  readonly header: readonly string[]
  readonly authHost: readonly string[]
  readonly distributionSpec: string
}

export interface RemoteDeclaration {
  readonly prefix?: FlagPrefix
  /** Whether the command takes `--distribution-spec`. */
  readonly distributionSpec?: boolean
}

/** Declares the flags that say how to reach a registry. */
export function declareRemote(
  command: Command,
  { prefix = '', distributionSpec = false }: RemoteDeclaration = {},
): void {
  const side = prefix === '' ? '' : prefix === 'from-' ? ' of the source' : ' of the destination'
  const short = (letter: string) => (prefix === '' ? `-${letter}, ` : '')
  const flag = (name: string) => `--${prefix}${name}`
  command
    .option(`${short('u')}${flag('username')} <username>`, `user of the registry${side}`)
    .option(`${short('p')}${flag('password')} <password>`, `password or identity token of the registry${side}`)
    .option(`${flag('identity-token')} <token>`, `identity token of the registry${side}`)
    .option(flag('insecure'), `do not check the TLS certificate of the registry${side}`)
    .option(flag('tls-verify'), `check the TLS certificate${side}; --${prefix}tls-verify=false is --${prefix}insecure`)
    .option(flag('plain-http'), `talk to the registry${side} without TLS`)
    .option(`${flag('ca-file')} <file>`, `certificate authorities to trust${side}, instead of the system's`)
    .option(`${flag('cert-file')} <file>`, `client certificate for the registry${side}`)
    .option(`${flag('key-file')} <file>`, `key of the client certificate${side}`)
    .option(`${flag('resolve')} <host:port:address[:port]>`, `connect to another address${side}`, repeatable)
    .option(`${flag('registry-config')} <file>`, `file with credentials${side}`, repeatable)
    .option(`${short('H')}${flag('header')} <name:value>`, `add a header to requests${side}`, repeatable)
    .option(`${flag('auth-host')} <host>`, `trust this token service with the credentials${side}`, repeatable)
  if (prefix === '') {
    command
      .option('--password-stdin', 'read the password from stdin')
      .option('--identity-token-stdin', 'read the identity token from stdin')
  }
  if (distributionSpec) {
    command.option(
      `${flag('distribution-spec')} <spec>`,
      `how referrers${side} are kept: v1.1-referrers-api or v1.1-referrers-tag; found out when not given`,
    )
  }
}

/** Reads the flags that {@link declareRemote} declares; may read a secret from stdin. */
export async function readRemote(
  values: Readonly<Record<string, unknown>>,
  context: Context,
  prefix: FlagPrefix = '',
): Promise<RemoteOptions> {
  const remote = valuesOf<RemoteValues>(values, prefix, FLAGS)
  checkCredentialFlags(remote, prefix)
  warnAboutSecrets(remote, context, prefix)
  const credential = await readCredential(remote, context)
  return {
    ...(credential === undefined ? {} : { credential }),
    ...(remote.username === undefined ? {} : { username: remote.username }),
    ...(remote.plainHttp === undefined ? {} : { plainHttp: remote.plainHttp }),
    tls: await readTls(remote, prefix),
    resolve: (remote.resolve ?? []).map(parseResolve),
    registryConfig: remote.registryConfig ?? [],
    headers: parseHeaders(remote.header ?? []),
    trustedAuthHosts: remote.authHost ?? [],
    referrers: parseDistributionSpec(remote.distributionSpec, prefix),
  }
}

function checkCredentialFlags(remote: Partial<RemoteValues>, prefix: FlagPrefix): void {
  checkExclusive({ [`${prefix}username`]: remote.username, [`${prefix}identity-token`]: remote.identityToken })
  checkExclusive({ username: remote.username, 'identity-token-stdin': remote.identityTokenStdin })
  checkExclusive({
    [`${prefix}identity-token`]: remote.identityToken,
    'identity-token-stdin': remote.identityTokenStdin,
    [`${prefix}password`]: remote.password,
    'password-stdin': remote.passwordStdin,
  })
}

function warnAboutSecrets(remote: Partial<RemoteValues>, context: Context, prefix: FlagPrefix): void {
  if (prefix !== '') return
  for (const [flag, value] of Object.entries({ password: remote.password, 'identity-token': remote.identityToken })) {
    if (value === undefined) continue
    context.stderr.write(`WARNING! Using --${flag} via the CLI is insecure. Use --${flag}-stdin.\n`)
  }
}

async function readCredential(remote: Partial<RemoteValues>, context: Context): Promise<Credential | undefined> {
  const password = remote.passwordStdin === true ? await readSecret(context) : remote.password
  const token = remote.identityTokenStdin === true ? await readSecret(context) : remote.identityToken
  if (token !== undefined && token !== '') return { type: 'identity-token', token }
  if (remote.username !== undefined && remote.username !== '') {
    const credential: Credential = { type: 'basic', username: remote.username, password: password ?? '' }
    checkCredential(credential)
    return credential
  }
  // A password alone is an identity token, as `oras` has it.
  return password === undefined || password === '' ? undefined : { type: 'identity-token', token: password }
}

async function readTls(remote: Partial<RemoteValues>, prefix: FlagPrefix): Promise<TlsOptions> {
  const { caFile, certFile, keyFile } = remote
  if ((certFile === undefined) !== (keyFile === undefined)) {
    const [given, missing] = certFile === undefined ? ['key', 'cert'] : ['cert', 'key']
    throw new UsageError(`--${prefix}${given}-file must be used in conjunction with --${prefix}${missing}-file`)
  }
  return {
    insecure: remote.insecure === true || remote.tlsVerify === false,
    ...(caFile === undefined ? {} : { ca: [await readTextFile(caFile)], replaceRoots: true }),
    ...(certFile === undefined || keyFile === undefined
      ? {}
      : { certificate: await readTextFile(certFile), key: await readTextFile(keyFile) }),
  }
}

function parseResolve(text: string): HostOverride {
  const match = /^(\[[^\]]+\]|[^:]+):(\d+):(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(text)
  const [, host, port, address, addressPort] = match ?? []
  if (host === undefined || port === undefined || address === undefined) {
    throw new UsageError(`failed to parse resolve flag "${text}": expecting host:port:address[:address_port]`)
  }
  return {
    host,
    port: Number(port),
    address: address.replace(/^\[|\]$/g, ''),
    ...(addressPort === undefined ? {} : { addressPort: Number(addressPort) }),
  }
}

const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const FORBIDDEN_HEADERS = new Set(['host', 'content-length', 'transfer-encoding', 'connection'])

function parseHeaders(headers: readonly string[]): Readonly<Record<string, string>> {
  const parsed = Object.create(null) as Record<string, string>
  for (const header of headers) {
    const colon = header.indexOf(':')
    const name = header.slice(0, Math.max(colon, 0))
    const value = header.slice(colon + 1)
    if (!HEADER_NAME.test(name) || /[\r\n\0]/.test(value)) throw new UsageError(`invalid header: "${header}"`)
    if (FORBIDDEN_HEADERS.has(name.toLowerCase())) throw new UsageError(`header "${name}" cannot be set`)
    parsed[name] = value
  }
  return parsed
}

function parseDistributionSpec(text: string | undefined, prefix: FlagPrefix): ReferrersMode {
  if (text === undefined) return 'auto'
  if (text === 'v1.1-referrers-api') return 'api'
  if (text === 'v1.1-referrers-tag') return 'tag'
  throw new UsageError(
    `invalid argument "${text}" for "--${prefix}distribution-spec" flag: unknown distribution specification flag: ${text}`,
    { hint: 'Available options: v1.1-referrers-tag, v1.1-referrers-api' },
  )
}

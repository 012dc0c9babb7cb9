import { isIP } from 'node:net'
import type { OpenOptions } from '../../client/opener.js'
import type { RegistryAccess } from '../../client/connect.js'
import { checkCredential, type Credential } from '../../registry/auth/credential.js'
import type { HostOverride, TlsOptions } from '../../registry/http/transport-options.js'
import type { ReferrersMode } from '../../registry/referrers.js'
import type { Side } from '../arguments.js'
import type { Context } from '../context.js'
import { UsageError } from '../usage-error.js'
import { checkExclusive } from './exclusive.js'
import { decision, flag, list, text, type Option, type Options, type OptionValues } from './option.js'
import { readSecret } from './read-input.js'
import { readTextFile } from './text-file.js'

/** Which flags say how a target is reached. */
export interface AccessDeclaration {
  readonly side: Side
  /** Whether they say how referrers are kept. */
  readonly referrers: boolean
  /** Whether the target may be an image layout. */
  readonly layout: boolean
}

/** The flags of one target, by the names that {@link readAccess} reads them under. */
function optionsOf(side: Side) {
  const of = side === '' ? '' : side === 'from-' ? ' of the source' : ' of the destination'
  const short = (letter: string) => (side === '' ? `-${letter}, ` : '')
  const spelled = (name: string) => `--${side}${name}`
  const registry = { group: 'registry' } as const
  return {
    username: text(`${short('u')}${spelled('username')} <username>`, `user of the registry${of}`, registry),
    password: text(
      `${short('p')}${spelled('password')} <password>`,
      `password or token of the registry${of}`,
      registry,
    ),
    passwordStdin: flag(spelled('password-stdin'), 'read the password from stdin', {
      ...registry,
      hidden: side !== '',
    }),
    identityToken: text(`${spelled('identity-token')} <token>`, `identity token of the registry${of}`, registry),
    identityTokenStdin: flag(spelled('identity-token-stdin'), 'read the identity token from stdin', {
      ...registry,
      hidden: side !== '',
    }),
    registryConfig: list(`${spelled('registry-config')} <file>`, `file with credentials${of}`, {
      ...registry,
    }),
    header: list(`${short('H')}${spelled('header')} <name:value>`, `add a header to requests${of}`, registry),
    authHost: list(`${spelled('auth-host')} <host>`, `trust this token service with the credentials${of}`, registry),
    resolve: list(`${spelled('resolve')} <host:port:address[:port]>`, `connect to another address${of}`, registry),
    ...tlsOptionsOf(spelled, of),
    distributionSpec: text(
      `${spelled('distribution-spec')} <spec>`,
      `how referrers${of} are kept: v1.1-referrers-api or v1.1-referrers-tag; found out when not given`,
      { ...registry, stage: 'preview' },
    ),
    ociLayout: flag(
      spelled('oci-layout'),
      'the reference is <path>[:<tag>|@<digest>] of an OCI image layout',
      registry,
    ),
    ociLayoutPath: text(
      `${spelled('oci-layout-path')} <path>`,
      'the OCI image layout that the reference is looked up in',
      { ...registry, stage: 'experimental' },
    ),
  }
}

/** The flags that say whom to trust, and who to be, on TLS connections. */
function tlsOptionsOf(spelled: (name: string) => string, of: string) {
  const tls = { group: 'tls' } as const
  const file = { group: 'tls' } as const
  return {
    insecure: flag(spelled('insecure'), `do not check the TLS certificate of the registry${of}`, tls),
    tlsVerify: decision(
      spelled('tls-verify'),
      `check the TLS certificate${of}; ${spelled('tls-verify')}=false is ${spelled('insecure')}`,
      tls,
    ),
    plainHttp: decision(spelled('plain-http'), `talk to the registry${of} without TLS`, tls),
    caFile: text(
      `${spelled('ca-file')} <file>`,
      `certificate authorities to trust${of}, instead of the system's`,
      file,
    ),
    certFile: text(`${spelled('cert-file')} <file>`, `client certificate for the registry${of}`, file),
    keyFile: text(`${spelled('key-file')} <file>`, `key of the client certificate${of}`, file),
  }
}

type AccessValues = OptionValues<ReturnType<typeof optionsOf>>

/** The flags that say how to reach a target, under names that no other flags of a command have. */
export function accessOptions({ side, referrers, layout }: AccessDeclaration): Options {
  const declared: [string, Option<unknown>][] = Object.entries(optionsOf(side)).filter(([name, { hidden }]) => {
    if (name === 'distributionSpec') return referrers
    if (name === 'ociLayout' || name === 'ociLayoutPath') return layout
    return hidden !== true
  })
  const both = side === 'from-' ? [['resolve', bothSides] as [string, Option<unknown>]] : []
  return Object.fromEntries([...declared.map(([name, option]) => [keyOf(side, name), option] as const), ...both])
}

const bothSides = list('--resolve <host:port:address[:port]>', 'connect to another address, on both sides', {
  group: 'registry',
})

function keyOf(side: Side, name: string): string {
  return side === '' ? name : `${side.slice(0, -1)}${name.charAt(0).toUpperCase()}${name.slice(1)}`
}

/**
 * Reads the flags that {@link accessOptions} declares; may read a secret from stdin.
 * @throws UsageError for flags that do not go together
 */
export async function readAccess(
  all: Readonly<Record<string, unknown>>,
  context: Context,
  side: Side,
): Promise<OpenOptions> {
  const names = Object.keys(optionsOf(side))
  const values = Object.fromEntries(names.map((name) => [name, all[keyOf(side, name)]])) as Partial<AccessValues>
  const { ociLayout, ociLayoutPath, header = [] } = values
  checkExclusive({ [`${side}oci-layout-path`]: ociLayoutPath, [`${side}oci-layout`]: ociLayout })
  if (ociLayout !== true && ociLayoutPath === undefined) {
    const shared = side === '' ? [] : ((all.resolve ?? []) as readonly string[])
    return {
      access: await readRegistryAccess(values, { context, side, resolve: [...shared, ...(values.resolve ?? [])] }),
    }
  }
  if (header.length > 0) throw new UsageError('custom header flags cannot be used on an OCI image layout target')
  return ociLayoutPath === undefined ? { scheme: 'oci-layout' } : { layoutPath: ociLayoutPath }
}

interface AccessReading {
  readonly context: Context
  readonly side: Side
  readonly resolve: readonly string[]
}

async function readRegistryAccess(
  values: Partial<AccessValues>,
  { context, side, resolve }: AccessReading,
): Promise<RegistryAccess> {
  checkCredentialFlags(values, side)
  warnAboutSecrets(values, context, side)
  const { registryConfig = [], header = [], authHost, plainHttp, distributionSpec } = values
  const files = registryConfig.length === 0 ? undefined : { files: registryConfig }
  return {
    credentials: (await readCredential(values, context)) ?? files,
    plainHttp,
    tls: await readTls(values, side),
    resolve: resolve.map(parseResolve),
    headers: parseHeaders(header),
    trustedAuthHosts: authHost,
    referrers: parseDistributionSpec(distributionSpec, side),
  }
}

function checkCredentialFlags(values: Partial<AccessValues>, side: Side): void {
  const { username, password, passwordStdin, identityToken, identityTokenStdin } = values
  checkExclusive({ [`${side}username`]: username, [`${side}identity-token`]: identityToken })
  checkExclusive({ username, 'identity-token-stdin': identityTokenStdin })
  checkExclusive({
    [`${side}identity-token`]: identityToken,
    'identity-token-stdin': identityTokenStdin,
    [`${side}password`]: password,
    'password-stdin': passwordStdin,
  })
}

function warnAboutSecrets({ password, identityToken }: Partial<AccessValues>, context: Context, side: Side): void {
  if (side !== '') return
  for (const [flagName, value] of Object.entries({ password, 'identity-token': identityToken })) {
    if (value === undefined) continue
    context.stderr.write(`WARNING! Using --${flagName} via the CLI is insecure. Use --${flagName}-stdin.\n`)
  }
}

async function readCredential(values: Partial<AccessValues>, context: Context): Promise<Credential | undefined> {
  const { username = '', passwordStdin, identityTokenStdin } = values
  const password = passwordStdin === true ? await readSecret(context) : values.password
  const token = identityTokenStdin === true ? await readSecret(context) : values.identityToken
  if (token !== undefined && token !== '') return { type: 'identity-token', token }
  if (username !== '') {
    const credential: Credential = { type: 'basic', username, password: password ?? '' }
    checkCredential(credential)
    return credential
  }
  // A password alone is an identity token, as `oras` has it.
  return password === undefined || password === '' ? undefined : { type: 'identity-token', token: password }
}

async function readTls(
  { caFile, certFile, keyFile, insecure, tlsVerify }: Partial<AccessValues>,
  side: Side,
): Promise<TlsOptions> {
  if ((certFile === undefined) !== (keyFile === undefined)) {
    const [given, missing] = certFile === undefined ? ['key', 'cert'] : ['cert', 'key']
    throw new UsageError(`--${side}${given}-file must be used in conjunction with --${side}${missing}-file`)
  }
  return {
    insecure: insecure === true || tlsVerify === false,
    ca: caFile === undefined ? undefined : [await readTextFile(caFile)],
    replaceRoots: caFile !== undefined,
    certificate: certFile === undefined ? undefined : await readTextFile(certFile),
    key: keyFile === undefined ? undefined : await readTextFile(keyFile),
  }
}

function parseResolve(text: string): HostOverride {
  const match = /^(\[[^\]]+\]|[^:]+):(\d+):(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(text)
  const [, host, port, address, addressPort] = match ?? []
  if (host === undefined || port === undefined || address === undefined) {
    throw new UsageError(`failed to parse resolve flag "${text}": expecting host:port:address[:address_port]`)
  }
  const ip = address.replace(/^\[|\]$/g, '')
  if (isIP(ip) === 0) throw new UsageError(`failed to parse resolve flag "${text}": invalid IP address`)
  return {
    host,
    port: Number(port),
    address: ip,
    addressPort: addressPort === undefined ? undefined : Number(addressPort),
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

function parseDistributionSpec(text: string | undefined, side: Side): ReferrersMode {
  if (text === undefined) return 'auto'
  if (text === 'v1.1-referrers-api') return 'api'
  if (text === 'v1.1-referrers-tag') return 'tag'
  throw new UsageError(
    `invalid argument "${text}" for "--${side}distribution-spec" flag: unknown distribution specification flag: ${text}`,
    { hint: 'Available options: v1.1-referrers-tag, v1.1-referrers-api' },
  )
}

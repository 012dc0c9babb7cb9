import { GantryError } from '../../errors.js'
import type { Matcher } from '../../signature/certificate-trust.js'
import type { Trust } from '../../signature/trust.js'
import type { Gate } from '../../signature/verified-copy.js'
import type { Context } from '../context.js'
import { UsageError } from '../usage-error.js'
import { parseAnnotationFlags } from './packer.js'
import { flag, list, requiredText, text, type OptionValues } from './option.js'
import { readDocument } from './text-file.js'

/** Most of a file with keys that is read: a trusted root holds dozens of certificates. */
const MAX_TRUST_FILE_SIZE = 4 * 1024 * 1024

/** The flags about certificates, of all commands that verify. */
const certificateOptions = {
  certificateIdentity: text('--certificate-identity <name>', 'who has to have signed, by certificate'),
  certificateIdentityRegexp: text('--certificate-identity-regexp <pattern>', 'the same, as a pattern'),
  certificateOidcIssuer: text('--certificate-oidc-issuer <url>', 'who has to vouch for that identity'),
  certificateOidcIssuerRegexp: text('--certificate-oidc-issuer-regexp <pattern>', 'the same, as a pattern'),
  trustedRoot: text(
    '--trusted-root <file>',
    'trusted_root.json with the authorities and logs that certificates lead to',
  ),
}

/** The flag of commands about signed statements. */
export const statementOptions = {
  type: requiredText(
    '--type <type>',
    'slsaprovenance, slsaprovenance1, spdx, cyclonedx, vuln, openvex, slsavsa, custom, or an address',
    { fallback: 'custom' },
  ),
}

/** The flags of commands that verify. */
export const trustOptions = {
  key: list('--key <key>', 'public key: a file, env://VARIABLE or the text itself; given several times, any of them'),
  allKeys: flag('--all-keys', 'every key that is named has to have signed'),
  annotation: list('-a, --annotation <key=value>', 'what the signer has to have added'),
  ...certificateOptions,
}

export type TrustValues = OptionValues<typeof trustOptions>

/** The flags of commands that verify before they do something else. */
export const gateOptions = {
  verifyKey: list(
    '--verify-key <key>',
    'copy only what this public key has signed: a file, env://VARIABLE or the text',
  ),
  verifyAllKeys: flag('--verify-all-keys', 'every key that is named has to have signed'),
  verifyAnnotation: list('--verify-annotation <key=value>', 'what the signer has to have added'),
  onlyIfAttested: list('--only-if-attested <type>', 'copy only with a signed statement of this type, such as spdx'),
  ...certificateOptions,
}

type GateValues = OptionValues<typeof gateOptions>

/** Whether something has to be verified first. */
export function wantsGate(values: GateValues): boolean {
  const { verifyKey, verifyAllKeys, verifyAnnotation, onlyIfAttested } = values
  const { identities, issuers } = namedIn(values)
  return (
    verifyAllKeys ||
    [verifyKey, verifyAnnotation, onlyIfAttested, identities, issuers].some((flags) => flags.length > 0)
  )
}

/** Refuses flags that do not say whose signatures count, where something has to be verified first. */
export function checkGate(values: GateValues, usage: string): void {
  if (wantsGate(values)) checkTrust(trustOf(values), usage)
}

/** What has to hold before something is copied, as the flags say. */
export async function readGate(values: GateValues, context: Context): Promise<Gate> {
  const { predicateTypeOf } = await import('../../signature/statement.js')
  return {
    ...(await readVerification(trustOf(values), context)),
    attested: values.onlyIfAttested.map(predicateTypeOf),
  }
}

function trustOf({ verifyKey, verifyAllKeys, verifyAnnotation, ...certificates }: GateValues): TrustValues {
  return { ...certificates, key: verifyKey, allKeys: verifyAllKeys, annotation: verifyAnnotation }
}

/** The identities and issuers of certificates that flags name, as they are or as patterns. */
function namedIn(values: OptionValues<typeof certificateOptions>): {
  readonly identities: readonly string[]
  readonly issuers: readonly string[]
} {
  const { certificateIdentity, certificateIdentityRegexp, certificateOidcIssuer, certificateOidcIssuerRegexp } = values
  return {
    identities: [certificateIdentity, certificateIdentityRegexp].filter((value) => value !== undefined),
    issuers: [certificateOidcIssuer, certificateOidcIssuerRegexp].filter((value) => value !== undefined),
  }
}

/** Refuses flags that do not say whose signatures count. */
export function checkTrust(values: TrustValues, usage: string): void {
  const { key } = values
  const { identities, issuers } = namedIn(values)
  if (key.length === 0 && identities.length === 0 && issuers.length === 0) {
    throw new UsageError('nothing says whose signatures count', {
      usage,
      hint: 'Name a key, or an identity with --certificate-identity and --certificate-oidc-issuer.',
    })
  }
  if (key.length > 0 && identities.length + issuers.length > 0) {
    throw new UsageError('keys and certificates cannot be asked for at once', { usage })
  }
  if (key.length > 0) return
  if (identities.length !== 1 || issuers.length !== 1) {
    throw new UsageError('certificates need one identity and one issuer', {
      usage,
      hint: 'Give --certificate-identity and --certificate-oidc-issuer, or one of their forms that end in -regexp.',
    })
  }
  if (values.trustedRoot === undefined) {
    throw new UsageError('certificates need a trusted root', {
      usage,
      hint: 'Give --trusted-root trusted_root.json: gantry asks nobody over the network whom to trust.',
    })
  }
}

/** Those whose signatures count, as the flags say; {@link checkTrust} has looked at them. */
export async function readTrust(values: TrustValues, context: Context): Promise<readonly Trust[]> {
  if (values.key.length > 0) {
    const [{ parsePublicKey }, { trustKey }] = await Promise.all([
      import('../../signature/public-key.js'),
      import('../../signature/trust.js'),
    ])
    const keys = await Promise.all(values.key.map((key) => readKey(key, context)))
    return keys.map(({ pem, name }) => trustKey(parsePublicKey(pem, name)))
  }
  const { trustCertificates } = await import('../../signature/certificate-trust.js')
  const trustedRoot = await readDocument(values.trustedRoot ?? '', MAX_TRUST_FILE_SIZE)
  const identity = matcherOf('identity', values.certificateIdentity, values.certificateIdentityRegexp)
  const issuer = matcherOf('oidc-issuer', values.certificateOidcIssuer, values.certificateOidcIssuerRegexp)
  return [await trustCertificates({ identity, issuer, trustedRoot })]
}

/** How a verification is done, as the flags say. */
export async function readVerification(
  values: TrustValues,
  context: Context,
): Promise<{
  readonly trusted: readonly Trust[]
  readonly requireAll: boolean
  readonly annotations: Readonly<Record<string, string>>
}> {
  return {
    trusted: await readTrust(values, context),
    requireAll: values.allKeys,
    annotations: parseAnnotationFlags(values.annotation),
  }
}

/** A key from a file, a variable or the flag itself. */
export async function readKey(
  key: string,
  { environment }: Context,
): Promise<{ readonly pem: string; readonly name: string }> {
  if (key.includes('-----BEGIN ')) return { pem: key, name: 'the key of the command line' }
  if (!key.startsWith('env://')) {
    return { pem: (await readDocument(key, MAX_TRUST_FILE_SIZE)).toString('utf8'), name: key }
  }
  const name = key.slice('env://'.length)
  const pem = environment[name]
  if (pem !== undefined && pem !== '') return { pem, name: `$${name}` }
  throw new GantryError('invalid-argument', `the variable ${name} holds no key: it is not set`)
}

function matcherOf(what: string, name: string | undefined, pattern: string | undefined): Matcher {
  if (pattern === undefined) return name ?? ''
  try {
    return new RegExp(pattern, 'u')
  } catch {
    throw new UsageError(`--certificate-${what}-regexp "${pattern}" is no regular expression`)
  }
}

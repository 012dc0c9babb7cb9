import { createPrivateKey, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'
import { isIP } from 'node:net'

/** A certificate and its key as PEM. */
export interface TestCertificate {
  readonly cert: string
  readonly key: string
}

export interface CertificateOptions {
  readonly name: string
  /** Names and IPv4 addresses that it is for. */
  readonly hosts?: readonly string[]
  /** Who signs it; itself without. */
  readonly issuer?: { readonly name: string; readonly key: string }
  readonly authority?: boolean
  /** Days from now; default -1 and 30. */
  readonly notBefore?: number
  readonly notAfter?: number
}

const OID = {
  commonName: '550403',
  ecdsaWithSha256: '2a8648ce3d040302',
  basicConstraints: '551d13',
  subjectAltName: '551d11',
}

/** Makes an X.509 certificate on the spot (RFC 5280), so that no key has to lie in the repository. */
export function createCertificate(options: CertificateOptions): TestCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  const signer: KeyObject = options.issuer === undefined ? privateKey : createPrivateKey(options.issuer.key)
  const algorithm = der(0x30, oid(OID.ecdsaWithSha256))
  const body = der(
    0x30,
    der(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    distinguishedName(options.issuer?.name ?? options.name),
    der(0x30, time(options.notBefore ?? -1), time(options.notAfter ?? 30)),
    distinguishedName(options.name),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(0x30, ...extensions(options))),
  )
  const signature = sign('sha256', body, signer)
  const certificate = der(0x30, body, algorithm, der(0x03, Buffer.from([0]), signature))
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? []
  return { key, cert: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n` }
}

/** A certificate authority, to be used as `issuer` as well. */
export function createAuthority(name: string): TestCertificate & { readonly name: string } {
  return { ...createCertificate({ name, authority: true }), name }
}

function extensions({ authority = false, hosts = [] }: CertificateOptions): Buffer[] {
  const constraints = der(0x30, ...(authority ? [der(0x01, Buffer.from([0xff]))] : []))
  const basic = der(0x30, oid(OID.basicConstraints), der(0x01, Buffer.from([0xff])), der(0x04, constraints))
  if (hosts.length === 0) return [basic]
  const names = hosts.map((host) => {
    return isIP(host) === 4 ? der(0x87, Buffer.from(host.split('.').map(Number))) : der(0x82, Buffer.from(host))
  })
  return [basic, der(0x30, oid(OID.subjectAltName), der(0x04, der(0x30, ...names)))]
}

function distinguishedName(name: string): Buffer {
  return der(0x30, der(0x31, der(0x30, oid(OID.commonName), der(0x0c, Buffer.from(name)))))
}

function time(days: number): Buffer {
  const date = new Date(Date.now() + days * 86_400_000).toISOString()
  return der(0x18, Buffer.from(`${date.slice(0, 19).replace(/[-:T]/g, '')}Z`))
}

function integer(bytes: Buffer): Buffer {
  return der(0x02, bytes)
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'))
}

/** One element: tag, length, content. */
function der(tag: number, ...content: Buffer[]): Buffer {
  const bytes = Buffer.concat(content)
  if (bytes.length < 128) return Buffer.concat([Buffer.from([tag, bytes.length]), bytes])
  const length = Buffer.from(bytes.length.toString(16).padStart(4, '0'), 'hex')
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, bytes])
}

import { X509Certificate } from 'node:crypto'
import * as nodeTls from 'node:tls'
import { GantryError } from '../../errors.js'
import type { TlsOptions } from './transport-options.js'

/** How TLS is spoken to one origin. */
export interface TlsSettings {
  readonly secureContext: nodeTls.SecureContext
  /** False to accept any certificate. */
  readonly verify: boolean
}

/**
 * Whose settings are wanted: those of the registry that the user named, or those of any other host, which is always
 * verified and never sees the client certificate.
 */
export type Trust = 'registry' | 'other'

/** Makes the settings of each kind of origin when they are first needed, since reading the authorities takes a while. */
export class TlsSettingsFactory {
  readonly #options: TlsOptions
  readonly #made = new Map<Trust, TlsSettings>()

  /** @throws GantryError `invalid-argument` when a certificate is given without its key, or the other way round */
  constructor(options: TlsOptions = {}) {
    if ((options.certificate === undefined) !== (options.key === undefined)) {
      throw new GantryError('invalid-argument', 'a client certificate and its key have to be given together')
    }
    this.#options = options
  }

  /** @throws GantryError `tls-error` when certificates or keys cannot be read */
  settingsOf(trust: Trust): TlsSettings {
    const known = this.#made.get(trust)
    if (known !== undefined) return known
    const settings = {
      secureContext: this.#createContext(trust),
      verify: trust !== 'registry' || this.#options.insecure !== true,
    }
    this.#made.set(trust, settings)
    return settings
  }

  #createContext(trust: Trust): nodeTls.SecureContext {
    const { ca = [], replaceRoots = false, certificate, key } = this.#options
    ca.forEach(checkCertificate)
    const isKnown = trust === 'registry' && certificate !== undefined && key !== undefined
    // Node's own are used where nothing is given, and loading them takes time.
    const roots = replaceRoots || ca.length === 0 ? [] : builtInAuthorities()
    try {
      return nodeTls.createSecureContext({
        ca: ca.length > 0 || replaceRoots ? [...roots, ...ca] : undefined,
        cert: isKnown ? certificate : undefined,
        key: isKnown ? key : undefined,
      })
    } catch (cause) {
      const what = isKnown ? 'client certificate or key' : 'certificate authority'
      throw new GantryError('tls-error', `${what} cannot be used`, { cause })
    }
  }
}

/** What is not a certificate would be left out silently, and the connection fail for a reason that nobody guesses. */
function checkCertificate(pem: string): void {
  try {
    new X509Certificate(pem)
  } catch (cause) {
    throw new GantryError('tls-error', 'certificate authority is not a certificate in PEM form', { cause })
  }
}

/** Newer versions of Node know of authorities that were added from outside as well. */
function builtInAuthorities(): readonly string[] {
  const getCACertificates = (nodeTls as { readonly getCACertificates?: (type: 'default') => string[] })
    .getCACertificates
  return getCACertificates === undefined ? nodeTls.rootCertificates : getCACertificates('default')
}

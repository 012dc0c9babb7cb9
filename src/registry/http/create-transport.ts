import type { Clock } from './clock.js'
import { HttpTransport, type LoginResult } from './http-transport.js'
import type { RegistryTransport } from './transport.js'
import type { TransportOptions } from './transport-options.js'

/** A transport that can be closed, and can prove the credentials that it was given. */
export interface Transport extends RegistryTransport {
  /**
   * Proves the credentials by `GET /v2/` with everything that the registry asks for on the way.
   * @throws GantryError `unauthorized` when they are refused, `registry-error` when this is no registry
   */
  login(): Promise<LoginResult>
  /** Closes every connection; requests under way fail with `aborted`. */
  close(): Promise<void>
}

/** What only tests replace. */
export interface TransportInternals {
  readonly clock?: Clock
}

/**
 * Makes the transport to one registry. Nothing is contacted before the first request.
 * @throws GantryError `invalid-argument` for options that make no sense
 */
export function createTransport(options: TransportOptions): Transport
/** @internal */
// eslint-disable-next-line @typescript-eslint/unified-signatures -- callers outside see the first one alone
export function createTransport(options: TransportOptions, internals: TransportInternals): Transport
export function createTransport(options: TransportOptions, internals: TransportInternals = {}): Transport {
  return new HttpTransport(options, internals.clock)
}

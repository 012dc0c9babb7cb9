import type { IncomingMessage } from 'node:http'
import type { Exchange } from '../exchange.js'
import type { Access, Permission } from './access.js'

/** Finds out who sends a request and what they may do. */
export interface Authenticator {
  /**
   * @param permissions what the request needs; none: to be known at all
   * @throws Refusal `UNAUTHORIZED` with a challenge, or `DENIED`
   */
  authorize(request: IncomingMessage, permissions: readonly Permission[]): Promise<Access>
  /** Answers requests to the token endpoint; false for every other path. */
  answerTokenRequest?(exchange: Exchange): Promise<boolean>
}

/** Decides what a user may do; an anonymous one is undefined. */
export type Policy = (username: string | undefined, permission: Permission) => boolean

export interface AuthenticationOptions {
  /** User name and password in each request, or tokens from an endpoint of this registry. */
  readonly type: 'basic' | 'bearer'
  /** Passwords by user name, in clear. */
  readonly users?: Readonly<Record<string, string>>
  /** The text of an htpasswd file, with bcrypt (`htpasswd -B`) or `{SHA}` entries. */
  readonly htpasswd?: string
  /** Let everybody pull; default false. */
  readonly anonymousPull?: boolean
  /** What each user may do; default: users everything, others what `anonymousPull` says. */
  readonly allow?: Policy
  /** The realm of basic challenges; default `gantry registry`. */
  readonly realm?: string
  /** For tokens: what they are made out for; default `gantry-registry`. */
  readonly service?: string
  /** For tokens: the address that challenges name; default `/token` on this registry. */
  readonly tokenUrl?: string
  /** For tokens: seconds until they expire; default 300. */
  readonly tokenLifetime?: number
  /** For tokens: the key they are signed with; default: a new one in each process. */
  readonly signingKey?: Uint8Array
}

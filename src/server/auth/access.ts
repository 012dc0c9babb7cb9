import type { Refusal } from '../refusal.js'

/** What can be done with a repository. */
export type Action = 'pull' | 'push' | 'delete'

/** One thing that has to be allowed: an action on a repository, or reading the catalog. */
export type Permission =
  | { readonly type: 'repository'; readonly name: string; readonly action: Action }
  | { readonly type: 'registry'; readonly name: 'catalog'; readonly action: '*' }

/** What the sender of a request may do. */
export interface Access {
  /** Undefined for an anonymous sender. */
  readonly username: string | undefined
  allows(permission: Permission): boolean
  /** Present when the sender could come back with a token that allows more: the refusal that asks for it. */
  askFor?(permissions: readonly Permission[]): Refusal | undefined
}

/** Everything is allowed to everyone: a registry without authentication. */
export const OPEN_ACCESS: Access = { username: undefined, allows: () => true }

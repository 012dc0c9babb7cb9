import { isDigest } from '../oci/digest.js'
import { repositoryScope, type Scope } from './auth/scope.js'
import type { RegistryAnswer, RegistryTransport, Repetition } from './http/transport.js'
import type { RegistryState } from './registry-state.js'

export type RepositoryAction = 'pull' | 'push' | 'delete'

/** A repository and the way to it: what every request of the distribution API needs. */
export interface RepositoryContext {
  readonly transport: RegistryTransport
  readonly state: RegistryState
  readonly name: string
  /** Actions that every token has to cover, beside those that a request needs. */
  readonly actions: readonly RepositoryAction[]
  /** Largest manifest, index or list page that is read, in bytes. */
  readonly maxManifestSize: number
  /** Media types that manifests are asked for as, the most wanted first. */
  readonly manifestTypes: readonly string[]
  /** How something that broke off is taken up again. */
  readonly repetition: Repetition
}

/** What a request needs to be allowed on this repository. */
export function scopesOf(context: RepositoryContext, ...needed: readonly RepositoryAction[]): readonly [Scope] {
  return [repositoryScope(context.name, ...new Set([...needed, ...context.actions]))]
}

/** The reference of a tag or a digest in this repository, as people write it. */
export function referenceIn(context: RepositoryContext, target: string): string {
  return `${context.transport.registry}/${context.name}${isDigest(target) ? '@' : ':'}${target}`
}

/** The address of the repository itself, for messages. */
export function repositoryText(context: RepositoryContext): string {
  return `${context.transport.registry}/${context.name}`
}

/** Whether the registry itself has answered, and not a host that it has redirected to. */
export function isOwnAnswer({ transport }: RepositoryContext, { url }: RegistryAnswer): boolean {
  return new URL(url, transport.origin).origin === new URL(transport.origin).origin
}

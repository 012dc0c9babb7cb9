import type { Scope } from './scope.js'

/** Actions that mean every action. */
const EVERYTHING = '*'

/**
 * Everything that a token has to allow: for each resource a set of actions. Registries name them in any order, so two
 * sets are compared by their sorted form; the order in which resources were added is kept for asking.
 */
export class ScopeSet {
  readonly #resources: ReadonlyMap<string, ReadonlySet<string>>

  private constructor(resources: ReadonlyMap<string, ReadonlySet<string>>) {
    this.#resources = resources
  }

  static of(scopes: readonly Scope[]): ScopeSet {
    return ScopeSet.#from(scopes.map(({ type, name, actions }) => [`${type}:${name}`, actions]))
  }

  /**
   * Parses what a challenge asks for: scopes separated by spaces. A resource may contain colons (a port), so type and
   * actions are what stands before the first and after the last one. What is no scope (`*`, empty) is left out.
   */
  static parse(text: string): ScopeSet {
    const entries = text.split(/\s+/).flatMap((scope): [string, string[]][] => {
      const last = scope.lastIndexOf(':')
      if (scope.indexOf(':') >= last - 1) return []
      return [[scope.slice(0, last), scope.slice(last + 1).split(',')]]
    })
    return ScopeSet.#from(entries)
  }

  static #from(entries: readonly (readonly [string, readonly string[]])[]): ScopeSet {
    const resources = new Map<string, Set<string>>()
    for (const [resource, actions] of entries) {
      const known = resources.get(resource) ?? new Set()
      actions.filter((action) => action !== '').forEach((action) => known.add(action))
      if (known.size > 0) resources.set(resource, known)
    }
    return new ScopeSet(resources)
  }

  get isEmpty(): boolean {
    return this.#resources.size === 0
  }

  /** The same for sets that allow the same, whatever their order. */
  get key(): string {
    return [...this.toStrings()].sort().join(' ')
  }

  /** One `type:name:action,action` for each resource, in the order of adding, actions sorted. */
  toStrings(): string[] {
    return [...this.#resources].map(([resource, actions]) => `${resource}:${[...actions].sort().join(',')}`)
  }

  /** Name of the first repository. */
  get repository(): string | undefined {
    const prefix = 'repository:'
    return [...this.#resources.keys()].find((resource) => resource.startsWith(prefix))?.slice(prefix.length)
  }

  /** This set's resources first, so that what matters most stays in front. */
  union(other: ScopeSet): ScopeSet {
    return ScopeSet.#from([...this.#entries(), ...other.#entries()])
  }

  /** The same resources with actions changed; a resource without any is dropped. */
  map(change: (actions: readonly string[], resource: string) => readonly string[]): ScopeSet {
    return ScopeSet.#from(this.#entries().map(([resource, actions]) => [resource, change(actions, resource)]))
  }

  /** Whether a token for this set also allows everything in `other`. */
  covers(other: ScopeSet): boolean {
    return other.#entries().every(([resource, actions]) => {
      const own = this.#resources.get(resource)
      return own !== undefined && (own.has(EVERYTHING) || actions.every((action) => own.has(action)))
    })
  }

  #entries(): [string, string[]][] {
    return [...this.#resources].map(([resource, actions]) => [resource, [...actions]])
  }
}

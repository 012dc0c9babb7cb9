/** What a token has to allow (distribution, token scope documentation): one resource and the actions on it. */
export interface Scope {
  readonly type: 'repository' | 'registry'
  readonly name: string
  readonly actions: readonly string[]
}

/** The scope of actions on a repository. */
export function repositoryScope(name: string, ...actions: readonly ('pull' | 'push' | 'delete')[]): Scope {
  return { type: 'repository', name, actions }
}

/** The scope of the catalog. */
export const CATALOG_SCOPE: Scope = { type: 'registry', name: 'catalog', actions: ['*'] }

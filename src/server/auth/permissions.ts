import type { Route } from '../route.js'
import type { Action, Permission } from './access.js'

/** What a request needs to be allowed. */
export function permissionsFor(route: Route, method: string): readonly Permission[] {
  switch (route.kind) {
    case 'base':
      return []
    case 'catalog':
      return [{ type: 'registry', name: 'catalog', action: '*' }]
    case 'tags':
    case 'referrers':
      return on(route.repository, 'pull')
    case 'blob':
    case 'manifest':
      if (method === 'GET') return on(route.repository, 'pull')
      return method === 'DELETE' ? on(route.repository, 'delete') : on(route.repository, 'pull', 'push')
    case 'uploads':
    case 'upload':
      return on(route.repository, 'pull', 'push')
  }
}

function on(name: string, ...actions: readonly Action[]): readonly Permission[] {
  return actions.map((action) => ({ type: 'repository', name, action }))
}

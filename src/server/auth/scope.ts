import { isRepositoryName } from '../../oci/reference.js'
import type { Permission } from './access.js'

const ACTIONS = ['pull', 'push', 'delete'] as const

/** `type:name:action,action`: how challenges and token requests write permissions (Docker's token authentication). */
export function formatScopes(permissions: readonly Permission[]): string {
  const actions = new Map<string, string[]>()
  for (const { type, name, action } of permissions) {
    const resource = `${type}:${name}`
    const others = actions.get(resource)
    if (others === undefined) actions.set(resource, [action])
    else if (!others.includes(action)) others.push(action)
  }
  return [...actions].map(([resource, names]) => `${resource}:${names.join(',')}`).join(' ')
}

/** Reads scopes, separated by spaces; what this registry does not know is left out. */
export function parseScopes(text: string): readonly Permission[] {
  return text.split(' ').flatMap(parseScope)
}

function parseScope(text: string): readonly Permission[] {
  const first = text.indexOf(':')
  const last = text.lastIndexOf(':')
  if (first === -1 || last === first) return []
  const [type, name, actions] = [text.slice(0, first), text.slice(first + 1, last), text.slice(last + 1).split(',')]
  if (type === 'registry' && name === 'catalog') return actions.includes('*') ? [{ type, name, action: '*' }] : []
  if (type !== 'repository' || !isRepositoryName(name)) return []
  return ACTIONS.filter((action) => actions.includes(action) || actions.includes('*')).map((action) => ({
    type,
    name,
    action,
  }))
}

import { isGantryError } from '../errors.js'
import { repositoryText, type RepositoryContext } from './repository-context.js'

/**
 * Whether a registry's refusal of something that is only looked for means that it is not there: some registries answer
 * 403 for every tag that does not exist. That the same repository has been read or written shows that access is not
 * what is missing. Says so once for each repository.
 */
export function deniesWhatIsAbsent(context: RepositoryContext, error: unknown): boolean {
  if (!isGantryError(error, 'denied') || error.response?.status !== 403 || !context.state.accessible.has(context.name))
    return false
  context.transport.notice?.(
    `${repositoryText(context)} can be read, but the registry denies access to tags or lists that may not exist ` +
      'there, such as signatures and lists of referrers: they are taken to be absent',
  )
  return true
}

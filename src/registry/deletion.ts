import { GantryError, isGantryError } from '../errors.js'
import type { CallOptions } from '../store/store.js'
import { delay } from '../util/abort.js'
import { backoffDelay } from '../util/backoff.js'
import { isRetryableStatus } from './http/retry.js'
import { scopesOf, type RepositoryContext } from './repository-context.js'
import { responseError } from './response-error.js'
import { isUnclear } from './unclear-outcome.js'

/** How often a deletion is asked for. */
const MAX_ATTEMPTS = 5

export interface Deletion extends CallOptions {
  /** Path of what is to go. */
  readonly path: string
  /** The reference of what is to go. */
  readonly what: string
  /** Advice for where the registry does not offer this. */
  readonly hint: string
}

/**
 * Deletes by one request (distribution-spec, end-9 and end-10). "Not found" after an attempt whose outcome was unclear
 * is a success: that attempt did it.
 * @throws GantryError `not-found`; `unsupported` where the registry does not delete
 */
export async function deleteFromRegistry(context: RepositoryContext, deletion: Deletion): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    let failure: GantryError
    let mayRepeat = true
    try {
      const answer = await context.transport.request({
        method: 'DELETE',
        url: deletion.path,
        scopes: scopesOf(context, 'delete'),
        retry: 'never',
        signal: deletion.signal,
      })
      if ([202, 200, 204].includes(answer.status)) {
        await answer.discard()
        return
      }
      failure = await responseError(answer)
      if (answer.status === 404 && attempt > 1) return
      mayRepeat = isRetryableStatus(answer.status)
    } catch (error) {
      if (!isGantryError(error) || !isUnclear(error)) throw error
      failure = error
    }
    if (attempt === MAX_ATTEMPTS || !mayRepeat) throw explain(failure, deletion)
    await delay(backoffDelay(attempt, context.backoff), deletion.signal)
  }
}

function explain(failure: GantryError, { what, hint }: Deletion): GantryError {
  const { response } = failure
  if (response?.status === 404) {
    return new GantryError('not-found', `${what}: not found`, { response, cause: failure })
  }
  const isRefusedTag = response?.errors.some(({ code }) => code.toUpperCase() === 'DIGEST_INVALID') === true
  if (failure.code !== 'unsupported' && !isRefusedTag) return failure
  return new GantryError('unsupported', failure.message, { hint, response, cause: failure })
}

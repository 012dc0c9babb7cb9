import { GantryError, isGantryError } from '../errors.js'
import type { CallOptions } from '../store/store.js'
import { isRetryableStatus } from './http/retry.js'
import { Attempts } from './repetition.js'
import { scopesOf, type RepositoryContext } from './repository-context.js'
import { responseError } from './response-error.js'
import { isUnclear } from './unclear-outcome.js'

export interface Deletion extends CallOptions {
  /** Path of what is to go. */
  readonly path: string
  /** The reference of what is to go. */
  readonly what: string
  /** Asked after a 404 whether it is there all the same. */
  readonly isThere: () => Promise<boolean>
  /** Advice for where the registry does not offer this. */
  readonly hint: string
}

/**
 * Deletes by one request (distribution-spec, end-9 and end-10). "Not found" after an attempt whose outcome was unclear
 * is a success: that attempt did it.
 * @throws GantryError `not-found`; `unsupported` where the registry does not delete, or answers 404 and keeps the content
 */
export async function deleteFromRegistry(context: RepositoryContext, deletion: Deletion): Promise<void> {
  const attempts = new Attempts(context.repetition, context.transport, { method: 'DELETE', url: deletion.path })
  for (let isRepeated = false; ; isRepeated = true) {
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
      if (answer.status === 404 && isRepeated) return
      if (answer.status === 404 && (await deletion.isThere())) throw kept(failure, deletion)
      mayRepeat = isRetryableStatus(answer.status)
    } catch (error) {
      if (!isGantryError(error) || !isUnclear(error)) throw error
      failure = error
    }
    const explained = explain(failure, deletion)
    if (!mayRepeat) throw explained
    await attempts.again(explained, deletion.signal)
  }
}

function kept({ response }: GantryError, { what, hint }: Deletion): GantryError {
  return new GantryError('unsupported', `${what}: the registry has it, and answers "not found" to its deletion`, {
    hint,
    response,
  })
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

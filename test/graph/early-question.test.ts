import { describe, expect, test } from 'vitest'
import { GantryError } from '../../src/errors.js'
import { EarlyQuestion } from '../../src/graph/early-question.js'
import type { CallOptions } from '../../src/store/store.js'
import { delay } from '../../src/util/abort.js'

const never = async ({ signal }: CallOptions): Promise<string> => {
  await delay(60_000, signal)
  return 'late'
}

describe('a question that is asked early', () => {
  test('has its answer for whoever wants it', async () => {
    const question = new EarlyQuestion(() => Promise.resolve('yes'), {})
    expect(await question.answer).toBe('yes')
    await question.end()
    expect(await question.answer).toBe('yes')
  })

  test('fails for those who wait, and for nobody else', async () => {
    const fail = (): Promise<string> => Promise.reject(new GantryError('denied', 'no'))
    await new EarlyQuestion(fail, {}).end()
    await expect(new EarlyQuestion(fail, {}).answer).rejects.toMatchObject({ code: 'denied' })
  })

  test('is given up when nobody wants the answer any more', async () => {
    const question = new EarlyQuestion(never, {})
    await question.end()
    await expect(question.answer).rejects.toMatchObject({ code: 'aborted' })
  })

  test.each([
    ['before', true],
    ['afterwards', false],
  ])('is given up with everything else when the signal fires %s', async (_, isBefore) => {
    const controller = new AbortController()
    const reason = new GantryError('aborted', 'enough')
    if (isBefore) controller.abort(reason)
    const question = new EarlyQuestion(never, { signal: controller.signal })
    controller.abort(reason)
    await expect(question.answer).rejects.toBe(reason)
  })
})

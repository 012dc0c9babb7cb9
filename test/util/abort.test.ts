import { expect, test } from 'vitest'
import { GantryError } from '../../src/errors.js'
import { abortError, delay, throwIfAborted } from '../../src/util/abort.js'

test('nothing is thrown without a signal, and before it fires', () => {
  throwIfAborted(undefined)
  throwIfAborted(new AbortController().signal)
})

test('a signal that has fired throws, with its reason as the cause', () => {
  const reason = new Error('enough')
  expect(() => throwIfAborted(AbortSignal.abort(reason))).toThrow(
    expect.objectContaining({ code: 'aborted', cause: reason }),
  )
})

test('a GantryError as the reason is thrown itself', () => {
  const reason = new GantryError('timeout', 'took too long')
  expect(abortError(AbortSignal.abort(reason))).toBe(reason)
})

test('a delay ends by itself', async () => {
  const start = performance.now()
  await delay(20, new AbortController().signal)
  expect(performance.now() - start).toBeGreaterThan(15)
})

test('a delay ends when the signal fires', async () => {
  const controller = new AbortController()
  const wait = delay(60_000, controller.signal)
  controller.abort()
  await expect(wait).rejects.toMatchObject({ code: 'aborted' })
  await expect(delay(60_000, controller.signal)).rejects.toMatchObject({ code: 'aborted' })
})

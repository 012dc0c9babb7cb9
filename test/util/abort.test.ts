import { getEventListeners } from 'node:events'
import { expect, onTestFinished, test, vi } from 'vitest'
import { GantryError } from '../../src/errors.js'
import { abortError, delay, onAbort, throwIfAborted, untilAborted } from '../../src/util/abort.js'

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

test('a delay ends by itself, and not before its time', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  let hasEnded = false
  const wait = delay(20, new AbortController().signal).then(() => (hasEnded = true))
  await vi.advanceTimersByTimeAsync(19)
  expect(hasEnded).toBe(false)
  await vi.advanceTimersByTimeAsync(1)
  await wait
})

test('a delay ends when the signal fires', async () => {
  const controller = new AbortController()
  const wait = delay(60_000, controller.signal)
  controller.abort()
  await expect(wait).rejects.toMatchObject({ code: 'aborted' })
  await expect(delay(60_000, controller.signal)).rejects.toMatchObject({ code: 'aborted' })
})

test('many may wait for one signal, and nobody is left listening', async () => {
  const warnings: Error[] = []
  const note = (warning: Error): number => warnings.push(warning)
  process.on('warning', note)
  const controller = new AbortController()
  await Promise.all(Array.from({ length: 50 }, () => delay(1, controller.signal)))
  let calls = 0
  const stops = Array.from({ length: 50 }, () => onAbort(controller.signal, () => calls++))
  for (const stop of stops) stop()
  controller.abort()
  await new Promise((resolve) => setImmediate(resolve))
  process.off('warning', note)
  expect(calls).toBe(0)
  expect(warnings).toEqual([])
})

test('each one who waits for a signal is called once, and none who has stopped meanwhile', () => {
  const controller = new AbortController()
  const calls: string[] = []
  const note = (): number => calls.push('twice')
  onAbort(controller.signal, note)
  onAbort(controller.signal, note)
  onAbort(controller.signal, () => {
    calls.push('stops the next one')
    stopNext()
  })
  const stopNext = onAbort(controller.signal, () => calls.push('never'))
  const stopLast = onAbort(controller.signal, () => calls.push('last'))
  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1)
  controller.abort()
  controller.abort()
  stopLast()
  expect(calls).toEqual(['twice', 'twice', 'stops the next one', 'last'])
})

test('a signal that everybody has stopped waiting for has no listener', () => {
  const { signal } = new AbortController()
  const stops = Array.from({ length: 3 }, () => onAbort(signal, () => undefined))
  for (const stop of stops) {
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    stop()
    stop()
  }
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

test('a promise is waited for until the signal fires, and its failure afterwards is nobody’s concern', async () => {
  const { signal } = new AbortController()
  expect(await untilAborted(Promise.resolve(1), undefined)).toBe(1)
  expect(await untilAborted(Promise.resolve(1), signal)).toBe(1)
  await expect(untilAborted(Promise.reject(new Error('no')), signal)).rejects.toThrow('no')
  const late = new Promise((_, reject) => setTimeout(reject, 20, new Error('too late')))
  await expect(untilAborted(late, AbortSignal.timeout(5))).rejects.toMatchObject({ code: 'aborted' })
  await new Promise((resolve) => setTimeout(resolve, 30))
})

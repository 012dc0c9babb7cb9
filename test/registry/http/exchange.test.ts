import type { Dispatcher } from 'undici'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { exchange } from '../../../src/registry/http/exchange.js'
import { timeoutsOf } from '../../../src/registry/http/timeouts.js'
import { openBytes } from '../../../src/util/bytes.js'

afterEach(() => {
  vi.useRealTimers()
})

describe('an upload that fails', () => {
  test('leaves no timer behind, even when the connection reads on afterwards', async () => {
    vi.useFakeTimers()
    const dispatched: { handler?: Dispatcher.DispatchHandler; body?: AsyncIterator<Uint8Array> } = {}
    const connection = {
      dispatch: (options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler) => {
        dispatched.handler = handler
        dispatched.body = options.body as unknown as AsyncIterator<Uint8Array>
      },
      receiveInto: () => undefined,
      release: () => undefined,
      drop: () => undefined,
      fail: () => undefined,
    }
    const answer = exchange(
      connection,
      {
        method: 'PUT',
        url: new URL('http://127.0.0.1/x'),
        target: '/x',
        headers: {},
        body: { content: openBytes(Buffer.from('all')), size: 3, contentType: 'application/octet-stream' },
        slowAnswer: true,
      },
      timeoutsOf({}),
    )
    await dispatched.body?.next()
    const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
    dispatched.handler?.onResponseError?.({} as Dispatcher.DispatchController, reset)
    await expect(answer).rejects.toMatchObject({ code: 'network-error' })
    expect(await dispatched.body?.next()).toMatchObject({ done: true })
    expect(vi.getTimerCount()).toBe(0)
  })
})

import { fc } from '../../properties.js'
import { describe, expect, test } from 'vitest'
import { GantryError } from '../../../src/errors.js'
import { networkError } from '../../../src/registry/http/network-error.js'
import { Answer } from '../../../src/registry/http/answer.js'
import { Retrier, retryLimitsOf } from '../../../src/registry/http/retry.js'
import type { TransportEvent } from '../../../src/registry/http/transport-event.js'
import type { RetryOptions } from '../../../src/registry/http/transport-options.js'
import { Readable } from 'node:stream'
import { get, put, useTransports, VirtualClock } from './transport-fixture.js'

const { serve, connect } = useTransports()

type Step = { readonly status: number; readonly retryAfter?: string } | { readonly code: string } | GantryError

interface Run {
  readonly result: Promise<Answer>
  readonly clock: VirtualClock
  readonly events: TransportEvent[]
  readonly attempts: () => number
}

function run(steps: readonly Step[], options: RetryOptions & { repeat?: boolean; signal?: AbortSignal } = {}): Run {
  const clock = new VirtualClock()
  const events: TransportEvent[] = []
  let attempts = 0
  const { repeat = true, signal, ...limits } = options
  const retrier = new Retrier(retryLimitsOf(limits), clock, (event) => events.push(event))
  const result = retrier.run({
    method: 'GET',
    url: () => 'http://h/v2/x?token=CANARY',
    repeat,
    ...(signal === undefined ? {} : { signal }),
    run: async () => {
      const step = steps[Math.min(attempts++, steps.length - 1)]!
      if (step instanceof GantryError) throw step
      if ('code' in step)
        throw networkError(Object.assign(new Error('x'), { code: step.code }), { host: 'h:80', secure: true })
      const headers = step.retryAfter === undefined ? {} : { 'retry-after': step.retryAfter }
      return new Answer(step.status, 'GET', 'http://h/v2/x', { headers, body: Readable.from([]) })
    },
  })
  result.catch(() => undefined)
  return { result, clock, events, attempts: () => attempts }
}

describe('Retrier', () => {
  test.each([408, 425, 429, 499, 500, 502, 503, 504, 520, 521, 522, 523, 524])('repeats %i', async (status) => {
    const { result, attempts } = run([{ status }, { status: 200 }])
    await expect(result).resolves.toMatchObject({ status: 200, attempts: 2 })
    expect(attempts()).toBe(2)
  })

  test.each([200, 201, 202, 204, 206, 304, 400, 401, 403, 404, 405, 409, 412, 413, 415, 416, 501, 505])(
    'takes %i for an answer',
    async (status) => {
      const { result, attempts } = run([{ status }])
      await expect(result).resolves.toMatchObject({ status, attempts: 1 })
      expect(attempts()).toBe(1)
    },
  )

  test.each([
    ['ECONNRESET', 5],
    ['EPIPE', 5],
    ['ETIMEDOUT', 5],
    ['EAI_AGAIN', 5],
    ['UND_ERR_SOCKET', 5],
    ['ECONNREFUSED', 2],
    ['ENOTFOUND', 1],
    ['CERT_HAS_EXPIRED', 1],
    ['SELF_SIGNED_CERT_IN_CHAIN', 1],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 1],
    ['UND_ERR_HEADERS_OVERFLOW', 1],
    ['WHATEVER', 1],
  ])('tries %s %i times', async (code, expected) => {
    const { result, attempts } = run([{ code }])
    await expect(result).rejects.toBeInstanceOf(GantryError)
    expect(attempts()).toBe(expected)
  })

  test.each<[GantryError, number]>([
    [new GantryError('timeout', 'no answer'), 5],
    [new GantryError('untrusted-destination', 'no'), 1],
    [new GantryError('digest-mismatch', 'no'), 1],
    [new GantryError('aborted', 'no'), 1],
  ])('tries %s %i times', async (error, expected) => {
    const { result, attempts } = run([error])
    await expect(result).rejects.toMatchObject({ code: error.code })
    expect(attempts()).toBe(expected)
  })

  test('500 for ever is returned after five attempts, with growing waits', async () => {
    const { result, clock, events, attempts } = run([{ status: 500 }])
    await expect(result).resolves.toMatchObject({ status: 500, attempts: 5 })
    expect(attempts()).toBe(5)
    expect(clock.waits).toEqual([300, 600, 1200, 2400])
    expect(events.map(({ type }) => type)).toEqual(['retry', 'retry', 'retry', 'retry', 'gave-up'])
    expect(events[0]).toEqual({
      type: 'retry',
      method: 'GET',
      url: 'http://h/v2/x?token=*****',
      attempt: 1,
      attempts: 5,
      delay: 300,
      reason: 'status 500',
    })
    expect(events[4]).toMatchObject({ attempts: 5, reason: 'status 500' })
  })

  test('waits are bounded', async () => {
    const { result, clock } = run([{ status: 500 }], { attempts: 20, maxTotalDelay: 1e9 })
    await result
    expect(Math.max(...clock.waits)).toBe(15_000)
  })

  test('the whole of the waiting is bounded', async () => {
    const { result, clock, attempts } = run([{ status: 503, retryAfter: '50' }])
    await expect(result).resolves.toMatchObject({ status: 503 })
    expect(clock.waits).toEqual([50_000, 50_000])
    expect(attempts()).toBe(3)
  })

  test.each<[string, number]>([
    ['4', 4_000],
    ['Thu, 15 Jan 2026 12:00:05 GMT', 5_000],
    ['Thursday, 15-Jan-26 12:00:05 GMT', 5_000],
    ['Thu Jan 15 12:00:05 2026', 5_000],
    ['-1', 300],
    ['abc', 300],
    ['0', 300],
    ['Wed, 14 Jan 2026 12:00:05 GMT', 300],
  ])('waits as long as Retry-After %s says', async (retryAfter, expected) => {
    for (const status of [429, 503]) {
      const { result, clock } = run([{ status, retryAfter }, { status: 200 }])
      await expect(result).resolves.toMatchObject({ status: 200 })
      expect(clock.waits).toEqual([expected])
    }
  })

  test.each([true, false])('a demand beyond the limit ends it at once (repeat: %s)', async (repeat) => {
    const { result, clock, attempts } = run([{ status: 429, retryAfter: '3600' }], { repeat })
    await expect(result).rejects.toMatchObject({
      code: 'rate-limited',
      message: 'h asks to wait 3600 s after status 429; the limit is 60 s',
      response: { status: 429 },
    })
    expect(attempts()).toBe(1)
    expect(clock.waits).toEqual([])
  })

  test('what must not be repeated is not', async () => {
    const { result, attempts, events } = run([{ status: 500 }], { repeat: false })
    await expect(result).resolves.toMatchObject({ status: 500 })
    expect(attempts()).toBe(1)
    expect(events).toEqual([])
  })

  test('the last error says how often it was tried, and what came first', async () => {
    const { result } = run([{ status: 500 }, { code: 'ECONNRESET' }])
    await expect(result).rejects.toMatchObject({
      code: 'network-error',
      message: 'h:80: connection reset (5 attempts; at first: status 500)',
    })
  })

  test('a fired signal ends the waiting', async () => {
    const controller = new AbortController()
    const { result } = run([{ status: 500 }], { signal: controller.signal })
    controller.abort()
    await expect(result).rejects.toMatchObject({ code: 'aborted' })
  })

  test('never goes beyond its bounds, asks once more only where that may help, and never too early', async () => {
    const retryAfter = fc.option(fc.constantFrom('1', '30', '60', '61', '3600', 'soon', '-5', '0', '1e9', PAST), {
      nil: undefined,
    })
    const status = fc.constantFrom(200, 404, 401, 409, 408, 429, 500, 503, 524)
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ status, retryAfter }) },
      fc.constantFrom(
        { code: 'ECONNRESET' },
        { code: 'ECONNREFUSED' },
        { code: 'ENOTFOUND' },
        { code: 'CERT_HAS_EXPIRED' },
      ),
      fc.constantFrom(new GantryError('digest-mismatch', 'x'), new GantryError('timeout', 'x')),
    )
    const options = fc.record({
      attempts: fc.integer({ min: 1, max: 8 }),
      firstDelay: fc.integer({ min: 1, max: 1000 }),
      maxDelay: fc.integer({ min: 1, max: 20_000 }),
      maxRetryAfter: fc.constantFrom(1000, 60_000),
      maxTotalDelay: fc.constantFrom(0, 500, 120_000),
      repeat: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 9 }), options, async (steps, limits) => {
        const { result, clock, attempts } = run(steps, limits)
        const outcome = await result.catch((error: unknown) => error)
        const stepAt = (index: number): Step => steps[Math.min(index, steps.length - 1)]!
        expect(attempts()).toBeLessThanOrEqual(limits.repeat ? limits.attempts : 1)
        expect(clock.waits.reduce((sum, wait) => sum + wait, 0)).toBeLessThanOrEqual(limits.maxTotalDelay)
        expect(clock.waits).toHaveLength(attempts() - 1)
        for (const [index, wait] of clock.waits.entries()) {
          const failed = stepAt(index)
          expect(isPassing(failed)).toBe(true)
          const wanted = 'status' in failed ? Number(failed.retryAfter) * 1000 : Number.NaN
          if (wanted > 0) expect(wait).toBe(wanted)
          else expect(wait).toBeLessThanOrEqual(limits.maxDelay)
          if (wanted > 0) expect(wanted).toBeLessThanOrEqual(limits.maxRetryAfter)
        }
        const last = stepAt(attempts() - 1)
        if (outcome instanceof Answer)
          expect({ status: outcome.status }).toEqual({ status: 'status' in last && last.status })
        else expect(outcome).toBeInstanceOf(GantryError)
      }),
    )
  })
})

const PAST = 'Sun, 06 Nov 1994 08:49:37 GMT'

/** Whether a failure may go away by itself, by the list of the statuses and errors that do. */
function isPassing(step: Step): boolean {
  if (step instanceof GantryError) return step.code === 'timeout'
  if ('code' in step) return ['ECONNRESET', 'ECONNREFUSED'].includes(step.code)
  return [408, 425, 429, 499, 500, 502, 503, 504, 520, 521, 522, 523, 524].includes(step.status)
}

describe('requests that fail', () => {
  test('503 twice, then 200', async () => {
    const server = await serve(({ index, answer }) => answer(index < 2 ? 503 : 200))
    const answer = await connect(server, {}, new VirtualClock()).request(get('/v2/x'))
    expect(answer).toMatchObject({ status: 200, attempts: 3 })
    expect(server.ledger).toHaveLength(3)
  })

  test('a connection that is reset before the answer', async () => {
    const server = await serve(({ index, answer, socket }) => {
      if (index < 2) socket.resetAndDestroy()
      else answer(200)
    })
    expect((await connect(server, {}, new VirtualClock()).request(get('/v2/x'))).status).toBe(200)
  })

  test('nobody listens', async () => {
    const server = await serve(() => undefined)
    await server.close()
    await expect(connect(server, {}, new VirtualClock()).request(get('/v2/x'))).rejects.toMatchObject({
      code: 'network-error',
      message: `${server.host}: connection refused (2 attempts)`,
      hint: 'is the server running, and is the port right?',
    })
  })

  test('no such host', async () => {
    const events: TransportEvent[] = []
    const transport = connect({ host: 'nosuch.invalid' }, { onEvent: (event) => events.push(event) })
    await expect(transport.request(get('/v2/x'))).rejects.toMatchObject({ code: 'network-error' })
  })

  test('an upload hands its failure over', async () => {
    const server = await serve(({ answer }) => answer(503))
    const answer = await connect(server, {}, new VirtualClock()).request(put('/v2/x', 'abc'))
    expect(answer.status).toBe(503)
    expect(server.ledger.filter(({ method }) => method === 'PUT')).toHaveLength(1)
  })

  test('an upload that may be repeated sends its content again', async () => {
    const server = await serve(({ entry, answer }) =>
      answer(entry.method === 'PUT' && puts(server.ledger) < 3 ? 500 : 201),
    )
    const answer = await connect(server, {}, new VirtualClock()).request(put('/v2/x', 'abc', { retry: 'free' }))
    expect(answer).toMatchObject({ status: 201, attempts: 3 })
    expect(server.ledger.at(-1)).toMatchObject({ bodyText: 'abc' })
  })

  test('one 429 holds every request to the host back', async () => {
    const server = await serve(({ index, answer }) => (index === 0 ? answer(429, { 'retry-after': '4' }) : answer(200)))
    const clock = new VirtualClock()
    const transport = connect(server, {}, clock)
    await (await transport.request({ ...get('/v2/x'), retry: 'never' })).discard()
    await (await transport.request(get('/v2/y'))).discard()
    expect(clock.waits).toHaveLength(1)
    expect(clock.waits[0]).toBeCloseTo(4_000)
  })
})

test('who waits for a place while another is told to hold back, holds back as well', async () => {
  const server = await serve(({ index, answer }) => (index === 0 ? answer(429, { 'retry-after': '4' }) : answer(200)))
  const clock = new VirtualClock()
  const transport = connect(server, { concurrency: 1 }, clock)
  const answers = await Promise.all(
    ['/v2/x', '/v2/y'].map(async (url) => transport.request({ ...get(url), retry: 'never' })),
  )
  expect(answers.map(({ status }) => status)).toEqual([429, 200])
  expect(clock.waits).toHaveLength(1)
})

function puts(ledger: readonly { readonly method: string }[]): number {
  return ledger.filter(({ method }) => method === 'PUT').length
}

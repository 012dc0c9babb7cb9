import { describe, expect, test } from 'vitest'
import { HostGate } from '../../../src/registry/http/host-gate.js'
import { Pacer, type Lane, type Permit } from '../../../src/registry/http/pacing.js'
import { retryLimitsOf } from '../../../src/registry/http/retry.js'
import { Answer } from '../../../src/registry/http/answer.js'
import { Readable } from 'node:stream'
import { delay } from '../../../src/util/abort.js'
import { get, put, useTransports, VirtualClock } from './transport-fixture.js'

const { serve, connect } = useTransports()

/** Asks for places until none is given any more. */
async function fill(pacer: Pacer, lane: Lane = 'without-body'): Promise<Permit[]> {
  const permits: Permit[] = []
  for (;;) {
    const controller = new AbortController()
    const wait = pacer.acquire(lane, controller.signal)
    const permit = await Promise.race([wait, delay(1).then(() => undefined)])
    if (permit === undefined) {
      controller.abort()
      await expect(wait).rejects.toMatchObject({ code: 'aborted' })
      return permits
    }
    permits.push(permit)
  }
}

describe('Pacer', () => {
  test('begins at eight and grows to thirty-two while answers come', async () => {
    const pacer = new Pacer()
    let permits = await fill(pacer)
    expect(permits).toHaveLength(8)
    for (const expected of [16, 32, 32]) {
      permits.forEach((permit) => permit.release('fine'))
      permits = await fill(pacer)
      expect(permits).toHaveLength(expected)
    }
  })

  test('halves once for everything that was under way', async () => {
    const pacer = new Pacer()
    const permits = await fill(pacer)
    permits.forEach((permit) => permit.release('throttled'))
    expect(pacer.limit).toBe(4)
    const later = await fill(pacer)
    expect(later).toHaveLength(4)
    later.forEach((permit) => permit.release('throttled'))
    expect(pacer.limit).toBe(2)
  })

  test('never goes below one, and grows slowly after a complaint', async () => {
    const pacer = new Pacer()
    for (let round = 0; round < 6; round++) (await pacer.acquire('without-body')).release('throttled')
    expect(pacer.limit).toBe(1)
    for (let round = 0; round < 6; round++) (await pacer.acquire('without-body')).release('fine')
    expect(pacer.limit).toBe(4)
  })

  test('learns nothing from a failed connection', async () => {
    const pacer = new Pacer()
    for (let round = 0; round < 20; round++) (await pacer.acquire('without-body')).release('unknown')
    expect(pacer.limit).toBe(8)
  })

  test('a fixed limit stays', async () => {
    const pacer = new Pacer(3)
    const permits = await fill(pacer)
    expect(permits).toHaveLength(3)
    permits[0]?.release('fine')
    permits[1]?.release('throttled')
    expect(pacer.limit).toBe(3)
  })

  test('uploads and everything else do not take places from each other', async () => {
    const pacer = new Pacer(2)
    expect(await fill(pacer, 'with-body')).toHaveLength(2)
    expect(await fill(pacer, 'without-body')).toHaveLength(2)
  })

  test('places are given in the order of asking', async () => {
    const pacer = new Pacer(1)
    const first = await pacer.acquire('without-body')
    const order: number[] = []
    const waiting = [1, 2, 3].map(async (number) => {
      const permit = await pacer.acquire('without-body')
      order.push(number)
      permit.release('fine')
    })
    first.release('fine')
    await Promise.all(waiting)
    expect(order).toEqual([1, 2, 3])
  })

  test('a place given back twice is one place', async () => {
    const pacer = new Pacer(1)
    const permit = await pacer.acquire('without-body')
    permit.release('fine')
    permit.release('fine')
    expect(await fill(pacer)).toHaveLength(1)
  })
})

describe('HostGate', () => {
  const answer = (status: number, retryAfter?: string): Answer =>
    new Answer(status, 'GET', 'http://h/', {
      headers: retryAfter === undefined ? {} : { 'retry-after': retryAfter },
      body: Readable.from([]),
    })

  test.each<[number, string | undefined, number[]]>([
    [200, '10', []],
    [429, '10', [10_000]],
    [503, '10', [10_000]],
    [429, undefined, [300]],
    [503, undefined, []],
    [500, '10', []],
    [429, '3600', [60_000]],
  ])('after %i with Retry-After %s it waits %j', async (status, retryAfter, waits) => {
    const clock = new VirtualClock()
    const gate = new HostGate(retryLimitsOf(), clock)
    gate.note(answer(status, retryAfter))
    await gate.pass()
    expect(clock.waits).toEqual(waits)
    await gate.pass()
    expect(clock.waits).toEqual(waits)
  })

  test('the clock on the wall does not matter', async () => {
    const clock = new VirtualClock()
    const gate = new HostGate(retryLimitsOf(), clock)
    gate.note(answer(429, '10'))
    clock.jump(3_600_000)
    await gate.pass()
    expect(clock.waits).toEqual([10_000])
  })
})

describe('requests in flight', () => {
  test.each([1, 4])('stay within the limit of %i', async (concurrency) => {
    let inFlight = 0
    let most = 0
    const server = await serve(async ({ answer }) => {
      most = Math.max(most, ++inFlight)
      await delay(5)
      inFlight--
      answer(200)
    })
    const transport = connect(server, { concurrency })
    await Promise.all(Array.from({ length: 20 }, async () => (await transport.request(get('/v2/x'))).discard()))
    expect(most).toBe(concurrency)
  })

  test('content can flow from one request into another at the narrowest limit', async () => {
    const server = await serve(({ entry, answer }) =>
      entry.method === 'GET' ? answer(200, {}, 'content') : answer(201),
    )
    const transport = connect(server, { concurrency: 1 })
    const open = async function* (): AsyncGenerator<Uint8Array> {
      yield* (await transport.request(get('/v2/from'))).body as AsyncIterable<Uint8Array>
    }
    const request = put('/v2/to', '')
    const copies = [1, 2, 3].map(async () =>
      transport.request({ ...request, body: { content: open, size: 7, contentType: 'application/octet-stream' } }),
    )
    const answers = await Promise.all(copies)
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201])
    expect(server.ledger.filter(({ method }) => method === 'PUT').map(({ bodyText }) => bodyText)).toEqual(
      new Array(3).fill('content'),
    )
  })
})

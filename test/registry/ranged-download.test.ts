import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { descriptorOf } from '../../src/oci/descriptor.js'
import { collect, NAME, someBytes, startTestRegistry, type TestRegistry } from './test-registry.js'
import type { Script, ScriptedExchange } from './http/scripted-server.js'

const MIB = 1024 * 1024
const bytes = someBytes(40 * MIB)
const descriptor = descriptorOf('application/octet-stream', bytes)
const ROUTE = `GET /v2/${NAME}/blobs/${descriptor.digest}`

interface SlowOptions {
  /** Milliseconds that each 512 KiB take on one connection; default 9. */
  readonly pause?: number
  /** Takes the answer to a request with this number over, if it returns true. */
  readonly intercept?: (exchange: ScriptedExchange, range: Range | undefined, number: number) => boolean
}

interface Range {
  readonly start: number
  readonly end: number
}

interface SlowRegistry extends TestRegistry {
  readonly ranges: (Range | undefined)[]
  /** Most answers to bounded ranges that were under way at a time. */
  peak(): number
  underWay(): number
}

function rangeOf({ request }: ScriptedExchange): Range | undefined {
  const match = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '')
  if (match === null) return undefined
  return { start: Number(match[1]), end: match[2] === '' ? bytes.length : Number(match[2]) + 1 }
}

function head({ response }: ScriptedExchange, range: Range | undefined, total = bytes.length): void {
  const { start, end } = range ?? { start: 0, end: bytes.length }
  const headers = range === undefined ? {} : { 'content-range': `bytes ${start}-${end - 1}/${total}` }
  response.writeHead(range === undefined ? 200 : 206, { 'content-length': end - start, ...headers })
}

async function send({ response }: ScriptedExchange, { start, end }: Range, pause: number): Promise<void> {
  for (let offset = start; offset < end && !response.destroyed; offset += 512 * 1024) {
    if (pause > 0) await wait(pause)
    const piece = bytes.subarray(offset, Math.min(end, offset + 512 * 1024))
    if (offset + piece.length < end) response.write(piece)
    else response.end(piece)
  }
}

/** A registry that sends at a bounded speed on each connection. */
async function startSlowRegistry({ pause = 9, intercept }: SlowOptions = {}): Promise<SlowRegistry> {
  const ranges: (Range | undefined)[] = []
  let [underWay, pieces, peak] = [0, 0, 0]
  const script: Script = (exchange) => {
    if (exchange.socket.destroyed) return
    const range = rangeOf(exchange)
    ranges.push(range)
    const isPiece = range !== undefined && !exchange.request.headers.range!.endsWith('-')
    underWay++
    if (isPiece) peak = Math.max(peak, ++pieces)
    exchange.response.once('close', () => {
      underWay--
      if (isPiece) pieces--
    })
    if (intercept?.(exchange, range, ranges.length - 1) === true) return
    head(exchange, range)
    void send(exchange, range ?? { start: 0, end: bytes.length }, pause)
  }
  const registry = await startTestRegistry({ [ROUTE]: script })
  return { ...registry, ranges, peak: () => peak, underWay: () => underWay }
}

describe('a large blob', () => {
  test('that is read by somebody who does not look back is read into the same memory', async () => {
    const registry = await startSlowRegistry()
    const buffers = new Set<ArrayBufferLike>()
    const last: { chunk: Uint8Array; copy: Buffer }[] = []
    let position = 0
    for await (const chunk of registry.repository().fetch(descriptor, { transient: true })) {
      expect(Buffer.compare(bytes.subarray(position, position + chunk.byteLength), chunk)).toBe(0)
      position += chunk.byteLength
      // What is less than a mebibyte back is as it was.
      last.push({ chunk, copy: Buffer.from(chunk) })
      const sizeAfter = (index: number): number =>
        last.slice(index + 1).reduce((sum, { chunk: later }) => sum + later.byteLength, 0)
      while (sizeAfter(0) >= MIB) last.shift()
      for (const { chunk: earlier, copy } of last) expect(copy.equals(earlier)).toBe(true)
      if (chunk.buffer.byteLength > MIB) buffers.add(chunk.buffer)
    }
    expect(position).toBe(bytes.length)
    expect(buffers.size).toBeLessThanOrEqual(10)
  })

  test('can be kept where nothing else was promised', async () => {
    const registry = await startSlowRegistry()
    const chunks: Uint8Array[] = []
    for await (const chunk of registry.repository().fetch(descriptor)) chunks.push(chunk)
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true)
  })

  test('that arrives slowly is read over several connections', async () => {
    const registry = await startSlowRegistry()
    expect((await collect(registry.repository().fetch(descriptor))).equals(bytes)).toBe(true)
    expect(registry.ranges[0]).toBeUndefined()
    expect(registry.ranges.length).toBeGreaterThan(8)
    expect(registry.peak()).toBeGreaterThan(1)
    expect(registry.peak()).toBeLessThanOrEqual(8)
    // Each byte is asked for once, but for those that the first stream had been asked for as well.
    const asked = registry.ranges.slice(1).map((range) => range!)
    expect(asked.reduce((sum, { start, end }) => sum + end - start, 0)).toBe(bytes.length - asked[0]!.start)
  })

  test('from an offset is, too', async () => {
    const registry = await startSlowRegistry()
    const offset = 5 * MIB + 7
    const content = await collect(registry.repository().fetch(descriptor, { offset }))
    expect(content.equals(bytes.subarray(offset))).toBe(true)
    expect(registry.ranges.length).toBeGreaterThan(5)
  })

  test('is not read far ahead of whoever reads it', async () => {
    const registry = await startSlowRegistry()
    const content = registry.repository().fetch(descriptor)[Symbol.asyncIterator]()
    let size = 0
    while (size < 14 * MIB) size += ((await content.next()).value as Uint8Array).length
    await wait(300)
    const asked = Math.max(...registry.ranges.map((range) => range?.end ?? 0))
    expect(asked).toBeGreaterThan(size)
    expect(asked - size).toBeLessThanOrEqual(33 * MIB)
    await content.return?.()
  })

  test('that is left early leaves nothing under way', async () => {
    const registry = await startSlowRegistry({
      intercept: (exchange, range, number) => {
        if (range === undefined || number < 6) return false
        // These would never end by themselves.
        head(exchange, range)
        exchange.response.write(bytes.subarray(range.start, range.start + 1000))
        return true
      },
    })
    let size = 0
    for await (const chunk of registry.repository().fetch(descriptor)) {
      size += chunk.length
      if (size > 18 * MIB && registry.ranges.length > 6) break
    }
    await expect.poll(() => registry.underWay()).toBe(0)
  })

  test('ends when the signal fires', async () => {
    const registry = await startSlowRegistry()
    const controller = new AbortController()
    const read = async (): Promise<void> => {
      let size = 0
      for await (const chunk of registry.repository().fetch(descriptor, { signal: controller.signal })) {
        size += chunk.length
        if (size > 20 * MIB) controller.abort()
      }
    }
    await expect(read()).rejects.toMatchObject({ code: 'aborted' })
    await expect.poll(() => registry.underWay()).toBe(0)
  })
})

describe('ranges that are not what was asked for', () => {
  test.each<[string, NonNullable<SlowOptions['intercept']>]>([
    [
      'all of the blob',
      (exchange, range) => {
        if (range === undefined) return false
        head(exchange, undefined)
        void send(exchange, { start: 0, end: bytes.length }, 9)
        return true
      },
    ],
    [
      '416',
      (exchange, range) => {
        if (range !== undefined) exchange.answer(416)
        return range !== undefined
      },
    ],
    [
      'another total',
      (exchange, range) => {
        if (range === undefined) return false
        head(exchange, range, bytes.length + 1)
        void send(exchange, range, 9)
        return true
      },
    ],
    [
      'less',
      (exchange, range) => {
        if (range === undefined) return false
        head(exchange, { start: range.start, end: range.start + 1000 })
        void send(exchange, { start: range.start, end: range.start + 1000 }, 9)
        return true
      },
    ],
  ])('but %s cost nothing', async (_, intercept) => {
    const registry = await startSlowRegistry({ intercept })
    expect((await collect(registry.repository().fetch(descriptor))).equals(bytes)).toBe(true)
    // One stream all the way, and one question.
    expect(registry.ranges).toHaveLength(2)
  })

  test('but more than that are never joined', async () => {
    const registry = await startSlowRegistry({
      intercept: (exchange, range) => {
        if (range === undefined || exchange.request.headers.range!.endsWith('-')) return false
        const { start, end } = range
        exchange.response.writeHead(206, { 'content-range': `bytes ${start}-${end - 1}/${bytes.length}` })
        void send(exchange, { start, end: end + 5 }, 1)
        return true
      },
    })
    expect((await collect(registry.repository().fetch(descriptor))).equals(bytes)).toBe(true)
  })

  test('later on are asked for in the ordinary way', async () => {
    const registry = await startSlowRegistry({
      intercept: (exchange, range, number) => {
        if (range === undefined || number % 5 !== 4) return false
        exchange.answer(503)
        return true
      },
    })
    expect((await collect(registry.repository().fetch(descriptor))).equals(bytes)).toBe(true)
  })

  test('and break off are resumed', async () => {
    const period = 3
    const registry = await startSlowRegistry({
      intercept: (exchange, range, number) => {
        if (range === undefined || number % period !== period - 1) return false
        head(exchange, range)
        const half = bytes.subarray(range.start, range.start + (range.end - range.start) / 2)
        exchange.response.write(half, () => setTimeout(() => exchange.socket.resetAndDestroy(), 5))
        return true
      },
    })
    expect((await collect(registry.repository().fetch(descriptor))).equals(bytes)).toBe(true)
  })
})

test('downloads at the same time share the memory', async () => {
  const registry = await startSlowRegistry({ pause: 9 })
  const repository = registry.repository()
  const contents = await Promise.all([1, 2, 3, 4].map(() => collect(repository.fetch(descriptor))))
  expect(contents.every((content) => content.equals(bytes))).toBe(true)
  expect(registry.peak()).toBeLessThanOrEqual(10)
})

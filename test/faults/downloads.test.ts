import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { digestOf } from '../../src/oci/digest.js'
import { someBytes } from '../registry/test-registry.js'
import { BLOB, FaultBench, MANIFEST, NAME } from './fault-bench.js'
import { cutAnswer, cutBefore, edit, editHeaders, sendRaw } from './faults.js'
import type { Fault } from './faulty-wire.js'

const SIZE = 256 * 1024
const HALF = SIZE / 2
const CONTENT = someBytes(SIZE)
const ALWAYS = { times: Number.POSITIVE_INFINITY }

async function open(): Promise<FaultBench> {
  const bench = await FaultBench.open()
  await bench.seed(CONTENT)
  return bench
}

/** The Range header of each request for the blob. */
function rangesOf({ wire }: FaultBench): readonly (string | undefined)[] {
  return wire.find('GET', BLOB).map(({ headers }) => headers.range)
}

/** The body without any word on its length: it ends where the connection does. */
function withoutLength(bytes: number): Fault {
  return sendRaw(({ body }) => Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), body.subarray(0, bytes)]))
}

/** The body in chunks, followed by some more bytes. */
function chunked(more: string): Fault {
  return edit(({ headers, body }) => ({
    headers: { ...headers, 'content-length': undefined, 'transfer-encoding': 'chunked' },
    body: Buffer.concat([body, Buffer.from(more)]),
  }))
}

const flipBit = edit(({ body }) => {
  const wrong = Buffer.from(body)
  wrong[HALF]! ^= 1
  return { body: wrong }
})

test.each([
  ['1', 'reset', 'reset'],
  ['2', 'closed', 'close'],
] as const)(
  '%s: a connection %s after half of a blob is taken up again where it broke',
  async (_case, _name, ending) => {
    const bench = await open()
    bench.wire.on('GET', BLOB, cutAnswer(HALF, ending))
    await bench.pulls(CONTENT)
    expect(rangesOf(bench)).toEqual([undefined, `bytes=${HALF}-`])
  },
)

test('3: a connection that breaks again and again gets through as long as each one brings something', async () => {
  const bench = await open()
  const part = Math.ceil(SIZE / 11)
  bench.wire.on('GET', BLOB, cutAnswer(part), { times: 10 })
  await bench.pulls(CONTENT)
  const places = Array.from({ length: 10 }, (_, index) => `bytes=${(index + 1) * part}-`)
  expect(rangesOf(bench)).toEqual([undefined, ...places])
})

test.each<[string, Fault]>([
  ['before its answer', cutBefore('reset')],
  ['at the first byte of its body', cutAnswer(0, 'reset')],
  ['quietly, at the first byte of its body', cutAnswer(0, 'close')],
])('4: a connection that always breaks %s is given up after five times', async (_where, fault) => {
  const bench = await open()
  bench.wire.on('GET', BLOB, fault, ALWAYS)
  await bench.failsToPull({ message: /^Error from source: 127\.0\.0\.1:\d+: connection (reset|closed)/m })
  expect(rangesOf(bench)).toEqual(Array(5).fill(undefined))
})

test('5: a registry that ignores the range sends the blob again, and nothing is joined twice', async () => {
  const bench = await open()
  bench.wire.on('GET', BLOB, cutAnswer(HALF))
  bench.wire.on('GET', BLOB, async ({ ask, send }) => send(await ask('range')))
  await bench.pulls(CONTENT)
  expect(rangesOf(bench)).toEqual([undefined, `bytes=${HALF}-`])
})

/** Answers to a range that are not what was asked for. */
const wrongParts: readonly (readonly [string, string, Fault])[] = [
  ['6', 'with a wrong start', editHeaders({ 'content-range': `bytes ${HALF - 1}-${SIZE - 2}/${SIZE}` })],
  ['6', 'with a wrong total', editHeaders({ 'content-range': `bytes ${HALF}-${SIZE - 1}/${SIZE + 1}` })],
  ['6', 'without a Content-Range', editHeaders({ 'content-range': undefined })],
  ['6', 'with a Content-Range that makes no sense', editHeaders({ 'content-range': 'bytes */*' })],
  [
    '6',
    'in several parts',
    editHeaders({ 'content-range': undefined, 'content-type': 'multipart/byteranges; boundary=b' }),
  ],
  ['7', 'with the word that there is no such range', edit(() => ({ status: 416, headers: {}, body: Buffer.alloc(0) }))],
]

describe('an answer to a range that cannot be used', () => {
  test.each(wrongParts)('%s: %s: the whole blob is asked for, once', async (_case, _name, fault) => {
    const bench = await open()
    bench.wire.on('GET', BLOB, cutAnswer(HALF))
    bench.wire.on('GET', BLOB, fault)
    await bench.pulls(CONTENT)
    expect(rangesOf(bench)).toEqual([undefined, `bytes=${HALF}-`, undefined])
  })

  test.each(wrongParts)('%s: %s, and a blob that always breaks off: given up', async (_case, _name, fault) => {
    const bench = await open()
    bench.wire.on('GET', BLOB, fault, { ...ALWAYS, when: ({ request }) => request.headers.range !== undefined })
    bench.wire.on('GET', BLOB, cutAnswer(HALF), ALWAYS)
    await bench.failsToPull({ message: /^Error from source: 127\.0\.0\.1:\d+: connection reset \(5 attempts\)$/m })
    const ranges = rangesOf(bench)
    expect(ranges.filter((range) => range !== undefined)).toEqual([`bytes=${HALF}-`])
    expect(ranges.length).toBeLessThanOrEqual(7)
  })
})

test('8: a body without a length that ends early once is completed', async () => {
  const bench = await open()
  bench.wire.on('GET', BLOB, withoutLength(HALF))
  await bench.pulls(CONTENT)
  expect(rangesOf(bench)).toEqual([undefined, `bytes=${HALF}-`])
})

test('8: a body without a length that always ends early is an error that says how much arrived', async () => {
  const bench = await open()
  bench.wire.on('GET', BLOB, withoutLength(HALF), ALWAYS)
  await bench.failsToPull({ message: new RegExp(`ended early: got ${HALF} of ${SIZE} bytes`) })
  expect(rangesOf(bench).length).toBeGreaterThan(1)
})

test.each([
  ['one byte less', SIZE - 1],
  ['one byte more', SIZE + 1],
])('9: a length of %s than the descriptor says is an error before any byte of the body', async (_name, length) => {
  const bench = await open()
  // No body ever follows: whoever waited for one would have to give up for another reason.
  bench.wire.on(
    'GET',
    BLOB,
    async (passage) => {
      await passage.ask()
      passage.response.writeHead(200, { 'content-length': String(length) }).flushHeaders()
    },
    ALWAYS,
  )
  await bench.failsToPull({ message: new RegExp(`has ${length} bytes in the registry, and ${SIZE} by its descriptor`) })
  expect(rangesOf(bench)).toEqual([undefined])
})

test('10: one byte too many, sent in chunks, is an error', async () => {
  const bench = await open()
  bench.wire.on('GET', BLOB, chunked('!'), ALWAYS)
  await bench.failsToPull({ message: new RegExp(`is longer than its declared size of ${SIZE} bytes`) })
})

test('10: the same blob in chunks without that byte is none', async () => {
  const bench = await open()
  bench.wire.on('GET', BLOB, chunked(''))
  await bench.pulls(CONTENT)
})

test('11: a flipped bit is noticed, and the blob is fetched once more, past all caches', async () => {
  const bench = await open()
  bench.wire.on('GET', BLOB, flipBit)
  await bench.pulls(CONTENT)
  const requests = bench.wire.find('GET', BLOB)
  expect(requests.map(({ headers }) => headers['cache-control'])).toEqual([undefined, 'no-cache'])
  expect(rangesOf(bench)).toEqual([undefined, undefined])
})

test('11: a bit that is always flipped is an error that names both digests', async () => {
  const bench = await open()
  bench.wire.on('GET', BLOB, flipBit, ALWAYS)
  const wrong = Buffer.from(CONTENT)
  wrong[HALF]! ^= 1
  const message = new RegExp(`^Error from source: .*${digestOf(CONTENT)}, got ${digestOf(wrong)}`, 'm')
  await bench.failsToPull({ message })
  expect(rangesOf(bench)).toEqual([undefined, undefined])
})

describe('what other commands keep of a blob that cannot be had', () => {
  /** Each with a place of its own for the blob. */
  const commands: readonly (readonly [string, (bench: FaultBench) => readonly string[]])[] = [
    [
      'blob fetch',
      ({ wire, output }) => [
        'blob',
        'fetch',
        `${wire.host}/${NAME}@${digestOf(CONTENT)}`,
        '-o',
        join(output, 'content.bin'),
      ],
    ],
    [
      'a copy to an archive',
      ({ reference, output }) => ['copy', reference, '--to-oci-layout', join(output, 'new.tar:v1')],
    ],
    ['a copy to a layout', ({ reference, layout }) => ['copy', reference, '--to-oci-layout', `${layout}:v1`]],
  ]
  const faults: readonly (readonly [number, string, Fault, RegExp])[] = [
    [4, 'the connection always breaks', cutAnswer(0), /^Error.*connection reset/m],
    [11, 'a bit is always flipped', flipBit, /^Error.*digest mismatch: wanted/m],
  ]
  const cases = commands.flatMap(([name, words]) =>
    faults.map(([number, when, fault, message]) => ({ name, words, number, when, fault, message })),
  )

  test.each(cases)('$number: $name keeps nothing when $when', async ({ words, fault, message }) => {
    const bench = await open()
    await bench.seed(Buffer.from('another one\n'), 'before')
    await bench.succeeds('copy', bench.reference.replace(':v1', ':before'), '--to-oci-layout', `${bench.layout}:before`)
    bench.wire.on('GET', BLOB, fault, { ...ALWAYS, when: ({ entry }) => entry.url.endsWith(digestOf(CONTENT)) })
    await bench.fails(words(bench), { message })
  })
})

describe('12: a manifest that is not the one that was asked for is an error, and no blob is asked for', () => {
  const other = edit(({ headers, body }) => ({
    headers: { ...headers, 'docker-content-digest': undefined },
    body: Buffer.from(body.toString().replace('test/file', 'test/evil')),
  }))

  test('12: by its digest', async () => {
    const bench = await open()
    const { digest } = await bench.behind.resolve('v1')
    bench.wire.on('GET', MANIFEST, other, ALWAYS)
    const reference = bench.reference.replace(':v1', `@${digest}`)
    await bench.fails(['pull', reference, '-o', bench.output], {
      message: new RegExp(`digest mismatch: wanted ${digest}, got sha256:`),
    })
    expect(rangesOf(bench)).toEqual([])
  })

  test('12: by a tag, when the registry announces another digest', async () => {
    const bench = await open()
    const announced = digestOf('something else')
    bench.wire.on('GET', MANIFEST, editHeaders({ 'docker-content-digest': announced }), ALWAYS)
    await bench.failsToPull({ message: new RegExp(`digest mismatch: wanted ${announced}, got sha256:`) })
    expect(rangesOf(bench)).toEqual([])
  })
})

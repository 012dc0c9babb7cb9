import { describe, expect, test } from 'vitest'
import { isGantryError } from '../../src/errors.js'
import { digestOf, isDigest, parseDigest, type Digest } from '../../src/oci/digest.js'
import { parseByteCount, parseContentRange, parseUploadOffset } from '../../src/registry/content-range.js'
import { parseHttpDate, parseRetryAfter } from '../../src/registry/http/retry-after.js'
import { parseWarnings } from '../../src/registry/http/warning.js'
import { checkAnnouncedDigest } from '../../src/registry/manifests.js'
import { Answer } from '../../src/registry/http/answer.js'
import { Readable } from 'node:stream'
import { processorTime, fc, LINEAR_TIME } from '../properties.js'

const NOW = Date.UTC(2026, 0, 15, 12)
const LARGE = 999_999_999_999_999
const digits = fc.oneof(
  fc.nat().map(String),
  fc.bigInt({ min: 0n, max: 10n ** 24n }).map(String),
  fc.constantFrom('', '-1', '1.5', '0x1', '1e3', '٣', '9007199254740991', '9007199254740992', '9999999999999999'),
)
const junk = fc.string({ unit: 'binary', maxLength: 12 })

describe('Content-Range', () => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.nat(), fc.option(fc.nat(), { nil: undefined }), (first, more, beyond) => {
        const [start, end] = [Math.min(first, LARGE), Math.min(first, LARGE) + more]
        const total = beyond === undefined ? undefined : end + 1 + beyond
        expect(parseContentRange(`bytes ${start}-${end}/${total ?? '*'}`)).toEqual({ start, end, total })
      }),
    )
  })

  test('gives safe numbers in their order, or nothing', () => {
    const header = fc.oneof(
      junk,
      fc
        .tuple(fc.constantFrom('bytes', 'Bytes', 'items', ''), digits, digits, fc.oneof(digits, fc.constant('*')))
        .map(([unit, start, end, total]) => `${unit} ${start}-${end}/${total}`),
    )
    fc.assert(
      fc.property(header, (text) => {
        const range = parseContentRange(text)
        if (range === undefined) return
        const { start, end, total } = range
        expect([start, end, total ?? 0].every((number) => Number.isSafeInteger(number) && number >= 0)).toBe(true)
        expect(start).toBeLessThanOrEqual(end)
        if (total !== undefined) expect(end).toBeLessThan(total)
      }),
    )
  })
})

test('the Range of an upload is a safe count of bytes, or nothing', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        junk,
        fc.tuple(fc.constantFrom('0-', 'bytes=0-', '1-', ''), digits).map((parts) => parts.join('')),
      ),
      (text) => {
        const offset = parseUploadOffset(text)
        if (offset === undefined) return
        expect(Number.isSafeInteger(offset) && offset > 1).toBe(true)
        expect(text.trim().endsWith(`-${offset - 1}`) || /-0+\d+$/.test(text.trim())).toBe(true)
      },
    ),
  )
  fc.assert(
    fc.property(fc.integer({ min: 1, max: LARGE }), (last) => {
      expect(parseUploadOffset(`0-${last}`)).toBe(last + 1)
    }),
  )
})

test('a count of bytes is safe, or nothing', () => {
  fc.assert(
    fc.property(fc.oneof(junk, digits), (text) => {
      const count = parseByteCount(text)
      if (count !== undefined) expect(Number.isSafeInteger(count) && count >= 0).toBe(true)
    }),
  )
  fc.assert(
    fc.property(fc.integer({ min: 0, max: LARGE }), (count) => {
      expect(parseByteCount(String(count))).toBe(count)
    }),
  )
})

describe('Retry-After', () => {
  test('is never negative and never NaN', () => {
    const date = fc.stringMatching(/^[A-Z][a-z]{2}, \d\d (Jan|Feb|Dec|Xxx) \d{4} \d\d:\d\d:\d\d GMT$/)
    const other = fc.stringMatching(/^[A-Z][a-z]{2} (Jan|Dec) [ \d]\d \d\d:\d\d:\d\d \d{4}$/)
    fc.assert(
      fc.property(
        fc.oneof(junk, digits, date, other, fc.stringMatching(/^\d{1,40}(\.\d{1,12})?(e\d{1,4})?$/)),
        (text) => {
          const wait = parseRetryAfter(text, NOW)
          if (wait !== undefined) expect(wait).toBeGreaterThanOrEqual(0)
          const moment = parseHttpDate(text, NOW)
          if (moment !== undefined) expect(Number.isSafeInteger(moment)).toBe(true)
        },
      ),
    )
  })

  test('seconds and dates are what they say', () => {
    fc.assert(
      fc.property(fc.nat(), (seconds) => {
        expect(parseRetryAfter(String(seconds), NOW)).toBe(seconds * 1000)
      }),
    )
    fc.assert(
      fc.property(fc.integer({ min: -1_000_000_000, max: 5_000_000_000 }), (seconds) => {
        const wait = parseRetryAfter(new Date(NOW + seconds * 1000).toUTCString(), NOW)
        expect(wait).toBe(seconds > 0 ? seconds * 1000 : undefined)
      }),
    )
  })
})

describe('Docker-Content-Digest', () => {
  const bytes = new TextEncoder().encode('{}')
  const check = (header: string): Digest | undefined =>
    checkAnnouncedDigest(
      new Answer(200, 'GET', 'http://h/v2/a/manifests/v1', {
        headers: { 'docker-content-digest': header },
        body: Readable.from([]),
      }),
      { mediaType: 'application/json', bytes },
      'h/a:v1',
    )

  test('is that of the bytes, or an error', () => {
    const header = fc.oneof(
      junk,
      fc.stringMatching(/^sha(256|512|1):[0-9a-fA-F]{0,130}$/),
      fc.constantFrom(
        digestOf(bytes),
        digestOf(bytes, 'sha512'),
        digestOf(bytes).toUpperCase(),
        ` ${digestOf(bytes)} `,
      ),
    )
    fc.assert(
      fc.property(header, (text) => {
        try {
          const announced = check(text)
          if (announced === undefined) expect(text.trim()).toBe('')
          else expect([digestOf(bytes), digestOf(bytes, 'sha512')]).toContain(announced)
        } catch (error) {
          expect(isGantryError(error, 'invalid-digest', 'digest-mismatch')).toBe(true)
        }
      }),
    )
  })

  test('of other bytes is always noticed', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 3 }),
        fc.constantFrom('sha256' as const, 'sha512' as const),
        (text, algorithm) => {
          const other = digestOf(text, algorithm)
          expect(isDigest(other) && parseDigest(other)).toBe(other)
          expect(() => check(other)).toThrow(expect.objectContaining({ code: 'digest-mismatch' }))
        },
      ),
    )
  })
})

test('warnings come back as they were written, on one line', () => {
  const text = fc.string({ maxLength: 30 })
  fc.assert(
    fc.property(fc.array(text, { maxLength: 4 }), (texts) => {
      const value = texts.map((one) => `299 - "${one.replace(/[\\"]/g, '\\$&')}"`).join(', ')
      expect(parseWarnings(value)).toEqual(texts)
    }),
  )
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (rest) => {
      // eslint-disable-next-line no-control-regex -- finding control characters is the job
      for (const one of parseWarnings(`299 - "${rest}"`)) expect(one).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/)
    }),
  )
})

test('no header takes more than one pass', () => {
  const readers: readonly ((text: string) => unknown)[] = [
    parseContentRange,
    parseUploadOffset,
    parseByteCount,
    (text) => parseRetryAfter(text, NOW),
    parseWarnings,
  ]
  const piece = fc.oneof(
    fc.constantFrom('1', '0', ' ', '-', 'bytes ', '1-', '\\', '"', ', ', '299 - "a", '),
    fc.string({ minLength: 1, maxLength: 3 }),
  )
  fc.assert(
    fc.property(
      fc.constantFrom(...readers),
      piece,
      fc.constantFrom('', 'bytes 0-', '299 - "', '1.'),
      (read, repeated, start) => {
        const text = `${start}${repeated.repeat(65_536 / repeated.length)}!`
        expect(processorTime(() => read(text))).toBeLessThan(LINEAR_TIME)
      },
    ),
  )
})

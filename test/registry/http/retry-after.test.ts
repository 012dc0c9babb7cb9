import { fc } from '../../properties.js'
import { describe, expect, test } from 'vitest'
import { parseHttpDate, parseRetryAfter } from '../../../src/registry/http/retry-after.js'

const NOW = Date.UTC(2026, 0, 15, 12, 0, 0)

describe('parseRetryAfter', () => {
  test.each<[string | undefined, number | undefined]>([
    ['4', 4_000],
    ['0', 0],
    [' 120 ', 120_000],
    ['1.5', 1_500],
    ['1e9', 1e12],
    ['9'.repeat(30), 9.999999999999999e32],
    ['Thu, 15 Jan 2026 12:00:05 GMT', 5_000],
    ['Thursday, 15-Jan-26 12:00:05 GMT', 5_000],
    ['Thu Jan 15 12:00:05 2026', 5_000],
    ['Thu Feb  5 12:00:00 2026', 21 * 86_400_000],
    ['Thu, 15 Jan 2026 11:59:59 GMT', undefined],
    ['Sunday, 06-Nov-94 08:49:37 GMT', undefined],
    ['-1', undefined],
    ['abc', undefined],
    ['', undefined],
    [undefined, undefined],
    ['4 s', undefined],
    ['Thu, 15 Jan 2026 12:00:05 CET', undefined],
    ['2026-01-15T12:00:05Z', undefined],
  ])('%j means %s ms', (value, expected) => {
    const actual = parseRetryAfter(value, NOW)
    if (expected === undefined) expect(actual).toBeUndefined()
    else expect(actual).toBeCloseTo(expected, -20)
  })

  test('is a total function', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const wait = parseRetryAfter(value, NOW)
        expect(wait === undefined || wait >= 0).toBe(true)
      }),
    )
  })
})

// The three forms of one moment, from RFC 9110.
test.each(['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994'])(
  'parseHttpDate reads %s',
  (text) => {
    expect(parseHttpDate(text, NOW)).toBe(Date.UTC(1994, 10, 6, 8, 49, 37))
  },
)

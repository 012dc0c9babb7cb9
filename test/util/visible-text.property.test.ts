import { describe, expect, test } from 'vitest'
import { visibleJson, visibleLine, visibleText } from '../../src/util/visible-text.js'
import { processorTime, fc, LINEAR_TIME, runs } from '../properties.js'

// Written down by code point, independent of the expression that is tested.
function isForbidden(code: number): boolean {
  const isControl = (code < 0x20 && code !== 0x09 && code !== 0x0a) || (code >= 0x7f && code <= 0x9f)
  const isBidirectional =
    [0x61c, 0x200e, 0x200f, 0x2028, 0x2029].includes(code) ||
    (code >= 0x202a && code <= 0x202e) ||
    (code >= 0x2066 && code <= 0x2069)
  return isControl || isBidirectional || (code >= 0xd800 && code <= 0xdfff)
}

const codesOf = (text: string): number[] => Array.from(text, (character) => character.codePointAt(0) ?? 0)

/** Every UTF-16 unit, with those that matter more often than chance would have it. */
const unit = fc.oneof(
  fc.integer({ min: 0, max: 0xffff }),
  fc.integer({ min: 0, max: 0x9f }),
  fc.integer({ min: 0x2000, max: 0x2070 }),
  fc.integer({ min: 0xd800, max: 0xdfff }),
  fc.constantFrom(0x1b, 0x5c, 0x75, 0x7b, 0x61c),
)
const text = fc.oneof(
  fc.array(unit, { maxLength: 60 }).map((units) => String.fromCharCode(...units)),
  fc
    .array(fc.constantFrom('\u001b[2J', '\u009b31m', '\\u{1b}', '\r\n', '\u202e', '👩‍💻', '\ud800', '\udc00', 'a\tb\n'), {
      maxLength: 12,
    })
    .map((parts) => parts.join('')),
)

describe.each([
  ['visibleText', visibleText],
  ['visibleLine', visibleLine],
  ['visibleJson', visibleJson],
])('%s', (_, escape) => {
  test('leaves no character that drives a terminal', () => {
    fc.assert(
      fc.property(text, (value) => {
        expect(codesOf(escape(value)).filter(isForbidden)).toEqual([])
      }),
    )
  })

  test('changes nothing a second time', () => {
    fc.assert(
      fc.property(text, (value) => {
        const once = escape(value)
        expect(escape(once)).toBe(once)
      }),
    )
  })

  test('leaves what is visible as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (value) => {
        fc.pre(!codesOf(value).some((code) => isForbidden(code) || code === 0x09 || code === 0x0a))
        expect(escape(value)).toBe(value)
      }),
    )
  })

  test('takes one pass', () => {
    fc.assert(
      fc.property(fc.constantFrom('\u001b', '\ud800', '\udc00', 'a', '\ud800a', '\u202e\n'), (piece) => {
        const long = piece.repeat(65_536 / piece.length)
        expect(processorTime(() => escape(long))).toBeLessThan(LINEAR_TIME)
      }),
      runs(0.05),
    )
  })
})

test('a line stays one line', () => {
  fc.assert(
    fc.property(text, (value) => {
      expect(visibleLine(value)).not.toMatch(/[\n\r\t]/)
    }),
  )
})

test('JSON means the same as before', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
      const json = JSON.stringify(value)
      expect(JSON.parse(visibleJson(json))).toEqual(JSON.parse(json))
    }),
  )
})

import { fc, processorTime } from '../properties.js'
import { describe, expect, test } from 'vitest'
import { isGantryError } from '../../src/errors.js'
import { nextTarget, parseLinks } from '../../src/registry/link-header.js'

describe('the next page', () => {
  test.each([
    ['</v2/a/tags/list?n=1&last=b>; rel="next"', '/v2/a/tags/list?n=1&last=b'],
    ['</x>; rel=next', '/x'],
    ['</x>;rel="NEXT"', '/x'],
    ['</x>; title="a, b; c=\\"d\\""; rel="next"', '/x'],
    ['</p>; rel="prev", </n>; rel="next"', '/n'],
    ['</p>; rel=prev,</n>; rel="last next"', '/n'],
    ['</x>', '/x'],
    ['/x', '/x'],
    ['/x; rel="next"', '/x'],
    ['/p; rel=prev, https://h/v2/_catalog?n=1&last=b ; rel="next"', 'https://h/v2/_catalog?n=1&last=b'],
    ['</p>; rel="prev", /n; rel="next"', '/n'],
    ['<https://h/v2/_catalog?last=a,b>; rel="next"', 'https://h/v2/_catalog?last=a,b'],
    ['</x>; rel="prev"', undefined],
    ['', undefined],
    ['  ', undefined],
    [undefined, undefined],
  ])('%s leads to %s', (header, target) => {
    expect(nextTarget(header)).toBe(target)
  })

  test.each(['x', '</x', '</x>; rel="next', 'x; rel="next"', '</x> rel="next"', '</x>; rel="next" y'])(
    '%s is malformed',
    (header) => {
      expect(() => nextTarget(header)).toThrow('malformed Link header')
    },
  )
})

test('what is written is read back', () => {
  const relation = fc.stringMatching(/^[a-z]{1,8}$/)
  const target = fc.stringMatching(/^\/[a-z0-9?=&,;._-]{0,30}$/)
  fc.assert(
    fc.property(
      fc.array(fc.tuple(target, fc.array(relation, { minLength: 1, maxLength: 3 })), { maxLength: 5 }),
      (links) => {
        const header = links.map(([to, rel]) => `<${to}>; a="\\"x, <y>"; rel="${rel.join(' ')}"; b=c`).join(', ')
        expect(parseLinks(header)).toEqual(links.map(([to, rel]) => ({ target: to, relations: rel })))
      },
    ),
  )
})

test('any text is parsed or refused', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('<', '>', ';', ',', '"', '\\', '=', ' ', 'r', 'e', 'l') }),
      (header) => {
        try {
          nextTarget(header)
        } catch (error) {
          expect(isGantryError(error, 'invalid-content')).toBe(true)
        }
      },
    ),
  )
})

test.each(['<', '<,', '<x>;', '<x>;a="\\', '<x>;a=b', ' ', '<x>,'])(
  'a quarter of a megabyte of %s takes no time',
  (piece) => {
    const header = piece.repeat(Math.ceil(250_000 / piece.length))
    const read = (): void => {
      try {
        nextTarget(header)
      } catch (error) {
        expect(isGantryError(error)).toBe(true)
      }
    }
    expect(processorTime(read)).toBeLessThan(2000)
  },
)

import { fc } from '../../properties.js'
import { describe, expect, test } from 'vitest'
import { encodePaxRecords, parsePaxRecords } from '../../../src/store/tar/pax-records.js'

describe('pax records', () => {
  test.each([
    [{ path: 'a' }, '9 path=a\n'],
    [{ size: '8589934592' }, '19 size=8589934592\n'],
    [{ path: 'é' }, '11 path=é\n'],
    [{ linkpath: 'b', path: 'a' }, '14 linkpath=b\n9 path=a\n'],
  ])('are written as %j', (records, text) => {
    expect(encodePaxRecords(records).toString()).toBe(text)
  })

  test.each(Array.from({ length: 12 }, (_, index) => 85 + index).concat([985, 986, 987, 988, 989, 990, 991, 992, 993]))(
    'count their own digits with a value of %i bytes',
    (size) => {
      const bytes = encodePaxRecords({ path: 'x'.repeat(size) })
      expect(Number.parseInt(bytes.toString(), 10)).toBe(bytes.byteLength)
    },
  )

  test('come back as they were written', () => {
    const key = fc.stringMatching(/^[A-Za-z.]{1,20}$/)
    const value = fc.string({ unit: 'grapheme', maxLength: 200 })
    fc.assert(
      fc.property(fc.dictionary(key, value), (records) => {
        const parsed = parsePaxRecords(encodePaxRecords(records), 'entry 1')
        expect([...parsed]).toEqual(Object.entries(records))
      }),
    )
  })

  test.each([
    ['no length', ' path=a\n'],
    ['length 0', '0 path=a\n'],
    ['a leading zero', '09 path=a\n'],
    ['a sign', '+9 path=a\n'],
    ['a length that is too long', '11 path=a\n'],
    ['a length that is too short', '8 path=a\n'],
    ['a length that ends in its own digits', '2 path=a\n'],
    ['a length beyond any', '99999999999999999999 path=a\n'],
    ['no key', '5 =a\n'],
    ['no equals sign', '9 path a\n'],
    ['no line feed', '9 path=ab'],
    ['something after the last record', '9 path=a\nx'],
    ['a NUL after the last record', '9 path=a\n\0'],
    ['a key that comes twice', '9 path=a\n9 path=b\n'],
    ['hexadecimal', '0x9 path=a\n'],
    ['text that is not UTF-8', Buffer.from('9 path=\xff\n', 'latin1')],
  ])('are refused with %s', (_what, text) => {
    expect(() => parsePaxRecords(Buffer.from(text), 'entry 1 of x')).toThrow(/^entry 1 of x has /)
  })

  test('may hold line feeds and equals signs in a value', () => {
    const bytes = encodePaxRecords({ path: 'a\n=b' })
    expect(parsePaxRecords(bytes, 'entry 1').get('path')).toBe('a\n=b')
  })
})

import { expect, test } from 'vitest'
import { parseChunkRange, parseRange } from '../../src/server/byte-range.js'

test.each([
  [undefined, undefined],
  ['bytes=0-0', { start: 0, end: 0 }],
  ['bytes=2-4', { start: 2, end: 4 }],
  ['bytes=2-', { start: 2, end: 9 }],
  ['bytes=9-', { start: 9, end: 9 }],
  ['bytes=-3', { start: 7, end: 9 }],
  ['bytes=-99', { start: 0, end: 9 }],
  ['bytes=8-99', { start: 8, end: 9 }],
  ['bytes = 2 - 4', { start: 2, end: 4 }],
  ['bytes=10-', 'unsatisfiable'],
  ['bytes=10-20', 'unsatisfiable'],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=5-0', 'unsatisfiable'],
  ['bytes=0-1,4-5', undefined],
  ['bytes=-', undefined],
  ['bytes=a-b', undefined],
  ['bytes=1', undefined],
  ['items=0-1', undefined],
  [`bytes=${'9'.repeat(30)}-`, undefined],
])('the range %s of ten bytes', (header, range) => {
  expect(parseRange(header, 10)).toEqual(range)
})

test('no range of nothing can be satisfied', () => {
  expect(parseRange('bytes=0-', 0)).toBe('unsatisfiable')
  expect(parseRange('bytes=-1', 0)).toBe('unsatisfiable')
})

test.each([
  ['0-4', { start: 0, end: 4 }],
  ['5-5', { start: 5, end: 5 }],
  ['bytes 0-4/10', { start: 0, end: 4 }],
  ['bytes 0-4/*', { start: 0, end: 4 }],
  ['bytes=0-4', { start: 0, end: 4 }],
  ['5-4', undefined],
  ['-4', undefined],
  ['0-', undefined],
  ['0-4 ', undefined],
  ['0-99999999999999999999', undefined],
  ['', undefined],
])('the range of a chunk: %s', (header, range) => {
  expect(parseChunkRange(header)).toEqual(range)
})

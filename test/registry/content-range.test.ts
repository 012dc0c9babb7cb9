import { describe, expect, test } from 'vitest'
import { parseByteCount, parseContentRange, parseUploadOffset } from '../../src/registry/content-range.js'

describe('Content-Range', () => {
  test.each([
    ['bytes 0-9/10', { start: 0, end: 9, total: 10 }],
    ['BYTES 5-9/10', { start: 5, end: 9, total: 10 }],
    ['bytes 5-9/*', { start: 5, end: 9, total: undefined }],
  ])('%s', (header, range) => {
    expect(parseContentRange(header)).toEqual(range)
  })

  test.each([
    undefined,
    '',
    'bytes */10',
    'bytes 9-5/10',
    'bytes 0-10/10',
    'bytes=0-9/10',
    'items 0-9/10',
    'bytes 0-9',
    'bytes -5-9/10',
    'bytes 0-9/10, bytes 0-1/10',
    'bytes 9007199254740992-9007199254740993/9007199254740994',
    'bytes 0-0/9007199254740992',
    `bytes 0-${'9'.repeat(1000)}/10`,
  ])('%s is none', (header) => {
    expect(parseContentRange(header)).toBeUndefined()
  })
})

describe('Range of an upload', () => {
  test.each([
    ['0-9', 10],
    ['bytes=0-9', 10],
    ['0-0', undefined],
    ['0--1', undefined],
    ['bytes=0--1', undefined],
    ['5-9', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%s stands at %s', (header, offset) => {
    expect(parseUploadOffset(header)).toBe(offset)
  })
})

test.each([
  ['12', 12],
  ['0', 0],
  ['-1', undefined],
  ['1e3', undefined],
  ['', undefined],
  [undefined, undefined],
  ['9'.repeat(20), undefined],
])('the count %s is %s', (header, count) => {
  expect(parseByteCount(header)).toBe(count)
})

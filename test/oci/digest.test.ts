import { describe, expect, test } from 'vitest'
import { algorithmOf, Digester, digestOf, hexOf, isDigest, parseDigest } from '../../src/oci/digest.js'

const EMPTY = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

describe('parseDigest', () => {
  test.each([EMPTY, `sha512:${'f'.repeat(128)}`])('takes %s', (text) => {
    expect(parseDigest(text)).toBe(text)
    expect(`${algorithmOf(parseDigest(text))}:${hexOf(parseDigest(text))}`).toBe(text)
  })
  test.each([
    ['', 'invalid checksum digest format'],
    ['v1', 'invalid checksum digest format'],
    ['sha256:', 'needs 64'],
    [EMPTY.toUpperCase(), 'unsupported digest algorithm'],
    [`${EMPTY}0`, 'needs 64'],
    [`sha256:${'A'.repeat(64)}`, 'needs 64'],
    [`sha256:${'a'.repeat(63)}\n`, 'needs 64'],
    ['sha256:../../../../tmp/x', 'needs 64'],
    [`sha384:${'a'.repeat(96)}`, 'unsupported digest algorithm'],
    [`__proto__:${'a'.repeat(64)}`, 'unsupported digest algorithm'],
  ])('refuses %j', (text, reason) => {
    expect(isDigest(text)).toBe(false)
    expect(() => parseDigest(text)).toThrow(reason)
  })
})

test('digestOf', () => {
  expect(digestOf('')).toBe(EMPTY)
  expect(digestOf('abc', 'sha512')).toMatch(/^sha512:ddaf35a193617abacc417349ae204131/)
})

test('a digester counts and goes on after a look', () => {
  const digester = new Digester()
  digester.update(Buffer.from('hel'))
  expect(digester.digest()).toBe(digestOf('hel'))
  digester.update(Buffer.from('lo'))
  expect(digester.size).toBe(5)
  expect(digester.digest()).toBe(digestOf('hello'))
})

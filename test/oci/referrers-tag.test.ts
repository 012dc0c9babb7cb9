import { expect, test } from 'vitest'
import { digestOf } from '../../src/oci/digest.js'
import { digestTagsOf, isDigestTag, referrersTagOf } from '../../src/oci/referrers-tag.js'

test('the tag schema cuts the hex at 64 characters', () => {
  expect(referrersTagOf(digestOf('a'))).toBe(`sha256-${digestOf('a').slice(7)}`)
  expect(referrersTagOf(digestOf('a', 'sha512'))).toBe(`sha512-${digestOf('a', 'sha512').slice(7, 71)}`)
})

test('there is no tag for a signature of a digest that is too long for one', () => {
  expect(digestTagsOf(digestOf('a'))).toEqual(
    ['.sig', '.att', '.sbom'].map((end) => `${referrersTagOf(digestOf('a'))}${end}`),
  )
  expect(digestTagsOf(digestOf('a', 'sha512'))).toEqual([])
})

test('tags derived from a digest are told from those that people set', () => {
  for (const digest of [digestOf('a'), digestOf('a', 'sha512')]) {
    for (const tag of [referrersTagOf(digest), ...digestTagsOf(digest)]) expect(isDigestTag(tag)).toBe(true)
  }
  for (const tag of ['v1', 'sha256-abc', 'sha256-release', `x${referrersTagOf(digestOf('a'))}`]) {
    expect(isDigestTag(tag)).toBe(false)
  }
})

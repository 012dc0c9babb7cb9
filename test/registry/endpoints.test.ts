import { describe, expect, test } from 'vitest'
import { parseDigest } from '../../src/oci/digest.js'
import {
  blobPath,
  catalogPath,
  manifestPath,
  referrersPath,
  tagsPath,
  uploadsPath,
} from '../../src/registry/endpoints.js'

const digest = parseDigest(`sha256:${'a'.repeat(64)}`)

test.each([
  [catalogPath(), '/v2/_catalog'],
  [catalogPath({ size: 5, last: 'a/b' }), '/v2/_catalog?n=5&last=a%2Fb'],
  [tagsPath('a/b', { size: 5 }), '/v2/a/b/tags/list?n=5'],
  [manifestPath('a/b', 'v1.0_x'), '/v2/a/b/manifests/v1.0_x'],
  [manifestPath('a/b', digest), `/v2/a/b/manifests/${digest}`],
  [blobPath('a', digest), `/v2/a/blobs/${digest}`],
  [uploadsPath('a'), '/v2/a/blobs/uploads/'],
  [uploadsPath('a', { digest, from: 'b/c' }), `/v2/a/blobs/uploads/?mount=sha256%3A${'a'.repeat(64)}&from=b%2Fc`],
  [referrersPath('a', digest), `/v2/a/referrers/${digest}`],
  [referrersPath('a', digest, 'x/y+z&q'), `/v2/a/referrers/${digest}?artifactType=x%2Fy%2Bz%26q`],
])('%s', (path, expected) => {
  expect(path).toBe(expected)
})

describe('what is no name never gets into a path', () => {
  test.each(['', '..', 'a/../b', 'a//b', '/a', 'A', 'a b', 'a%2f', 'a?x', 'a#f', 'a\n', 'a'.repeat(300)])(
    'repository %j',
    (name) => {
      expect(() => tagsPath(name)).toThrow(expect.objectContaining({ code: 'invalid-reference' }))
      expect(() => uploadsPath('a', { digest, from: name })).toThrow(
        expect.objectContaining({ code: 'invalid-reference' }),
      )
    },
  )

  test.each(['', '.', '..', '../x', 'a/b', 'sha256:abc', 'a?b', 'a'.repeat(129), '-a'])('reference %j', (reference) => {
    expect(() => manifestPath('a', reference)).toThrow(expect.objectContaining({ code: 'invalid-reference' }))
  })
})

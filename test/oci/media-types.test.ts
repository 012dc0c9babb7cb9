import { expect, test } from 'vitest'
import { isIndexType, isManifestType, isMediaType, mediaTypeOf, MediaType } from '../../src/oci/media-types.js'

test.each([
  ['application/json; charset=utf-8', 'application/json'],
  ['Application/JSON', 'application/json'],
  ['application/json;charset=ISO-8859-1', 'application/json'],
])('mediaTypeOf(%s)', (text, expected) => {
  expect(mediaTypeOf(text)).toBe(expected)
})

test.each([
  ['a/b', true],
  ['application/vnd.oci.image.index.v1+json', true],
  ['bad', false],
  ['a/b/c', false],
  ['/b', false],
  ['a/', false],
  ['a b/c', false],
])('isMediaType(%s) is %s', (text, expected) => {
  expect(isMediaType(text)).toBe(expected)
})

test('indexes are manifests, blobs are not', () => {
  expect(isManifestType(MediaType.dockerManifestList) && isIndexType(MediaType.dockerManifestList)).toBe(true)
  expect(isManifestType(MediaType.artifactManifest)).toBe(true)
  expect(isManifestType(MediaType.imageLayer)).toBe(false)
})

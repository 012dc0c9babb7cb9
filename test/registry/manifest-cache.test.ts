import { expect, test } from 'vitest'
import { descriptorOf } from '../../src/oci/descriptor.js'
import type { ManifestContent } from '../../src/oci/manifest.js'
import { MediaType } from '../../src/oci/media-types.js'
import { ManifestCache } from '../../src/registry/manifest-cache.js'

function contentOf(number: number): ManifestContent {
  const bytes = new Uint8Array(4 * 1024 * 1024).fill(number)
  return { descriptor: descriptorOf(MediaType.imageManifest, bytes), bytes }
}

test('what was used longest ago goes first', () => {
  const cache = new ManifestCache()
  const contents = [1, 2, 3, 4, 5].map(contentOf)
  const known = (): boolean[] => contents.map(({ descriptor }) => cache.get(descriptor.digest) !== undefined)
  for (const content of contents.slice(0, 4)) cache.set(content)
  expect(cache.get(contents[0]!.descriptor.digest)).toBe(contents[0])
  cache.set(contents[4]!)
  expect(known()).toEqual([true, false, true, true, true])
  cache.set(contents[0]!)
  cache.delete(contents[2]!.descriptor.digest)
  cache.delete(contents[2]!.descriptor.digest)
  cache.set(contents[1]!)
  expect(known()).toEqual([true, true, false, true, true])
})

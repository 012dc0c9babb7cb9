import { describe, expect, test } from 'vitest'
import { descriptorOf } from '../../src/oci/descriptor.js'
import { encodeJson } from '../../src/oci/encode-json.js'
import {
  artifactTypeOf,
  declaredMediaType,
  parseManifest,
  referrerDescriptor,
  successorsOf,
  type Manifest,
} from '../../src/oci/manifest.js'
import { MediaType } from '../../src/oci/media-types.js'

const blob = (text: string, mediaType = 'text/plain') => ({ ...descriptorOf(mediaType, Buffer.from(text)) })

function parse(document: unknown, mediaType: string): Manifest {
  const bytes = encodeJson(document)
  return parseManifest({ descriptor: descriptorOf(mediaType, bytes), bytes })
}

describe('parseManifest', () => {
  test('an image manifest with subject', () => {
    const document = {
      schemaVersion: 2,
      mediaType: MediaType.imageManifest,
      artifactType: 'test/a',
      config: blob('{}', MediaType.empty),
      layers: [blob('one'), blob('two')],
      subject: blob('subject', MediaType.imageManifest),
      annotations: { a: 'b' },
    }
    const manifest = parse(document, MediaType.imageManifest)
    expect(manifest.kind).toBe('image')
    expect(artifactTypeOf(manifest)).toBe('test/a')
    expect(successorsOf(manifest).map(({ digest }) => digest)).toEqual(
      [document.config, ...document.layers, document.subject].map(({ digest }) => digest),
    )
  })

  test("an index, also with Go's null for an empty list", () => {
    const index = parse({ schemaVersion: 2, manifests: [blob('m', MediaType.imageManifest)] }, MediaType.imageIndex)
    expect(index.kind === 'index' && index.manifests).toHaveLength(1)
    expect(successorsOf(parse({ schemaVersion: 2, manifests: null }, MediaType.dockerManifestList))).toEqual([])
  })

  test('the withdrawn artifact manifest', () => {
    const manifest = parse({ artifactType: 'x/y', blobs: [blob('b')], subject: blob('s') }, MediaType.artifactManifest)
    expect(manifest.kind).toBe('artifact')
    expect(successorsOf(manifest)).toHaveLength(2)
  })

  const image = { config: blob('{}'), layers: [blob('x')] }
  test.each([
    ['layers and manifests', { ...image, manifests: [] }, MediaType.imageManifest, 'has both layers and manifests'],
    [
      'another case of the letters',
      { ...image, Manifests: [] },
      MediaType.imageManifest,
      'it has the key "Manifests", which some readers take for "manifests"',
    ],
    ['manifests and layers', { manifests: [], layers: [] }, MediaType.imageIndex, 'has both manifests and layers'],
    ['fsLayers', { ...image, fsLayers: [] }, MediaType.dockerManifest, 'has both layers and fsLayers'],
    ['another media type', { ...image, mediaType: MediaType.imageIndex }, MediaType.imageManifest, 'calls itself'],
    ['no config', { layers: [] }, MediaType.imageManifest, 'config is not a descriptor'],
    ['layers that are no list', { ...image, layers: {} }, MediaType.imageManifest, 'layers is not a list'],
    [
      'a path for a digest',
      { ...image, layers: [{ ...blob('x'), digest: 'sha256:../../etc/passwd' }] },
      MediaType.imageManifest,
      'layers[0]: invalid digest',
    ],
    [
      'a size beyond safe integers',
      { ...image, layers: [{ ...blob('x'), size: 2 ** 62 }] },
      MediaType.imageManifest,
      'layers[0] has no valid size',
    ],
    ['a negative size', { ...image, layers: [{ ...blob('x'), size: -1 }] }, MediaType.imageManifest, 'no valid size'],
    [
      'a number for an annotation',
      { ...image, annotations: { a: 1 } },
      MediaType.imageManifest,
      'annotation "a" is not a string',
    ],
    ['what neither its type nor its fields explain', {}, 'application/json', 'cannot tell what'],
    ['schema 1', { schemaVersion: 1, fsLayers: [] }, MediaType.dockerSchema1, "in Docker's schema 1"],
  ])('refuses %s', (_, document, mediaType, reason) => {
    expect(() => parse(document, mediaType)).toThrow(reason)
  })

  test('refuses a key that stands twice', () => {
    const bytes = Buffer.from('{"schemaVersion":2,"layers":[],"l\\u0061yers":[]}')
    expect(() => parseManifest({ descriptor: descriptorOf(MediaType.imageManifest, bytes), bytes })).toThrow(
      '"layers" twice',
    )
  })

  test('__proto__ in annotations is data', () => {
    const bytes = Buffer.from('{"manifests":[],"annotations":{"__proto__":"x"}}')
    const manifest = parseManifest({ descriptor: descriptorOf(MediaType.imageIndex, bytes), bytes })
    expect(Object.keys(manifest.annotations ?? {})).toEqual(['__proto__'])
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })
})

test('a referrer without artifact type is listed by its config', () => {
  const bytes = encodeJson({ config: blob('{}', 'test/config'), layers: [], annotations: { a: 'b' } })
  const content = { descriptor: descriptorOf(MediaType.imageManifest, bytes), bytes }
  expect(referrerDescriptor(content, parseManifest(content))).toEqual({
    ...content.descriptor,
    annotations: { a: 'b' },
    artifactType: 'test/config',
  })
})

test.each([
  ['{"mediaType":"a/b"}', 'a/b'],
  ['{"mediaType":1}', undefined],
  ['{}', undefined],
  ['not json', undefined],
])('declaredMediaType(%s)', (text, expected) => {
  expect(declaredMediaType(Buffer.from(text))).toBe(expected)
})

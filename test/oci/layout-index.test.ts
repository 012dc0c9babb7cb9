import { describe, expect, test } from 'vitest'
import type { Descriptor } from '../../src/oci/descriptor.js'
import { digestOf, parseDigest } from '../../src/oci/digest.js'
import { blobPathOf, checkLayoutFile, encodeLayoutFile } from '../../src/oci/image-layout.js'
import { LayoutIndex, MAX_LAYOUT_INDEX_SIZE } from '../../src/oci/layout-index.js'
import { MediaType } from '../../src/oci/media-types.js'
import { processorTime } from '../properties.js'

const REF_NAME = 'org.opencontainers.image.ref.name'

const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))
const parse = (value: unknown): LayoutIndex => LayoutIndex.parse(bytesOf(value), 'index.json')
const documentOf = (index: LayoutIndex): { readonly manifests: unknown } =>
  JSON.parse(new TextDecoder().decode(index.encode())) as { readonly manifests: unknown }

function descriptor(name: string, fields: Partial<Descriptor> = {}): Descriptor {
  return { mediaType: MediaType.imageManifest, digest: digestOf(name), size: name.length, ...fields }
}

const named = (name: string, tag: string): Descriptor => descriptor(name, { annotations: { [REF_NAME]: tag } })

describe('the oci-layout file', () => {
  test('is written and read', () => {
    expect(new TextDecoder().decode(encodeLayoutFile())).toBe('{"imageLayoutVersion":"1.0.0"}')
    checkLayoutFile(encodeLayoutFile(), 'oci-layout')
    checkLayoutFile(bytesOf({ imageLayoutVersion: '1.0.0', more: true }), 'oci-layout')
  })

  test.each([
    ['{}', 'invalid-content'],
    ['[]', 'invalid-content'],
    ['', 'invalid-content'],
    ['{"imageLayoutVersion":1}', 'invalid-content'],
    ['{"imageLayoutVersion":"1.0.1"}', 'unsupported'],
    ['{"imageLayoutVersion":"1.0.0\\u001b"}', 'unsupported'],
  ])('%j is refused', (text, code) => {
    expect(() => {
      checkLayoutFile(new TextEncoder().encode(text), 'oci-layout')
    }).toThrow(expect.objectContaining({ code }))
  })
})

test.each(['sha256', 'sha512'] as const)('the path of a blob with %s', (algorithm) => {
  const digest = digestOf('x', algorithm)
  expect(blobPathOf(digest)).toBe(`blobs/${algorithm}/${digest.slice(7)}`)
})

describe('an index of a layout', () => {
  test('is empty at first', () => {
    expect(new TextDecoder().decode(LayoutIndex.create().encode())).toBe(
      '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}',
    )
  })

  test.each([null, undefined, []])('may list nothing: %j', (manifests) => {
    const index = parse({ schemaVersion: 2, manifests })
    expect([...index.entries]).toEqual([])
    index.add(descriptor('a'))
    expect(documentOf(index)).toEqual({ schemaVersion: 2, manifests: [descriptor('a')] })
  })

  test('finds by name and by digest', () => {
    const index = parse({ schemaVersion: 2, manifests: [named('a', 'v1'), named('a', 'any: Näme/1'), descriptor('b')] })
    expect([...index.tags].sort()).toEqual(['any: Näme/1', 'v1'])
    expect(index.tagged('v1')?.descriptor.digest).toBe(digestOf('a'))
    expect(index.tagged('v2')).toBeUndefined()
    expect(index.entriesOf(digestOf('a')).map(({ tag }) => tag)).toEqual(['v1', 'any: Näme/1'])
    expect(index.entriesOf(digestOf('b')).map(({ tag }) => tag)).toEqual([undefined])
    expect(index.entriesOf(digestOf('c'))).toEqual([])
  })

  test('takes the last one of a name that is claimed twice, and the one before when that goes', () => {
    const index = parse({ schemaVersion: 2, manifests: [named('a', 'v1'), named('b', 'v1')] })
    expect(index.tagged('v1')?.descriptor.digest).toBe(digestOf('b'))
    index.remove(digestOf('b'))
    expect(index.tagged('v1')?.descriptor.digest).toBe(digestOf('a'))
    expect(index.remove(digestOf('b'))).toBe(false)
  })

  test('lists a manifest once, however often it is added', () => {
    const index = LayoutIndex.create()
    index.add(descriptor('a'))
    index.add(descriptor('a', { artifactType: 'test/a' }))
    index.tag(descriptor('b'), 'v1')
    index.add(descriptor('b'))
    expect(documentOf(index).manifests).toEqual([descriptor('a'), named('b', 'v1')])
  })

  test('does not take a name from a descriptor that comes from elsewhere', () => {
    const index = LayoutIndex.create()
    index.add(named('a', 'there'))
    index.tag(named('b', 'there'), 'here')
    expect(documentOf(index).manifests).toEqual([descriptor('a'), named('b', 'here')])
  })

  test('writes fields and annotations in the order of the Go tools, and no inline data', () => {
    const index = LayoutIndex.create()
    index.tag(descriptor('a', { artifactType: 'x/y', data: 'YQ==', annotations: { b: '<2>', a: '1' } }), 'v1')
    expect(new TextDecoder().decode(index.encode())).toContain(
      `{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"${digestOf('a')}","size":1,` +
        `"annotations":{"a":"1","b":"\\u003c2\\u003e","org.opencontainers.image.ref.name":"v1"},"artifactType":"x/y"}`,
    )
  })

  test('replaces the entry without a name by one with it, and keeps what is known of the manifest', () => {
    const index = parse({
      schemaVersion: 2,
      manifests: [{ ...descriptor('a', { artifactType: 'x/y', annotations: { kept: '1' } }), future: { deep: [1] } }],
    })
    index.tag(descriptor('a'), 'v1')
    index.tag(descriptor('a'), 'v2')
    const entry = { ...descriptor('a'), artifactType: 'x/y', future: { deep: [1] } }
    expect(documentOf(index).manifests).toEqual([
      { ...entry, annotations: { kept: '1', [REF_NAME]: 'v1' } },
      { ...entry, annotations: { kept: '1', [REF_NAME]: 'v2' } },
    ])
  })

  test('keeps a manifest whose name moved or was taken away', () => {
    const index = LayoutIndex.create()
    index.tag(descriptor('a'), 'v1')
    index.tag(descriptor('b'), 'v1')
    expect(documentOf(index).manifests).toEqual([descriptor('a'), named('b', 'v1')])
    index.tag(descriptor('b'), 'v2')
    expect(index.untag('v1')).toBe(true)
    expect(index.untag('v1')).toBe(false)
    expect(documentOf(index).manifests).toEqual([descriptor('a'), named('b', 'v2')])
    expect(index.untag('v2')).toBe(true)
    expect(documentOf(index).manifests).toEqual([descriptor('a'), descriptor('b')])
  })

  test('drops only the entry without a name of what is contained elsewhere', () => {
    const index = parse({ schemaVersion: 2, manifests: [descriptor('a'), descriptor('b'), named('b', 'v1')] })
    index.removeUntagged(digestOf('a'))
    index.removeUntagged(digestOf('b'))
    expect(documentOf(index).manifests).toEqual([named('b', 'v1')])
  })

  test('keeps what it does not know, and the order', () => {
    const text = `{"x":{"__proto__":1},"manifests":[${JSON.stringify({ future: 1, ...named('b', 'v1') })}],"schemaVersion":2,"annotations":{"a":"b"}}`
    const index = LayoutIndex.parse(new TextEncoder().encode(text), 'index.json')
    expect(new TextDecoder().decode(index.encode())).toBe(text)
  })

  test('is not changed by changes to its clone, nor the other way round', () => {
    const index = parse({ schemaVersion: 2, manifests: [named('a', 'v1'), descriptor('a')] })
    const before = documentOf(index)
    const clone = index.clone()
    clone.tag(descriptor('b'), 'v1')
    clone.remove(digestOf('a'))
    expect(documentOf(index)).toEqual(before)
    expect(index.tagged('v1')?.descriptor.digest).toBe(digestOf('a'))
    index.remove(digestOf('a'))
    expect(documentOf(clone).manifests).toEqual([named('b', 'v1')])
  })

  test('is sorted when asked', () => {
    const index = LayoutIndex.create()
    for (const name of ['b', 'a', 'c']) index.tag(descriptor(name), name)
    const order = (a: { tag?: string }, b: { tag?: string }): number => (a.tag ?? '').localeCompare(b.tag ?? '')
    const document = JSON.parse(new TextDecoder().decode(index.encode(order))) as { manifests: Descriptor[] }
    expect(document.manifests.map(({ size, digest }) => [size, digest])).toEqual(
      ['a', 'b', 'c'].map((name) => [1, digestOf(name)]),
    )
  })

  test.each([
    ['no object', [], 'invalid-content'],
    ['no schemaVersion', { manifests: [] }, 'invalid-content'],
    ['another schemaVersion', { schemaVersion: 1, manifests: [] }, 'invalid-content'],
    [
      'an image manifest',
      { schemaVersion: 2, mediaType: MediaType.imageManifest, manifests: [] },
      'ambiguous-manifest',
    ],
    ['a strange type', { schemaVersion: 2, mediaType: { a: 1 }, manifests: [] }, 'ambiguous-manifest'],
    ['layers too', { schemaVersion: 2, manifests: [], layers: [] }, 'ambiguous-manifest'],
    ['manifests that are no list', { schemaVersion: 2, manifests: {} }, 'invalid-content'],
    ['an entry that is no object', { schemaVersion: 2, manifests: ['x'] }, 'invalid-content'],
    [
      'a digest that is a path',
      { schemaVersion: 2, manifests: [{ ...descriptor('a'), digest: 'sha256:../../x' }] },
      'invalid-digest',
    ],
    [
      'a digest of an unknown kind',
      { schemaVersion: 2, manifests: [{ ...descriptor('a'), digest: 'md5:aa' }] },
      'invalid-digest',
    ],
    [
      'a size beyond all bounds',
      { schemaVersion: 2, manifests: [{ ...descriptor('a'), size: 2 ** 62 }] },
      'invalid-content',
    ],
    ['a negative size', { schemaVersion: 2, manifests: [{ ...descriptor('a'), size: -1 }] }, 'invalid-content'],
    [
      'a name that is no text',
      { schemaVersion: 2, manifests: [{ ...descriptor('a'), annotations: { [REF_NAME]: 1 } }] },
      'invalid-content',
    ],
  ])('with %s is refused', (_, value, code) => {
    expect(() => parse(value)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining('index.json') }),
    )
  })

  test('that is too large is neither read nor written', () => {
    const padding = 'x'.repeat(MAX_LAYOUT_INDEX_SIZE)
    const limit = expect.objectContaining({ code: 'limit-exceeded' })
    expect(() => parse({ schemaVersion: 2, manifests: [], padding })).toThrow(limit)
    const index = LayoutIndex.create()
    index.add(descriptor('a', { annotations: { padding } }))
    expect(() => index.encode()).toThrow(limit)
  })

  test('of ten thousand entries stays quick', () => {
    const index = LayoutIndex.create()
    for (let number = 0; number < 10_000; number++) index.tag(descriptor(String(number)), `v${number}`)
    const tagOnce = (): void => {
      const clone = index.clone()
      clone.tag(descriptor('new'), 'new')
      clone.encode()
    }
    expect(processorTime(tagOnce)).toBeLessThan(150)
    expect(index.tagged('v9999')?.descriptor.digest).toBe(parseDigest(digestOf('9999')))
  })
})

import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { isGantryError } from '../../src/errors.js'
import { descriptorOf } from '../../src/oci/descriptor.js'
import { digestOf } from '../../src/oci/digest.js'
import { encodeJson } from '../../src/oci/encode-json.js'
import { LayoutIndex } from '../../src/oci/layout-index.js'
import { artifactTypeOf, parseManifest, referrerDescriptor, successorsOf } from '../../src/oci/manifest.js'
import { MANIFEST_MEDIA_TYPES, MediaType } from '../../src/oci/media-types.js'
import { packManifest } from '../../src/oci/pack.js'
import { LayoutStore } from '../../src/store/layout.js'
import { MemoryStore } from '../../src/store/memory.js'
import type { Store } from '../../src/store/store.js'
import { openBytes } from '../../src/util/bytes.js'
import { parseJson } from '../../src/util/json.js'
import { MAX_JSON_DEPTH } from '../../src/util/json-structure.js'
import { fc, runs } from '../properties.js'
import { temporaryFolder } from '../util/temporary-folder.js'

const child = {
  mediaType: MediaType.imageManifest,
  digest: digestOf('child'),
  size: 5,
  platform: { os: 'linux', architecture: 'arm' },
}
const layer = {
  mediaType: 'application/x',
  digest: digestOf('layer'),
  size: 5,
  annotations: { a: 'b' },
  urls: ['https://h/'],
}
const subject = { mediaType: MediaType.imageManifest, digest: digestOf('subject'), size: 7 }
const common = { schemaVersion: 2, artifactType: 'application/vnd.test', subject, annotations: { k: 'v' } }
const documents: readonly object[] = [
  { ...common, mediaType: MediaType.imageManifest, config: layer, layers: [layer, layer] },
  { ...common, mediaType: MediaType.imageIndex, manifests: [child, child] },
  { ...common, mediaType: MediaType.artifactManifest, blobs: [layer] },
  { schemaVersion: 2, mediaType: MediaType.dockerManifest, config: layer, layers: [layer] },
  { schemaVersion: 2, mediaType: MediaType.dockerManifestList, manifests: [child] },
]

const strange = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    -1,
    1.5,
    2 ** 53,
    1e308,
    '',
    'x',
    [],
    {},
    [null],
    [[]],
    { a: 1 },
    'sha256:../../x',
    '../x',
  ),
  fc.jsonValue(),
)
const keys = [
  'mediaType',
  'config',
  'layers',
  'manifests',
  'blobs',
  'subject',
  'annotations',
  'digest',
  'size',
  'urls',
  'data',
  'platform',
  '__proto__',
  'constructor',
  'toJSON',
  'MANIFESTS',
  '0',
]

/** Sets a member anywhere in a document to something strange. */
function setSomewhere(document: unknown, steps: readonly number[], key: string, value: unknown): unknown {
  const copy: unknown = structuredClone(document)
  let place = copy as Record<string, unknown>
  for (const step of steps) {
    const inner = Object.values(place).filter((member) => typeof member === 'object' && member !== null)
    const next = inner[step % Math.max(1, inner.length)]
    if (next === undefined) break
    place = next as Record<string, unknown>
  }
  Object.defineProperty(place, key, { value, enumerable: true, configurable: true, writable: true })
  return copy
}

const shaped = fc
  .tuple(
    fc.constantFrom(...documents),
    fc.array(fc.tuple(fc.array(fc.nat(3), { maxLength: 3 }), fc.constantFrom(...keys), strange), { maxLength: 2 }),
  )
  .map(([document, changes]) =>
    JSON.stringify(
      changes.reduce<unknown>((changed, [steps, key, value]) => setSomewhere(changed, steps, key, value), document),
    ),
  )

/** What no serialiser writes: keys twice, numbers that no program keeps, depth, white space, bytes that are no text. */
const textual = fc.constantFrom<(text: string) => Uint8Array>(
  (text) => Buffer.from(text),
  (text) => Buffer.from(text.replace('{', '{"mediaType":"x",')),
  (text) => Buffer.from(text.replace('{', '{"__proto__":{"kind":"index"},')),
  (text) => Buffer.from(text.replace('{', '{"unknown":9223372036854775807,')),
  (text) => Buffer.from(text.replace('{', '{ \n\t"unknown" : 1.0e+2,')),
  (text) => Buffer.from(text.replace('{', `{"deep":${'['.repeat(70)}${']'.repeat(70)},`)),
  (text) =>
    Buffer.from(text.replace('{', `{"deep":${'['.repeat(MAX_JSON_DEPTH - 1)}${']'.repeat(MAX_JSON_DEPTH - 1)},`)),
  (text) => Buffer.from(text.replace(/"size":\d/, '"size":9007199254740993')),
  (text) => Buffer.from(text.replace(/"size":\d/, '"size":4611686018427387904')),
  (text) => Buffer.from(text.replace('linux', 'lin\\ud800ux')),
  (text) => Buffer.concat([Buffer.from(text.slice(0, 30)), Buffer.from([0xff, 0xfe]), Buffer.from(text.slice(30))]),
  (text) => Buffer.from(`\ufeff${text}`),
  (text) => Buffer.from(`${text}\n`),
  (text) => Buffer.from(`${text}{}`),
  (text) => Buffer.from(text.slice(0, -1)),
)
const cut = fc.option(fc.nat(600), { nil: undefined, freq: 5 })
const bytes = fc
  .tuple(shaped, textual, cut)
  .map(([text, change, length]) => new Uint8Array(change(text).subarray(0, length)))
/** Under the type that the document has more often than under another one. */
const typed = bytes.chain((content) => {
  const own = MANIFEST_MEDIA_TYPES.filter((type) =>
    documents.some(
      (document) =>
        'mediaType' in document &&
        document.mediaType === type &&
        Buffer.from(content).includes(`"mediaType":"${type}","`),
    ),
  )
  return fc
    .oneof(
      { weight: 4, arbitrary: fc.constantFrom(...(own.length === 0 ? MANIFEST_MEDIA_TYPES : own)) },
      fc.constantFrom(...MANIFEST_MEDIA_TYPES),
    )
    .map((type) => ({ content, type }))
})

const untouched = new Uint8Array(packManifest({ artifactType: 'example/untouched', layers: [] }).bytes)

/** The errors that a document may be refused with. */
const REFUSALS = ['invalid-content', 'ambiguous-manifest', 'invalid-digest', 'limit-exceeded', 'unsupported'] as const

describe('a manifest that was tampered with', () => {
  test('is read without harm, or refused in words', () => {
    fc.assert(
      fc.property(typed, ({ content, type }) => {
        const received = new Uint8Array(content)
        const descriptor = descriptorOf(type, content)
        try {
          const manifest = parseManifest({ descriptor, bytes: content })
          for (const { size, digest, mediaType: named } of successorsOf(manifest)) {
            expect(Number.isSafeInteger(size) && size >= 0).toBe(true)
            expect(digest).toMatch(/^sha(256:[0-9a-f]{64}|512:[0-9a-f]{128})$/)
            expect(named).not.toBe('')
          }
          expect(manifest.mediaType).toBe(type)
          expect(typeof artifactTypeOf(manifest)).toBe('string')
          expect(referrerDescriptor({ descriptor, bytes: content }, manifest).digest).toBe(digestOf(received))
        } catch (error) {
          expect(isGantryError(error, ...REFUSALS), String(error)).toBe(true)
        }
        expect(content).toEqual(received)
        expect(({} as Record<string, unknown>).kind).toBeUndefined()
      }),
    )
  })

  test('is never two things at once', () => {
    fc.assert(
      fc.property(bytes, (content) => {
        const kinds = MANIFEST_MEDIA_TYPES.flatMap((type) => {
          try {
            return [parseManifest({ descriptor: descriptorOf(type, content), bytes: content })]
          } catch {
            // Refused under this type, which is what should happen to all but one.
            return []
          }
        })
        const isDeclared = Buffer.from(content)
          .toString()
          .replace(/"(config|layers|blobs|manifests|subject)":.*/, '')
          .includes('"mediaType"')
        if (isDeclared) expect(kinds.length).toBeLessThanOrEqual(1)
        // Without a type of its own it can be empty in every way, and full in one.
        expect(
          new Set(
            kinds.filter((kind) => successorsOf(kind).some((one) => one !== kind.subject)).map(({ kind }) => kind),
          ).size,
        ).toBeLessThanOrEqual(1)
      }),
    )
  })

  test.each<[string, () => Promise<Store>]>([
    ['memory', async () => new MemoryStore()],
    ['a layout', () => LayoutStore.open(join(temporaryFolder(), 'layout'), { create: true })],
  ])('comes out of %s byte by byte, or never gets in', async (_, open) => {
    const store = await open()
    const stored = new Set<string>()
    await fc.assert(
      fc.asyncProperty(typed, async ({ content, type }) => {
        const descriptor = descriptorOf(type, content)
        try {
          await store.push(descriptor, openBytes(content), { tag: 'v1' })
        } catch (error) {
          expect(isGantryError(error, ...REFUSALS), String(error)).toBe(true)
          if (stored.has(descriptor.digest)) return
          await expect(store.readManifest(descriptor.digest)).rejects.toMatchObject({ code: 'not-found' })
          return
        }
        stored.add(descriptor.digest)
        const received = await store.readManifest('v1')
        expect(Buffer.from(received.bytes).equals(content)).toBe(true)
        expect(received.descriptor).toMatchObject({
          mediaType: type,
          digest: digestOf(content),
          size: content.byteLength,
        })
      }),
      // One that nobody tampered with: few values may all be refused.
      { ...runs(0.5), examples: [[{ content: untouched, type: MediaType.imageManifest }]] },
    )
    expect(stored.size).toBeGreaterThan(0)
  })
})

describe('JSON from outside', () => {
  test('means what it means to the engine, or is refused', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json({ stringUnit: 'binary' }), shaped, fc.string()), (text) => {
        try {
          const value = parseJson(Buffer.from(text), 'document')
          expect(JSON.stringify(value)).toBe(JSON.stringify(JSON.parse(Buffer.from(text).toString())))
        } catch (error) {
          expect(isGantryError(error, 'invalid-content', 'limit-exceeded')).toBe(true)
        }
      }),
    )
  })
})

describe('the index of a layout', () => {
  const entry = fc
    .record({
      name: fc.option(fc.constantFrom('v1', 'v2', '')),
      digest: fc.constantFrom('a', 'b', 'c'),
      extra: fc.option(fc.jsonValue()),
    })
    .map(({ name, digest, extra }) => ({
      mediaType: MediaType.imageManifest,
      digest: digestOf(digest),
      size: 1,
      ...(name === null ? {} : { annotations: { 'org.opencontainers.image.ref.name': name } }),
      ...(extra === null ? {} : { 'x-extra': extra }),
    }))
  const index = fc
    .record({
      manifests: fc.array(entry, { maxLength: 5 }),
      extra: fc.dictionary(fc.stringMatching(/^x-[a-z]{1,5}$/), fc.jsonValue(), { maxKeys: 3 }),
    })
    .map(({ manifests, extra }) => ({ ...extra, schemaVersion: 2, mediaType: MediaType.imageIndex, manifests }))

  test('keeps what it does not know, and the order', () => {
    fc.assert(
      fc.property(index, (document) => {
        const encoded = encodeJson(document)
        expect(Buffer.from(LayoutIndex.parse(encoded, 'index.json').encode()).toString()).toBe(
          Buffer.from(encoded).toString(),
        )
      }),
    )
  })

  test('that was tampered with is read or refused, and read again the same', () => {
    const tampered = fc
      .tuple(
        fc.oneof(
          index.map((document) => JSON.stringify(document)),
          shaped,
        ),
        textual,
        cut,
      )
      .map(([text, change, length]) => change(text).subarray(0, length))
    fc.assert(
      fc.property(tampered, (content) => {
        try {
          const once = LayoutIndex.parse(content, 'index.json').encode()
          expect(Buffer.from(LayoutIndex.parse(once, 'index.json').encode()).equals(once)).toBe(true)
        } catch (error) {
          expect(isGantryError(error, ...REFUSALS), String(error)).toBe(true)
        }
      }),
    )
  })
})

import { describe, expect, test } from 'vitest'
import { resolvePlatform } from '../../src/graph/select-platform.js'
import { descriptorOf, type Descriptor } from '../../src/oci/descriptor.js'
import { checkLayoutFile } from '../../src/oci/image-layout.js'
import { LayoutIndex } from '../../src/oci/layout-index.js'
import { parseManifest } from '../../src/oci/manifest.js'
import { MediaType } from '../../src/oci/media-types.js'
import { schema1Layers } from '../../src/oci/schema-1.js'
import { MemoryStore } from '../../src/store/memory.js'
import { openBytes } from '../../src/util/bytes.js'

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const good = JSON.stringify(descriptorOf('text/plain', bytesOf('good')))
const withMember = (member: string): string => `${good.slice(0, -1)},${member}}`

function parse(text: string, mediaType: string = MediaType.imageManifest): unknown {
  const bytes = bytesOf(text)
  return parseManifest({ descriptor: descriptorOf(mediaType, bytes), bytes })
}

const image = (fields: string): string => `{"config":${good},${fields}}`
const LONG_S = '\u017f'
const KELVIN = '\u212a'

describe('one digest cannot mean two contents:', () => {
  test.each([
    ['another spelling in a layer', image(`"layers":[${good},${withMember('"Digest":"x"')}]`), 'layers[1]', '"Digest"'],
    ['another spelling before the known key', image(`"layers":[{"SIZE":5,${good.slice(1)}]`), 'layers[0]', '"SIZE"'],
    ['a long s', image(`"layers":[${withMember(`"${LONG_S}ize":5`)}]`), 'layers[0]', `"${LONG_S}ize"`],
    ['an escaped long s', image(`"layers":[${withMember('"\\u017fize":5')}]`), 'layers[0]', `"${LONG_S}ize"`],
    ['another spelling alone', image(`"Layers":[${good}]`), 'it has', '"Layers"'],
    ['another media type', image('"layers":[],"MediaType":"x"'), 'it has', '"MediaType"'],
    ['a key twice in a layer', image(`"layers":[${withMember('"size":5')}]`), 'layers[0]', '"size" twice'],
    ['a key twice, once escaped', image(`"layers":[${withMember('"si\\u007ae":5')}]`), 'layers[0]', '"size" twice'],
    ['a key twice in the config', `{"config":${withMember('"digest":"x"')},"layers":[]}`, 'config', '"digest" twice'],
    ['a key twice', image('"layers":[],"layers":[]'), 'it has', '"layers" twice'],
    ['another spelling in the subject', image(`"layers":[],"subject":${withMember('"Size":1')}`), 'subject', '"Size"'],
    [
      'another spelling in a platform',
      `{"manifests":[${withMember('"platform":{"os":"linux","architecture":"amd64","OS.Version":"1"}')}]}`,
      'manifests[0].platform',
      '"OS.Version"',
    ],
    ['another spelling of a list of Docker', image('"layers":[],"fslayers":[]'), 'it has', '"fslayers"'],
    ['an annotation twice', image('"layers":[],"annotations":{"a":"1","a":"2"}'), 'annotations', '"a" twice'],
    [
      'annotations that differ in an unpaired surrogate',
      image('"layers":[],"annotations":{"\\ud800":"1","\\udfff":"2"}'),
      'annotations',
      'which some readers take for one',
    ],
    ['unknown keys in two spellings', image('"layers":[],"extra":1,"Extra":2'), 'it has', 'for one'],
    ['unknown keys in two spellings of k', image(`"layers":[],"k":1,"${KELVIN}":2`), 'it has', 'for one'],
    ['a key twice in something unknown', image('"layers":[],"extra":{"a":1,"a":2}'), 'extra', '"a" twice'],
  ])('%s', (_, text, place, fault) => {
    const mediaType = text.includes('"manifests"') ? MediaType.imageIndex : MediaType.imageManifest
    for (const part of [place, fault]) {
      const message = expect.stringContaining(part) as unknown
      expect(() => parse(text, mediaType)).toThrow(expect.objectContaining({ code: 'ambiguous-manifest', message }))
    }
  })

  test.each([
    ['annotations in two spellings', '"annotations":{"a":"1","A":"2","size":"3","Size":"4"}'],
    ['a pair of surrogates', '"annotations":{"\\ud83d\\ude00":"1","\\ud83d\\ude01":"2"}'],
    ['an unknown key', '"extra":{"Digest":1,"digest":2}'],
    ['a dotless i', '"s\u0131ze":1'],
  ])('%s are one content', (_, member) => {
    expect(parse(image(`"layers":[${withMember(member)}],${member}`))).toMatchObject({ kind: 'image' })
  })

  test('index.json', () => {
    for (const member of ['"Digest":"x"', '"size":1', `"${LONG_S}ize":1`, '"annotations":{"a":"b","a":"c"}']) {
      const text = `{"schemaVersion":2,"manifests":[${withMember(member)}]}`
      expect(() => LayoutIndex.parse(bytesOf(text), 'index.json')).toThrow(
        expect.objectContaining({ code: 'ambiguous-manifest' }),
      )
    }
    expect(() => LayoutIndex.parse(bytesOf('{"schemaVersion":2,"manifests":[],"Manifests":[]}'), 'index.json')).toThrow(
      expect.objectContaining({ code: 'ambiguous-manifest' }),
    )
  })

  test.each([
    '{"fsLayers":[{"blobSum":"x","BlobSum":"y"}]}',
    '{"fsLayers":[],"fslayers":[]}',
    '{"fsLayers":[{"blobSum":"x","blobSum":"y"}]}',
  ])("a manifest of Docker's schema 1: %s", (text) => {
    expect(() => schema1Layers(bytesOf(text), 'it')).toThrow(expect.objectContaining({ code: 'ambiguous-manifest' }))
  })

  test('oci-layout', () => {
    const text = '{"imageLayoutVersion":"1.0.0","ImageLayoutVersion":"2.0.0"}'
    expect(() => checkLayoutFile(bytesOf(text), 'oci-layout')).toThrow(
      expect.objectContaining({ code: 'ambiguous-manifest' }),
    )
  })

  test.each([
    ['{"os":"linux","architecture":"amd64","OS":"windows"}', 'it has the key "OS"'],
    ['{"os":"linux","architecture":"amd64","config":{"User":"1","user":"0"}}', 'config has the key "user"'],
    ['{"os":"linux","architecture":"amd64","rootfs":{"diff_ids":[],"diff_ids":[]}}', 'rootfs has the key "diff_ids"'],
    ['{"os":"linux","architecture":"amd64","history":[{},{"Comment":""}]}', 'history[1] has the key "Comment"'],
    ['{"os":"linux","architecture":"amd64","config":{"Labels":{"a":"b","a":"c"}}}', 'config.Labels has the key "a"'],
  ])('the config %s', async (config, fault) => {
    const store = new MemoryStore()
    const push = async (mediaType: string, text: string): Promise<Descriptor> => {
      const descriptor = descriptorOf(mediaType, bytesOf(text))
      await store.push(descriptor, openBytes(bytesOf(text)))
      return descriptor
    }
    const descriptor = await push(MediaType.imageConfig, config)
    const manifest = await push(MediaType.imageManifest, JSON.stringify({ config: descriptor, layers: [] }))
    const message = expect.stringContaining(fault) as unknown
    const platform = { os: 'linux', architecture: 'amd64' }
    await expect(resolvePlatform(store, manifest.digest, { platform })).rejects.toMatchObject({
      code: 'ambiguous-manifest',
      message,
    })
  })
})

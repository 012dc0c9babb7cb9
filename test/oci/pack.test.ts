import { describe, expect, test } from 'vitest'
import { descriptorOf } from '../../src/oci/descriptor.js'
import { isTimestamp, packManifest, sortedAnnotations } from '../../src/oci/pack.js'
import { MediaType } from '../../src/oci/media-types.js'

const created = { 'org.opencontainers.image.created': '2020-01-01T00:00:00Z' }
const hello = {
  ...descriptorOf(MediaType.imageLayer, Buffer.from('hello\n')),
  annotations: { 'org.opencontainers.image.title': 'hi.txt' },
}

describe('packManifest makes the manifests that oras makes', () => {
  test.each([
    ['one file', { layers: [hello] }, 'sha256:70cffe781c9f4b952374eb7c89ae2520a4f49e0e29687c997750195b1c8a33d2'],
    [
      'nothing',
      { layers: [], artifactType: 'test/e' },
      'sha256:afb6fedde618ee5d52692d94c8dce282a0d2973fc438d2e51dfac3e1ebebc6ee',
    ],
    [
      'a config of its own',
      { layers: [hello], config: descriptorOf('application/vnd.me.config', Buffer.from('{}')) },
      'sha256:3e355c94743aa7bde34cf0bd24bbbc74637466b409b59c4ba084cef7a9b322af',
    ],
    [
      'a platform config and a type',
      {
        layers: [hello],
        artifactType: 'test/p',
        config: descriptorOf(
          MediaType.imageConfig,
          Buffer.from('{"architecture":"arm","os":"linux","os.version":"10.0","variant":"v7"}'),
        ),
      },
      'sha256:46a30df255bc48bce0f54c96506387d2ec103ec0872d90227114e0989423cdea',
    ],
    [
      'image-spec 1.0',
      { layers: [hello], imageSpec: 'v1.0' as const, artifactType: 'test/v10' },
      'sha256:4a69bcfaf953ebfc13ba04b6690eb853ff5db338f3e23416778ed5905e2e5c12',
    ],
  ])('%s', (_, options, digest) => {
    expect(packManifest({ ...options, annotations: created }).descriptor.digest).toBe(digest)
  })
})

test('a subject is reduced to type, digest and size', () => {
  const subject = {
    ...descriptorOf(MediaType.imageManifest, Buffer.from('s')),
    annotations: { a: 'b' },
    artifactType: 'x/y',
  }
  const { bytes } = packManifest({ layers: [hello], subject, artifactType: 'a/b' })
  expect(JSON.parse(Buffer.from(bytes).toString())).toHaveProperty('subject', {
    mediaType: subject.mediaType,
    digest: subject.digest,
    size: 1,
  })
})

test.each([
  [{ artifactType: 'bad' }, 'invalid artifactType format: bad'],
  [{ annotations: { 'org.opencontainers.image.created': 'notadate' } }, 'invalid date and time format'],
  [{ imageSpec: 'v1.0' as const, artifactType: 'a/b', config: hello }, 'not both'],
])('refuses %j', (options, reason) => {
  expect(() => packManifest({ layers: [], ...options })).toThrow(reason)
})

test('annotations are sorted by bytes, and escaped as Go escapes', () => {
  expect(Object.keys(sortedAnnotations({ b: '', a: '', Z: '', é: '' }))).toEqual(['Z', 'a', 'b', 'é'])
  const { bytes } = packManifest({ layers: [hello], annotations: { a: '<&>\u2028' } })
  expect(Buffer.from(bytes).toString()).toContain('"a":"\\u003c\\u0026\\u003e\\u2028"')
})

test.each([
  ['2020-01-01T00:00:00Z', true],
  ['2020-01-01T00:00:00.123+02:00', true],
  ['2020-13-01T00:00:00Z', false],
  ['2020-01-01', false],
])('isTimestamp(%s) is %s', (text, expected) => {
  expect(isTimestamp(text)).toBe(expected)
})

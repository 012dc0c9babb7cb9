import { fc, processorTime } from '../properties.js'
import { describe, expect, test } from 'vitest'
import { isGantryError } from '../../src/errors.js'
import {
  formatReference,
  isRegistryName,
  isTag,
  parseReference,
  parseTaggedReference,
  targetOf,
} from '../../src/oci/reference.js'

const DIGEST = `sha256:${'a'.repeat(64)}`

describe('parseReference', () => {
  test.each([
    ['localhost:5000/a', { registry: 'localhost:5000', repository: 'a' }],
    ['localhost/a:v1', { registry: 'localhost', repository: 'a', tag: 'v1' }],
    ['example.com/team/app/part:v1.2_3-x', { registry: 'example.com', repository: 'team/app/part', tag: 'v1.2_3-x' }],
    [`example.com/a@${DIGEST}`, { registry: 'example.com', repository: 'a', digest: DIGEST }],
    [`example.com/a:v1@${DIGEST}`, { registry: 'example.com', repository: 'a', tag: 'v1', digest: DIGEST }],
    [
      `example.com/a@sha512:${'0'.repeat(128)}`,
      { registry: 'example.com', repository: 'a', digest: `sha512:${'0'.repeat(128)}` },
    ],
    ['[::1]:5000/a:v1', { registry: '[::1]:5000', repository: 'a', tag: 'v1' }],
    ['127.0.0.1:5000/a', { registry: '127.0.0.1:5000', repository: 'a' }],
    ['docker.io/library/alpine:3', { registry: 'docker.io', repository: 'library/alpine', tag: '3' }],
    ['my_registry:5000/a__b/c---d.e', { registry: 'my_registry:5000', repository: 'a__b/c---d.e' }],
    ['REG.example.com/a', { registry: 'REG.example.com', repository: 'a' }],
  ])('%s', (text, expected) => {
    expect(parseReference(text)).toEqual(expected)
    expect(formatReference(parseReference(text))).toBe(text)
  })

  test.each([
    ['', 'it is empty'],
    [' ', 'it is empty'],
    ['alpine', 'missing registry or repository'],
    ['localhost:5000', 'missing registry or repository'],
    ['/a', 'invalid registry ""'],
    ['example.com/', 'invalid repository ""'],
    ['example.com/UPPER:a', 'invalid repository "UPPER"'],
    ['example.com/a/../b', 'invalid repository "a/../b"'],
    ['example.com/a//b', 'invalid repository "a//b"'],
    ['example.com/..%2f..', 'invalid repository "..%2f.."'],
    ['example.com/a?x=1', 'invalid repository "a?x=1"'],
    ['example.com/a#f', 'invalid repository "a#f"'],
    ['example.com/a b', 'invalid repository "a b"'],
    ['example.com/a:', 'invalid tag ""'],
    ['example.com/a:bad!tag', 'invalid tag "bad!tag"'],
    ['example.com/a:tag:tag', 'invalid tag "tag:tag"'],
    [`example.com/a:${'x'.repeat(129)}`, 'invalid tag'],
    ['example.com/a@sha256:abc', 'invalid digest "sha256:abc"'],
    [`example.com/a@${DIGEST.toUpperCase()}`, 'invalid digest'],
    [`example.com/a@md5:${'a'.repeat(32)}`, 'unsupported digest algorithm'],
    ['user:pw@example.com/a', 'invalid registry "user:pw@example.com"'],
    ['https://example.com/a', 'invalid registry "https:"'],
    ['example.com:99999/a', 'invalid registry "example.com:99999"'],
    ['example.com:0/a', 'invalid registry'],
    ['0x7f.1/a', 'invalid registry "0x7f.1"'],
    ['2130706433/a', 'invalid registry'],
    ['ⓔvil.com/a', 'invalid registry'],
    ['-o/a', 'invalid registry "-o"'],
    ['exa\u001bmple.com/a', 'invalid registry "exa\\u{1b}mple.com"'],
    [`example.com/${'a'.repeat(5000)}`, 'it is too long'],
    [`example.com/${'a'.repeat(300)}`, 'invalid repository'],
  ])('refuses %j', (text, reason) => {
    let error: unknown
    try {
      parseReference(text)
    } catch (caught) {
      error = caught
    }
    expect(isGantryError(error, 'invalid-reference')).toBe(true)
    expect(String(error)).toContain(reason)
  })

  test('whatever is accepted survives a round trip and a URL parser', () => {
    const component = fc.stringMatching(/^[a-z0-9]{1,8}([._-][a-z0-9]{1,4})?$/)
    const host = fc.stringMatching(/^[a-z][a-z0-9]{0,10}(\.[a-z]{2,5})?(:[1-9][0-9]{0,3})?$/)
    fc.assert(
      fc.property(host, fc.array(component, { minLength: 1, maxLength: 4 }), (registry, path) => {
        const text = `${registry}/${path.join('/')}`
        expect(formatReference(parseReference(text))).toBe(text)
      }),
    )
  })

  test('any text gives a reference or a typed error', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        try {
          expect(formatReference(parseReference(text))).toBe(text)
        } catch (error) {
          expect(isGantryError(error, 'invalid-reference')).toBe(true)
        }
      }),
    )
  })

  test('hostile lengths take no time', () => {
    for (const text of [
      `example.com/${'a-'.repeat(2000)}!`,
      `example.com/a:${'-'.repeat(4000)}`,
      'a.'.repeat(2000) + '/a',
    ]) {
      const refuse = () => expect(() => parseReference(text)).toThrow()
      expect(processorTime(refuse)).toBeLessThan(1_000)
    }
  })
})

describe('parseTaggedReference', () => {
  test('several tags by comma', () => {
    expect(parseTaggedReference('localhost:5000/a:v1,v2,latest')).toEqual({
      reference: { registry: 'localhost:5000', repository: 'a', tag: 'v1' },
      extraTags: ['v2', 'latest'],
    })
  })
  test('refuses a bad one among them', () => {
    expect(() => parseTaggedReference('localhost:5000/a:v1,,v2')).toThrow('invalid tag ""')
  })
})

test('the digest decides when there is a tag too', () => {
  expect(targetOf(parseReference(`example.com/a:v1@${DIGEST}`))).toBe(DIGEST)
  expect(targetOf(parseReference('example.com/a:v1'))).toBe('v1')
  expect(targetOf(parseReference('example.com/a'))).toBeUndefined()
})

test.each([
  ['v1', true],
  ['_x', true],
  ['.x', false],
  ['-x', false],
  ['a/b', false],
])('isTag(%s) is %s', (text, expected) => {
  expect(isTag(text)).toBe(expected)
})

test.each([
  ['example.com', true],
  ['example.com:443', true],
  ['127.1', false],
  ['[::ffff:127.0.0.1]:80', false],
  ['example.com.', false],
  ['example..com', false],
  ['example.-a.com', false],
  ['example-.com', false],
  ['a--b.example.com', true],
  ['a b', false],
])('isRegistryName(%s) is %s', (text, expected) => {
  expect(isRegistryName(text)).toBe(expected)
})

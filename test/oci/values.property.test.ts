import { describe, expect, test } from 'vitest'
import { isGantryError } from '../../src/errors.js'
import { algorithmOf, Digester, digestOf, hexOf, isDigest, parseDigest } from '../../src/oci/digest.js'
import { isMediaType, mediaTypeOf } from '../../src/oci/media-types.js'
import { formatPlatform, matchesPlatform, parsePlatform } from '../../src/oci/platform.js'
import { digestTagsOf, isDigestTag, referrersTagOf } from '../../src/oci/referrers-tag.js'
import { isTag } from '../../src/oci/reference.js'
import { processorTime, fc, LINEAR_TIME } from '../properties.js'

const algorithm = fc.constantFrom('sha256' as const, 'sha512' as const)

describe('a digest', () => {
  test('comes back as it was written', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), algorithm, (bytes, name) => {
        const digest = digestOf(bytes, name)
        expect(parseDigest(digest)).toBe(digest)
        expect(`${algorithmOf(digest)}:${hexOf(digest)}`).toBe(digest)
        expect(isTag(referrersTagOf(digest))).toBe(true)
        expect([referrersTagOf(digest), ...digestTagsOf(digest)].every(isDigestTag)).toBe(true)
      }),
    )
  })

  test('is the same however the content is cut into pieces', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 6 }),
        algorithm,
        fc.nat(6),
        (pieces, name, fork) => {
          const digester = new Digester(name)
          let copy: Digester | undefined
          pieces.forEach((piece, index) => {
            if (index === fork) copy = digester.copy()
            digester.update(piece)
            copy?.update(piece)
          })
          const whole = Buffer.concat(pieces)
          expect([digester.digest(), digester.size]).toEqual([digestOf(whole, name), whole.length])
          if (copy !== undefined) expect(copy.digest()).toBe(digester.digest())
        },
      ),
    )
  })

  test('is nothing that the grammar does not have', () => {
    const nearly = fc
      .tuple(
        fc.stringMatching(/^(sha256|sha512|sha384|md5|SHA256):[0-9a-fA-F]{60,66}$/),
        fc.constantFrom('', 'g', ' ', '\n', '/', '..', 'A'.repeat(64), '0'.repeat(64)),
      )
      .map((parts) => parts.join(''))
    const text = fc.oneof(
      nearly,
      fc.string({ unit: 'binary', maxLength: 150 }),
      fc.stringMatching(/^sha(256:[0-9a-f]{64}|512:[0-9a-f]{128})$/),
    )
    fc.assert(
      fc.property(text, (value) => {
        const isOne = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/.test(value) && !value.endsWith('\n')
        expect(isDigest(value)).toBe(isOne)
        try {
          expect(parseDigest(value)).toBe(value)
          expect(isOne).toBe(true)
        } catch (error) {
          expect(isGantryError(error, 'invalid-digest')).toBe(true)
        }
      }),
    )
  })
})

describe('a media type', () => {
  const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,20}$/)

  test('is found in any Content-Type', () => {
    const parameters = fc.constantFrom('', ';', '; charset=utf-8', ' ;a="b;c"', ';\t')
    fc.assert(
      fc.property(name, name, parameters, fc.constantFrom('', ' '), (type, subtype, rest, space) => {
        expect(isMediaType(`${type}/${subtype}`)).toBe(true)
        expect(mediaTypeOf(`${space}${type}/${subtype}${space}${rest}`)).toBe(`${type}/${subtype}`.toLowerCase())
      }),
    )
  })

  test('is nothing else', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc
        .array(fc.constantFrom('a', '/', ';', ' ', '\n', '+json', '.', '-', 'é'), { maxLength: 6 })
        .map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(text, (value) => {
        const parts = value.split('/')
        const isOne =
          parts.length === 2 && parts.every((part) => /^[A-Za-z0-9]/.test(part) && !/[^A-Za-z0-9!#$&\-^_.+]/.test(part))
        expect(isMediaType(value)).toBe(isOne)
        expect(mediaTypeOf(mediaTypeOf(value))).toBe(mediaTypeOf(value))
      }),
    )
  })

  test('takes no time for 64 KiB', () => {
    fc.assert(
      fc.property(fc.constantFrom('a', 'a/', ';', ' ', '-', 'a;', '.'), (piece) => {
        const text = piece.repeat(65_536 / piece.length)
        expect(processorTime(() => [isMediaType(text), mediaTypeOf(text), isDigest(text)])).toBeLessThan(LINEAR_TIME)
      }),
    )
  })
})

describe('a platform', () => {
  const part = fc.stringMatching(/^[a-z0-9_.-]{1,8}$/)
  const platform = fc
    .record({
      os: part,
      architecture: part,
      variant: fc.option(part, { nil: undefined }),
      version: fc.option(fc.stringMatching(/^[0-9.:/]{0,10}$/), { nil: undefined }),
    })
    .map(({ os, architecture, variant, version }) => ({
      os,
      architecture,
      ...(variant === undefined ? {} : { variant }),
      ...(version === undefined ? {} : { 'os.version': version }),
    }))

  test('comes back as it was written', () => {
    fc.assert(
      fc.property(platform, (value) => {
        expect(parsePlatform(formatPlatform(value), 'host')).toEqual(value)
        expect(matchesPlatform(value, value)).toBe(true)
        expect(matchesPlatform({ os: value.os, architecture: value.architecture }, value)).toBe(true)
      }),
    )
  })

  test('is refused in words, or comes back', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('linux', '/', ':', '', ' ', 'é', 'arm'), { maxLength: 8 }), (parts) => {
        const text = parts.join('')
        try {
          const value = parsePlatform(text, 'host')
          expect(parsePlatform(formatPlatform(value), 'other')).toEqual(value)
        } catch (error) {
          expect(isGantryError(error, 'invalid-platform')).toBe(true)
        }
      }),
    )
  })
})

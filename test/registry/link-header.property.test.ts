import { describe, expect, test } from 'vitest'
import { isGantryError } from '../../src/errors.js'
import { nextTarget, parseLinks } from '../../src/registry/link-header.js'
import { resolveRegistryAddress } from '../../src/registry/registry-address.js'
import { processorTime, fc, LINEAR_TIME } from '../properties.js'

const ORIGIN = 'https://registry.example:8443'
const BASE = `${ORIGIN}/v2/team/app/tags/list?n=2`

const relation = fc.stringMatching(/^[a-z][a-z0-9.-]{0,8}$/)
const target = fc.oneof(
  fc.stringMatching(/^\/[a-zA-Z0-9?=&,;._%"'-]{0,30}$/),
  fc.webUrl({ withQueryParameters: true }),
  fc.constantFrom('', '?last=a', '//other.example/x', ORIGIN, `${ORIGIN}/v2/x`, 'https://registry.example/x'),
)
const space = fc.constantFrom('', ' ', '\t')
const other = fc.oneof(
  fc
    .tuple(fc.constantFrom('title', 'type', 'anchor'), fc.string({ maxLength: 10 }))
    .map(([name, value]) => `${name}="${value.replace(/[\\"]/g, '\\$&')}"`),
  fc.constantFrom('crossorigin', 'type=text/html', "title*=UTF-8''x"),
)
const link = fc
  .record({
    target,
    relations: fc.array(relation, { minLength: 1, maxLength: 3 }),
    before: fc.array(other, { maxLength: 2 }),
    after: fc.array(other, { maxLength: 2 }),
    name: fc.constantFrom('rel', 'REL', 'Rel'),
    gap: space,
    quoted: fc.boolean(),
  })
  .map(({ target: address, relations, before, after, name, gap, quoted }) => {
    const isBare = !quoted && relations.length === 1
    const value = isBare ? relations[0] : `"${relations.join(' ')}"`
    const parameters = [...before, `${name}${gap}=${gap}${value ?? ''}`, ...after]
    return {
      target: address,
      relations,
      text: `<${address}>${parameters.map((text) => `${gap};${gap}${text}`).join('')}`,
    }
  })

describe('a Link header', () => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(fc.array(link, { maxLength: 4 }), fc.constantFrom(',', ', ', ' , '), (links, comma) => {
        const expected = links.map(({ target: address, relations }) => ({ target: address, relations }))
        const header = links.map(({ text }) => text).join(comma)
        expect(parseLinks(header)).toEqual(expected)
        expect(nextTarget(header)).toBe(expected.find(({ relations }) => relations.includes('next'))?.target)
      }),
    )
  })

  test('leads to the registry, or nowhere', () => {
    const piece = fc.constantFrom(
      '<',
      '>',
      ';',
      ',',
      '"',
      '\\',
      '=',
      ' ',
      'rel',
      'next',
      '/',
      '//',
      'http:',
      'https:',
      '@',
      '#',
      '\t',
      'registry.example',
      ':8443',
      'other.example',
      '%2f',
      '..',
      'é',
    )
    const hostile = fc.oneof(
      fc.array(link, { maxLength: 3 }).map((links) => links.map(({ text }) => text).join(',')),
      fc.array(piece, { maxLength: 16 }).map((parts) => `<${parts.join('')}>;rel=next`),
      fc.array(piece, { maxLength: 20 }).map((parts) => parts.join('')),
      fc.string({ unit: 'binary' }),
    )
    fc.assert(
      fc.property(hostile, (header) => {
        try {
          const next = nextTarget(header)
          if (next === undefined) return
          const address = resolveRegistryAddress(next, { origin: ORIGIN, base: BASE, what: 'next page' })
          const url = new URL(address)
          expect(url.origin).toBe(ORIGIN)
          expect(url.href).toBe(address)
          expect([url.username, url.password, url.hash]).toEqual(['', '', ''])
        } catch (error) {
          expect(isGantryError(error, 'invalid-content', 'untrusted-destination')).toBe(true)
        }
      }),
    )
  })

  test('is read in one pass', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '<',
        '<a>',
        '<a>,',
        '<a>;',
        ';',
        ',',
        ' ',
        '"',
        '\\',
        '<a>;rel="',
        '<a>;rel=next,',
        ';a=b',
        ';a="b"',
      ),
      fc.string({ minLength: 1, maxLength: 4 }),
    )
    fc.assert(
      fc.property(piece, fc.constantFrom('', '<a>', '<a>;rel="', '<'), (repeated, start) => {
        const header = `${start}${repeated.repeat(65_536 / repeated.length)}`
        const read = (): unknown => {
          try {
            return parseLinks(header)
          } catch (error) {
            return error
          }
        }
        expect(processorTime(read)).toBeLessThan(LINEAR_TIME)
      }),
      { numRuns: 50 },
    )
  })
})

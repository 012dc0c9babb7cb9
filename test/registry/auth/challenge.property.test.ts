import { describe, expect, test } from 'vitest'
import { offerOf, parseChallenges, type Challenge } from '../../../src/registry/auth/challenge.js'
import { ScopeSet } from '../../../src/registry/auth/scope-set.js'
import { processorTime, fc, LINEAR_TIME } from '../../properties.js'

const token = fc.stringMatching(/^[A-Za-z][A-Za-z0-9!#$%&'*+.^_`|~-]{0,9}$/)
const space = fc.constantFrom('', ' ', '  ', '\t')
const bareValue = fc.stringMatching(/^[A-Za-z0-9:/._?&%@+-]{1,20}$/)
/** Whatever a header may hold, with what makes quoting hard more often than not. */
const anyValue = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.string({ unit: fc.constantFrom('"', '\\', ',', ' ', '=', 'a', ':', '/', '\t'), maxLength: 12 }),
  fc.constant('repository:team/app:pull,push repository:other:pull'),
)

interface WrittenParameter {
  readonly name: string
  readonly value: string
  readonly text: string
}

/** One parameter as some server writes it: quoted, quoted with more escapes than needed, or bare. */
const parameter: fc.Arbitrary<WrittenParameter> = fc.tuple(token, space, space).chain(([name, before, after]) =>
  fc
    .oneof(
      anyValue.map((value) => ({ name, value, text: `"${value.replace(/[\\"]/g, '\\$&')}"` })),
      anyValue.map((value) => ({ name, value, text: `"${value.replace(/[\\",= ]/g, '\\$&')}"` })),
      bareValue.map((value) => ({ name, value, text: value })),
    )
    .map(({ value, text }) => ({ name, value, text: `${name}${before}=${after}${text}` })),
)

const separator = fc.constantFrom(', ', ',', ' , ', ',\t', ', ,')

interface WrittenChallenge extends Challenge {
  readonly text: string
}

const withParameters: fc.Arbitrary<WrittenChallenge> = fc
  .tuple(
    token,
    fc.uniqueArray(parameter, { minLength: 1, maxLength: 4, selector: ({ name }) => name.toLowerCase() }),
    separator,
  )
  .map(([scheme, parameters, comma]) => ({
    scheme: scheme.toLowerCase(),
    parameters: Object.fromEntries(parameters.map(({ name, value }) => [name.toLowerCase(), value])),
    text: `${scheme} ${parameters.map(({ text }) => text).join(comma)}`,
  }))
const bareScheme: fc.Arbitrary<WrittenChallenge> = token.map((scheme) => ({
  scheme: scheme.toLowerCase(),
  parameters: {},
  text: scheme,
}))
const challenges = fc.array(fc.oneof({ weight: 4, arbitrary: withParameters }, bareScheme), { maxLength: 4 })

const plain = (found: readonly Challenge[]): object[] =>
  found.map(({ scheme, parameters }) => ({ scheme, parameters: { ...parameters } }))
const bare = (written: readonly WrittenChallenge[]): object[] =>
  written.map(({ scheme, parameters }) => ({ scheme, parameters }))

describe('parseChallenges', () => {
  test('reads what was written, in one header or in several', () => {
    fc.assert(
      fc.property(challenges, separator, (written, comma) => {
        const texts = written.map(({ text }) => text)
        expect(plain(parseChallenges(texts))).toEqual(bare(written))
        expect(plain(parseChallenges([texts.join(comma)]))).toEqual(bare(written))
      }),
    )
  })

  test('finds the others behind one with a token68', () => {
    const token68 = fc.stringMatching(/^[A-Za-z0-9._~+/-]{1,20}={0,2}$/)
    fc.assert(
      fc.property(token, token68, challenges, (scheme, credentials, written) => {
        const found = plain(
          parseChallenges([[`${scheme} ${credentials}`, ...written.map(({ text }) => text)].join(', ')]),
        )
        expect(found).toContainEqual({ scheme: scheme.toLowerCase(), parameters: expect.anything() as object })
        expect(written.length === 0 ? [] : found.slice(-written.length)).toEqual(bare(written))
      }),
    )
  })

  test('the scope that is asked for is understood in any place', () => {
    const action = fc.uniqueArray(fc.constantFrom('pull', 'push', 'delete'), { minLength: 1 })
    fc.assert(
      fc.property(fc.shuffledSubarray(['realm', 'service', 'scope'], { minLength: 3 }), action, (order, actions) => {
        const values: Record<string, string> = {
          realm: 'https://auth.example/token',
          service: 'registry.example',
          scope: `repository:h:5000/a:${actions.join(',')}`,
        }
        const text = `Bearer ${order.map((name) => `${name}="${values[name] ?? ''}"`).join(',')}`
        const { bearer } = offerOf(parseChallenges([text])) ?? {}
        expect(bearer).toEqual(values)
        expect(ScopeSet.parse(bearer?.scope ?? '').toStrings()).toEqual([
          `repository:h:5000/a:${[...actions].sort().join(',')}`,
        ])
      }),
    )
  })

  test('the first of two values counts', () => {
    fc.assert(
      fc.property(parameter, anyValue, space, ({ name, value, text }, other, gap) => {
        const quoted = `"${other.replace(/[\\"]/g, '\\$&')}"`
        const [found] = parseChallenges([`Bearer ${text},${gap}${name.toUpperCase()}=${quoted}`])
        expect(found?.parameters[name.toLowerCase()]).toBe(value)
      }),
    )
  })

  test('takes a quote that never ends for the rest', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[^"\\]{0,30}$/), (rest) => {
        const [found] = parseChallenges([`Bearer realm="${rest}`])
        expect(found?.parameters.realm).toBe(rest)
      }),
    )
  })

  test('understands or skips anything, and offers nothing that is no address', () => {
    const piece = fc.constantFrom(
      'Bearer',
      'Basic',
      ' ',
      ',',
      '=',
      '"',
      '\\',
      'realm',
      'https://h/t',
      '//h',
      '/\\h',
      'javascript:',
      '\0',
      'é',
    )
    const hostile = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(piece, { maxLength: 20 }).map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(fc.array(hostile, { maxLength: 3 }), (values) => {
        const found = parseChallenges(values)
        for (const { scheme, parameters } of found) {
          expect(scheme).toBe(scheme.toLowerCase())
          expect(Object.getPrototypeOf(parameters)).toBeNull()
        }
        const realm = offerOf(found)?.bearer?.realm
        if (realm !== undefined) expect(realm).toMatch(/^(https?:\/\/|\/(?![/\\]))/i)
      }),
    )
  })

  test('takes 64 KiB in one pass, and no more of them', () => {
    const piece = fc.oneof(
      fc.constantFrom('a', ',', ' ', '"', '\\', '\\"', 'a=', 'a="', 'a="b",', 'Bearer ', '=', 'a b', ', ,'),
      fc.string({ minLength: 1, maxLength: 4 }),
    )
    fc.assert(
      fc.property(piece, fc.constantFrom('', 'Bearer realm="', 'Basic '), (repeated, start) => {
        const text = `${start}${repeated.repeat(65_536 / repeated.length)}`.slice(0, 65_536)
        expect(processorTime(() => offerOf(parseChallenges([text])))).toBeLessThan(LINEAR_TIME)
        const refuse = (): unknown => parseChallenges([text, `${repeated}x`.repeat(text.length)])
        expect(
          processorTime(() => expect(refuse).toThrow(expect.objectContaining({ code: 'invalid-content' }))),
        ).toBeLessThan(LINEAR_TIME)
      }),
      { numRuns: 50 },
    )
  })
})

describe('ScopeSet', () => {
  const resource = fc.tuple(fc.constantFrom('repository', 'registry'), fc.stringMatching(/^[a-z0-9:/.-]{1,12}$/))
  const scope = fc
    .tuple(resource, fc.uniqueArray(fc.constantFrom('pull', 'push', 'delete', '*'), { minLength: 1 }))
    .map(([[type, name], actions]) => `${type}:${name}:${actions.join(',')}`)
  const set = fc.array(scope, { maxLength: 5 }).map((scopes) => scopes.join(' '))

  test('comes back as it was written', () => {
    fc.assert(
      fc.property(set, (text) => {
        const parsed = ScopeSet.parse(text)
        expect(ScopeSet.parse(parsed.toStrings().join(' ')).toStrings()).toEqual(parsed.toStrings())
        expect(ScopeSet.parse(parsed.key).key).toBe(parsed.key)
        expect(parsed.covers(parsed)).toBe(true)
      }),
    )
  })

  test('a union covers both, and adds nothing', () => {
    fc.assert(
      fc.property(set, set, (one, other) => {
        const [a, b] = [ScopeSet.parse(one), ScopeSet.parse(other)]
        const both = a.union(b)
        expect(both.covers(a) && both.covers(b)).toBe(true)
        expect(b.union(a).key).toBe(both.key)
        expect(new Set(both.toStrings().map((text) => text.slice(0, text.lastIndexOf(':'))))).toEqual(
          new Set([...a.toStrings(), ...b.toStrings()].map((text) => text.slice(0, text.lastIndexOf(':')))),
        )
      }),
    )
  })

  test('parses anything', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const once = ScopeSet.parse(text)
        expect(ScopeSet.parse(once.toStrings().join(' ')).key).toBe(once.key)
      }),
    )
  })
})

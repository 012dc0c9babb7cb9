import { fc, processorTime } from '../../properties.js'
import { describe, expect, test } from 'vitest'
import { offerOf, parseChallenges } from '../../../src/registry/auth/challenge.js'

const CODEBERG =
  'Bearer realm="https://codeberg.org/v2/token",service="container_registry",scope="*",Basic realm="https://codeberg.org/v2",service="container_registry",scope="*"'

describe('parseChallenges', () => {
  test.each<[string, string[], object[]]>([
    ['nothing', [], []],
    ['an empty header', [''], []],
    [
      'Docker Hub',
      [
        'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:samalba/my-app:pull,push"',
      ],
      [
        {
          scheme: 'bearer',
          parameters: {
            realm: 'https://auth.docker.io/token',
            service: 'registry.docker.io',
            scope: 'repository:samalba/my-app:pull,push',
          },
        },
      ],
    ],
    [
      'an upper-case scheme',
      ['BASIC realm="Sonatype Nexus Repository Manager"'],
      [{ scheme: 'basic', parameters: { realm: 'Sonatype Nexus Repository Manager' } }],
    ],
    [
      'bare values',
      ['Basic realm=openshift,error="access denied"'],
      [{ scheme: 'basic', parameters: { realm: 'openshift', error: 'access denied' } }],
    ],
    [
      'a bare address',
      ['bearer realm=https://h/t?a=b, service=s'],
      [{ scheme: 'bearer', parameters: { realm: 'https://h/t?a=b', service: 's' } }],
    ],
    [
      'two headers',
      ['Bearer realm="https://h/token"', 'Basic realm="h"'],
      [
        { scheme: 'bearer', parameters: { realm: 'https://h/token' } },
        { scheme: 'basic', parameters: { realm: 'h' } },
      ],
    ],
    [
      'two challenges in one header',
      [CODEBERG],
      [
        {
          scheme: 'bearer',
          parameters: { realm: 'https://codeberg.org/v2/token', service: 'container_registry', scope: '*' },
        },
        {
          scheme: 'basic',
          parameters: { realm: 'https://codeberg.org/v2', service: 'container_registry', scope: '*' },
        },
      ],
    ],
    [
      'escapes and commas in quotes',
      ['Bearer realm="a\\"b\\\\c,d=e", x="1"'],
      [{ scheme: 'bearer', parameters: { realm: 'a"b\\c,d=e', x: '1' } }],
    ],
    [
      'spaces around =',
      ['Bearer realm = "r" , service= s'],
      [{ scheme: 'bearer', parameters: { realm: 'r', service: 's' } }],
    ],
    ['names in any case', ['Bearer REALM="r"'], [{ scheme: 'bearer', parameters: { realm: 'r' } }]],
    [
      'the first of two equal names',
      ['Bearer realm="a",realm="b"'],
      [{ scheme: 'bearer', parameters: { realm: 'a' } }],
    ],
    ['a missing closing quote', ['Bearer realm="r'], [{ scheme: 'bearer', parameters: { realm: 'r' } }]],
    [
      'no parameters',
      ['Negotiate, Basic realm="r"'],
      [
        { scheme: 'negotiate', parameters: {} },
        { scheme: 'basic', parameters: { realm: 'r' } },
      ],
    ],
    [
      'empty scope',
      ['Bearer realm="r",service="s",scope=""'],
      [{ scheme: 'bearer', parameters: { realm: 'r', service: 's', scope: '' } }],
    ],
    [
      'a missing comma',
      ['Bearer realm="r" Basic realm="b"'],
      [
        { scheme: 'bearer', parameters: { realm: 'r' } },
        { scheme: 'basic', parameters: { realm: 'b' } },
      ],
    ],
    ['parameters of nobody', ['=x, realm="r"'], [{ scheme: 'x', parameters: { realm: 'r' } }]],
  ])('reads %s', (_, values, expected) => {
    expect(parseChallenges(values)).toEqual(expected)
  })

  test('a parameter named __proto__ is data', () => {
    const [challenge] = parseChallenges(['Bearer __proto__="x"'])
    expect(challenge?.parameters.__proto__).toBe('x')
    expect(({} as Record<string, unknown>).x).toBeUndefined()
  })

  test.each([
    'Bearer a="' + '\\'.repeat(60_000),
    '<,'.repeat(30_000),
    ' '.repeat(60_000),
    'a='.repeat(30_000),
    'a '.repeat(30_000),
  ])('takes little time for input %#', (value) => {
    // Quadratic time would be minutes; the rest is room for a busy machine.
    expect(processorTime(() => parseChallenges([value]))).toBeLessThan(2_000)
  })

  test('refuses a megabyte at once', () => {
    expect(() => parseChallenges(['x'.repeat(1_000_000)])).toThrow('longer than')
  })

  test('understands what it is given for every set of parameters', () => {
    const name = fc.stringMatching(/^[a-z]{1,8}$/)
    const challenge = fc.record({
      scheme: fc.constantFrom('bearer', 'basic', 'digest'),
      parameters: fc.dictionary(name, fc.string({ maxLength: 20 }), { minKeys: 1, noNullPrototype: false }),
    })
    fc.assert(
      fc.property(fc.array(challenge, { maxLength: 3 }), (challenges) => {
        const text = challenges
          .map(
            ({ scheme, parameters }) =>
              `${scheme} ${Object.entries(parameters)
                .map(([key, value]) => `${key}="${value.replace(/["\\]/g, '\\$&')}"`)
                .join(', ')}`,
          )
          .join(', ')
        expect(parseChallenges([text])).toEqual(
          challenges.map(({ scheme, parameters }) => ({ scheme, parameters: { ...parameters } })),
        )
      }),
    )
  })

  test('survives anything', () => {
    fc.assert(fc.property(fc.array(fc.string({ unit: 'binary' })), (values) => void offerOf(parseChallenges(values))))
  })
})

describe('offerOf', () => {
  test.each<[string, string[], object | undefined]>([
    ['nothing', [], undefined],
    ['an unknown scheme', ['Negotiate'], undefined],
    [
      'Bearer before Basic',
      [CODEBERG],
      { basic: true, bearer: { realm: 'https://codeberg.org/v2/token', service: 'container_registry', scope: '*' } },
    ],
    [
      'Basic before Bearer in two headers',
      ['Basic realm="h"', 'Bearer realm="https://h/token"'],
      { basic: true, bearer: { realm: 'https://h/token', scope: '' } },
    ],
    [
      'ECR, whose Basic looks like Bearer',
      ['Basic realm="https://1.dkr.ecr.eu.amazonaws.com/",service="ecr.amazonaws.com"'],
      { basic: true },
    ],
    [
      'no service',
      ['Bearer realm="https://host/openshift/token"'],
      { basic: false, bearer: { realm: 'https://host/openshift/token', scope: '' } },
    ],
    ['a path', ['Bearer realm="/token"'], { basic: false, bearer: { realm: '/token', scope: '' } }],
    [
      'a realm that is no address, and Basic',
      ['Bearer realm="zot", Basic realm="zot"'],
      { basic: true, unusableRealm: 'zot' },
    ],
    ['a path that is another host', ['Bearer realm="//evil/t"'], { basic: false, unusableRealm: '//evil/t' }],
    ['backslashes', ['Bearer realm="\\\\\\\\evil\\\\x"'], { basic: false, unusableRealm: '\\\\evil\\x' }],
    ['a file', ['Bearer realm="file:///etc/passwd"'], { basic: false, unusableRealm: 'file:///etc/passwd' }],
    ['no realm', ['Bearer service="s"'], { basic: false, unusableRealm: '' }],
  ])('picks out of %s', (_, values, expected) => {
    expect(offerOf(parseChallenges(values))).toEqual(expected)
  })
})

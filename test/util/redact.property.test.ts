import { describe, expect, test } from 'vitest'
import { GantryError } from '../../src/errors.js'
import { shownHeaders } from '../../src/registry/http/trace.js'
import { maskSecrets, redactSecrets, redactUrl } from '../../src/util/redact.js'
import { processorTime, fc, LINEAR_TIME, runs } from '../properties.js'

/** A secret that is like no other text, with characters that every encoding changes. */
const canary = fc
  .tuple(
    fc.stringMatching(/^[A-Za-z0-9]{6,12}$/),
    fc.constantFrom('', '/', '+', '=', '"', '\\', 'ä', '&x', '?', '#', '@', ':'),
  )
  .map(([start, end]) => `CANARY${start}${end}x`)

const formEncoded = (secret: string): string => new URLSearchParams([['', secret]]).toString().slice(1)

/** Every way in which a secret could be told from what is shown. */
function formsOf(secret: string): readonly string[] {
  const base64 = Buffer.from(secret).toString('base64')
  return [
    secret,
    encodeURIComponent(secret),
    encodeURIComponent(secret).replace(/%../g, (code) => code.toLowerCase()),
    formEncoded(secret),
    base64,
    encodeURIComponent(base64),
    Buffer.from(secret).toString('base64url'),
    JSON.stringify(secret).slice(1, -1),
  ]
}

function expectNone(shown: string, secret: string): void {
  for (const form of formsOf(secret)) expect(shown).not.toContain(form)
  expect(shown).not.toContain('CANARY')
}

/** The forms that can stand in an address. */
const inAddress = (secret: string): fc.Arbitrary<string> =>
  fc.constantFrom(
    encodeURIComponent(secret),
    formEncoded(secret),
    Buffer.from(secret).toString('base64url'),
    encodeURIComponent(Buffer.from(secret).toString('base64')),
  )

const host = fc.constantFrom('h', 'registry.example:5000', '[::1]:443', '10.0.0.1')
const scheme = fc.constantFrom('https://', 'http://', 'HTTPS://', 'ftp://', 'ws://')
const path = fc.constantFrom('', '/', '/v2/a/blobs/uploads/1', '/a@b')
const secretKey = fc.constantFrom('sig', 'X-Amz-Signature', '_state', 'token', 'N', 'Scope', 'code', '%6E', '')
const harmless = fc.constantFrom('n=3', 'scope=repository:a:pull', 'digest=sha256:0', 'last=v1', 'flag')

const address = canary.chain((secret) =>
  fc
    .tuple(
      scheme,
      inAddress(secret),
      host,
      path,
      secretKey,
      fc.array(harmless, { maxLength: 2 }),
      fc.constantFrom('user', 'both', 'name', 'query', 'fragment'),
    )
    .map(([start, form, name, rest, key, others, place]) => {
      const query = [...others, ...(place === 'query' ? [`${key}=${form}`] : [])].join('&')
      const users: Record<string, string> = { user: `u:${form}@`, both: `${form}:${form}@`, name: `${form}@` }
      const user = users[place] ?? ''
      const relative = `${rest}${query === '' ? '' : `?${query}`}${place === 'fragment' ? `#access_token=${form}` : ''}`
      return {
        secret,
        url: `${start}${user}${name}${relative}`,
        protocolRelative: `//${user}${name}${relative}`,
        relative,
      }
    }),
)

describe('an address around a secret', () => {
  test('is shown without it', () => {
    fc.assert(
      fc.property(address, ({ secret, url, protocolRelative, relative }) => {
        expectNone(redactUrl(url), secret)
        expectNone(redactUrl(protocolRelative), secret)
        if (relative !== '') expectNone(redactUrl(relative), secret)
        expect(redactUrl(redactUrl(url))).toBe(redactUrl(url))
      }),
    )
  })

  test('is shown without it in any text, and in any error', () => {
    const around = fc.constantFrom('', ' ', 'get "', "'", '<', '(', 'cause: ', '\n', '"url":"')
    fc.assert(
      fc.property(
        address,
        around,
        fc.constantFrom('', ' refused', '"', '>', "' failed"),
        ({ secret, url }, before, after) => {
          const text = `${before}${url}${after}`
          expectNone(redactSecrets(text), secret)
          const error = new GantryError('network-error', text, { hint: text })
          expectNone(`${error.message}${error.hint ?? ''}${String(error)}`, secret)
        },
      ),
    )
  })

  test('is shown without it in every header', () => {
    const name = fc.constantFrom(
      'location',
      'Content-Location',
      'referer',
      'link',
      'www-authenticate',
      'x-anything',
      'warning',
    )
    fc.assert(
      fc.property(address, name, ({ secret, url }, header) => {
        const value =
          header === 'link' ? `<${url}>; rel="next"` : header === 'www-authenticate' ? `Bearer realm="${url}"` : url
        expectNone(JSON.stringify(shownHeaders({ [header]: value })), secret)
      }),
    )
  })
})

test('a header that authenticates is shown without its value, whatever that is', () => {
  const name = fc.constantFrom(
    'authorization',
    'Proxy-Authorization',
    'COOKIE',
    'set-cookie',
    'x-registry-auth',
    'X-Amz-Security-Token',
    'x-api-key',
    'x-mine',
  )
  const form = canary.chain((secret) =>
    fc
      .constantFrom(...formsOf(secret))
      .chain((text) =>
        fc
          .constantFrom(text, `Bearer ${text}`, `Basic ${text}`, `a=b; sid=${text}; Path=/`)
          .map((value) => ({ secret, value })),
      ),
  )
  fc.assert(
    fc.property(name, form, fc.boolean(), (header, { secret, value }, isList) => {
      expectNone(JSON.stringify(shownHeaders({ [header]: isList ? ['x', value] : value }, new Set(['x-mine']))), secret)
    }),
  )
})

test('a secret that is known is masked in each of its forms', () => {
  const text = canary.chain((secret) =>
    fc
      .tuple(fc.constantFrom(...formsOf(secret)), fc.string({ maxLength: 10 }), fc.string({ maxLength: 10 }))
      .map(([form, before, after]) => ({ secret, text: `${before}${form}${after}` })),
  )
  fc.assert(
    fc.property(text, ({ secret, text: value }) => {
      expectNone(maskSecrets(value, [secret]), secret)
    }),
  )
})

test('nothing that is no secret is lost', () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[a-z]{1,10}$/), { maxLength: 8 }), (words) => {
      fc.pre(!words.some((word) => word === 'basic' || word === 'bearer'))
      expect(redactSecrets(words.join(' '))).toBe(words.join(' '))
    }),
  )
})

test('redaction takes one pass', () => {
  const piece = fc.constantFrom(
    'a',
    'a.',
    'http://',
    'https://a@',
    '@',
    '?',
    '&',
    'basic ',
    'bearer a',
    '=',
    '://',
    'a+',
    '#',
  )
  fc.assert(
    fc.property(piece, fc.constantFrom('', 'https://', 'Bearer '), (repeated, start) => {
      const text = `${start}${repeated.repeat(65_536 / repeated.length)}`
      expect(processorTime(() => redactSecrets(text))).toBeLessThan(LINEAR_TIME)
      expect(processorTime(() => redactUrl(text))).toBeLessThan(LINEAR_TIME)
    }),
    runs(0.2),
  )
})

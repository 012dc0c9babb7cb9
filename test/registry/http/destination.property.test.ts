import { isIPv4 } from 'node:net'
import { describe, expect, test } from 'vitest'
import { isGantryError } from '../../../src/errors.js'
import { checkRealm } from '../../../src/registry/auth/realm.js'
import { registrableDomainOf } from '../../../src/registry/auth/registrable-domain.js'
import {
  checkDestination,
  hostPortOf,
  isSameOrigin,
  type PointingRegistry,
} from '../../../src/registry/http/destination.js'
import { classifyAddress, classifyHost, type HostClass } from '../../../src/registry/http/host-class.js'
import { resolveRegistryAddress } from '../../../src/registry/registry-address.js'
import { fc } from '../../properties.js'

type Octets = readonly [number, number, number, number]

/** How near to this machine an address is, from the numbers themselves: 0 is anywhere, 3 is never pointed to. */
function nearnessOf([a, b, c]: Octets): number {
  if (a === 127) return 2
  if (a === 169 && b === 254) return 3
  if (a === 0 || a >= 224 || (a === 192 && b === 0 && c === 0)) return 3
  const isPrivate = a === 10 || (a === 172 && b >= 16 && b <= 31) || (a === 192 && b === 168)
  return isPrivate || (a === 100 && b >= 64 && b <= 127) || (a === 198 && (b === 18 || b === 19)) ? 1 : 0
}

const NEARNESS: Readonly<Record<HostClass, number>> = {
  public: 0,
  private: 1,
  loopback: 2,
  'link-local': 3,
  reserved: 3,
}

const octet = fc.integer({ min: 0, max: 255 })
const octets: fc.Arbitrary<Octets> = fc.oneof(
  fc.tuple(octet, octet, octet, octet),
  fc.constantFrom<Octets>(
    [127, 0, 0, 1],
    [169, 254, 169, 254],
    [10, 0, 0, 1],
    [192, 168, 1, 1],
    [172, 31, 0, 1],
    [172, 32, 0, 1],
    [100, 64, 0, 1],
    [0, 0, 0, 0],
    [224, 0, 0, 1],
    [255, 255, 255, 255],
    [8, 8, 8, 8],
  ),
)

const hexOf = (value: number): string => value.toString(16)
const wide = (text: string): string => text.replace(/\d/g, (digit) => String.fromCharCode(0xff10 + Number(digit)))

/** One IPv4 address in every way in which a URL parser takes it. */
function spellingsOf([a, b, c, d]: Octets): readonly string[] {
  const dotted = `${a}.${b}.${c}.${d}`
  const number = ((a * 256 + b) * 256 + c) * 256 + d
  const [high, low] = [hexOf(a * 256 + b), hexOf(c * 256 + d)]
  return [
    dotted,
    `${dotted}.`,
    String(number),
    `0x${hexOf(number)}`,
    `0X${hexOf(number).toUpperCase()}`,
    `0${number.toString(8)}`,
    `${a}.${(b * 256 + c) * 256 + d}`,
    `0x${hexOf(a)}.${b}.${c * 256 + d}`,
    `0${a.toString(8)}.0x${hexOf(b)}.${c}.0${d.toString(8)}`,
    wide(dotted),
    dotted.replaceAll('.', '。'),
    Array.from(dotted, (character) => `%${hexOf(character.charCodeAt(0))}`).join(''),
    `[::ffff:${dotted}]`,
    `[::ffff:${high}:${low}]`,
    `[0:0:0:0:0:FFFF:${high}:${low}]`,
    `[::ffff:0:${high}:${low}]`,
    `[64:ff9b::${dotted}]`,
    `[64:ff9b:1::${high}:${low}]`,
    `[2002:${high}:${low}::1]`,
  ]
}

describe('the class of an address', () => {
  test('is that of its numbers, however it is spelled', () => {
    fc.assert(
      fc.property(octets, (address) => {
        for (const spelling of spellingsOf(address)) {
          const { hostname } = new URL(`http://${spelling}/`)
          expect([spelling, NEARNESS[classifyHost(hostname)]]).toEqual([spelling, nearnessOf(address)])
        }
      }),
    )
  })

  test('is found for every address that a lookup can give', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.constantFrom('', '%eth0'), (address, zone) => {
        const text = isIPv4(address) ? address : `${address}${zone}`
        expect(Object.keys(NEARNESS)).toContain(classifyAddress(text))
        if (!isIPv4(address)) expect(classifyAddress(text)).toBe(classifyHost(new URL(`http://[${address}]/`).hostname))
      }),
    )
  })

  test('is loopback for every name of this machine', () => {
    const label = fc.stringMatching(/^[a-z0-9]{1,8}$/)
    fc.assert(
      fc.property(
        fc.array(label, { maxLength: 3 }),
        fc.constantFrom('localhost', 'LOCALHOST', 'Localhost.', 'ｌocalhost'),
        (labels, name) => {
          expect(classifyHost(new URL(`http://${[...labels, name].join('.')}/`).hostname)).toBe('loopback')
        },
      ),
    )
  })
})

const registries: readonly PointingRegistry[] = [
  { origin: new URL('https://registry.example.com'), hostClass: 'public' },
  { origin: new URL('https://registry.corp.example:5000'), hostClass: 'private' },
  { origin: new URL('http://127.0.0.1:5000'), hostClass: 'loopback' },
  { origin: new URL('http://10.0.0.1'), hostClass: 'private' },
  { origin: new URL('http://169.254.1.1:5000'), hostClass: 'link-local' },
]
const registry = fc.constantFrom(...registries)
const name = fc.constantFrom(
  'registry.example.com',
  'auth.example.com',
  'cdn.example.org',
  'localhost',
  'a.localhost',
  '[::1]',
  '[fe80::1]',
  '[fd00::1]',
  'evil.com',
  'registry.example.com.evil.com',
  'registry.corp.example',
)
const host = fc.oneof(
  name,
  octets.chain((address) => fc.constantFrom(...spellingsOf(address))),
)
const port = fc.constantFrom('', ':80', ':443', ':5000', ':5001', ':0', ':99999')
const scheme = fc.constantFrom('https:', 'http:', 'HTTPS:', '', 'ftp:', 'file:', 'javascript:', 'data:', 'ws:', 'hxxp:')
const slashes = fc.constantFrom('//', '/', '///', '\\\\', '/\\', '')
const user = fc.constantFrom('', '', '', 'u@', 'u:p@', '@', ':@', 'registry.example.com@', 'registry.example.com:443@')
const rest = fc.constantFrom('', '/', '/x', '/../x', '/x?sig=1', '#f', '?x', '/x\t', '\n', ' ')
const target = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(scheme, slashes, user, host, port, rest).map((parts) => parts.join('')) },
  { weight: 1, arbitrary: fc.tuple(host, port, rest).map((parts) => `https://${parts.join('')}`) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 30 }) },
)

/** The result, or undefined after a refusal in the right words. */
function allowed<Result>(check: () => Result): Result | undefined {
  try {
    return check()
  } catch (error) {
    expect(isGantryError(error, 'untrusted-destination'), String(error)).toBe(true)
    return undefined
  }
}

describe('where a registry may point', () => {
  test('is never nearer than itself, without TLS again, or with a user in the address', () => {
    fc.assert(
      fc.property(
        registry,
        target,
        fc.constantFrom('redirect' as const, 'token service' as const),
        (from, text, use) => {
          const url = allowed(() => checkDestination(text, from.origin, from, use))
          if (url === undefined) return
          expect(['http:', 'https:']).toContain(url.protocol)
          if (from.origin.protocol === 'https:') expect(url.protocol).toBe('https:')
          expect([url.username, url.password]).toEqual(['', ''])
          expect(url.href).toBe(new URL(text, from.origin).href)
          if (hostPortOf(url) === hostPortOf(from.origin)) return
          const nearness = isIPv4(url.hostname)
            ? nearnessOf(url.hostname.split('.').map(Number) as unknown as Octets)
            : NEARNESS[classifyHost(url.hostname)]
          expect(nearness).toBeLessThan(3)
          expect(nearness).toBeLessThanOrEqual(NEARNESS[from.hostClass])
        },
      ),
    )
  })

  test('does not depend on how the address is spelled', () => {
    fc.assert(
      fc.property(registry, octets, fc.constantFrom('', ':443', ':5000'), (from, address, number) => {
        const results = spellingsOf(address)
          .slice(0, 12)
          .map(
            (spelling) =>
              allowed(() => checkDestination(`https://${spelling}${number}/x`, from.origin, from, 'redirect'))?.href,
          )
        expect(new Set(results).size).toBe(1)
        const others = spellingsOf(address)
          .slice(12)
          .map(
            (spelling) =>
              allowed(() => checkDestination(`https://${spelling}${number}/x`, from.origin, from, 'redirect')) !==
              undefined,
          )
        const isOwn = hostPortOf(new URL(`https://${address.join('.')}${number}/`)) === hostPortOf(from.origin)
        if (!isOwn) expect(new Set(others)).toEqual(new Set([results[0] !== undefined]))
      }),
    )
  })
})

describe('whom a registry may send credentials to', () => {
  const trusted = fc.subarray(['auth.example.com', 'cdn.example.org:443', 'evil.com:5001', '127.0.0.1:5001'], {
    maxLength: 2,
  })

  test('is never more than it may point to, and only itself, its domain and who is named', async () => {
    await fc.assert(
      fc.asyncProperty(registry, target, trusted, async (from, text, trustedAuthHosts) => {
        const ask = async (hasCredential: boolean): Promise<URL | undefined> => {
          const rule = { registry: from, hasCredential, trustedAuthHosts }
          return checkRealm(text, from.origin, rule).catch((error: unknown) =>
            allowed(() => {
              throw error
            }),
          )
        }
        const [withCredential, anonymous] = [await ask(true), await ask(false)]
        const pointed = allowed(() => checkDestination(text, from.origin, from, 'token service'))
        expect(anonymous === undefined).toBe(pointed === undefined)
        if (withCredential === undefined) return
        expect(anonymous?.href).toBe(withCredential.href)
        const isNamed = trustedAuthHosts.some(
          (one) => hostPortOf(new URL(`${withCredential.protocol}//${one}`)) === hostPortOf(withCredential),
        )
        const isName = !withCredential.hostname.startsWith('[') && !isIPv4(withCredential.hostname)
        const isItself =
          hostPortOf(withCredential) === hostPortOf(from.origin) ||
          (isName && withCredential.hostname === from.origin.hostname)
        const own = await registrableDomainOf(from.origin.hostname)
        const isNeighbour =
          withCredential.protocol === 'https:' &&
          own !== undefined &&
          (withCredential.hostname === own || withCredential.hostname.endsWith(`.${own}`))
        expect(isNamed || isItself || isNeighbour).toBe(true)
      }),
    )
  })
})

test('an address that has to be the registry’s own is, or is refused', () => {
  fc.assert(
    fc.property(registry, target, ({ origin }, text) => {
      const address = allowed(() =>
        resolveRegistryAddress(text, {
          origin: origin.origin,
          base: `${origin.origin}/v2/a/`,
          what: 'upload location',
        }),
      )
      if (address === undefined) return
      const url = new URL(address)
      expect(isSameOrigin(url, origin)).toBe(true)
      expect([url.username, url.password, url.hash, url.href]).toEqual(['', '', '', address])
      expect(new URL(text.trim(), `${origin.origin}/v2/a/`).hostname).toBe(origin.hostname)
    }),
  )
})

import { describe, expect, test } from 'vitest'
import { checkDestination, hostPortOf, isSameOrigin } from '../../../src/registry/http/destination.js'
import { classifyHost } from '../../../src/registry/http/host-class.js'

describe('isSameOrigin', () => {
  test.each([
    ['https://h/a', 'https://h:443/b', true],
    ['http://h:80', 'http://H', true],
    ['https://h', 'http://h', false],
    ['https://h', 'https://h:8443', false],
    ['https://h', 'https://h.', false],
    ['http://[::1]:5000', 'http://[0:0:0:0:0:0:0:1]:5000', true],
    ['http://127.0.0.1', 'http://127.1', true],
    ['file:///a', 'file:///a', false],
    ['https://h', 'https://user@h', true],
  ])('%s and %s: %s', (one, other, expected) => {
    expect(isSameOrigin(new URL(one), new URL(other))).toBe(expected)
  })
})

test.each([
  ['https://h', 'h:443'],
  ['http://h', 'h:80'],
  ['http://[::1]', '[::1]:80'],
  ['https://h:5000', 'h:5000'],
])('hostPortOf(%s) is %s', (url, expected) => {
  expect(hostPortOf(new URL(url))).toBe(expected)
})

describe('checkDestination', () => {
  test.each<[string, string, boolean]>([
    ['https://r.example.com', 'https://cdn.example.org/blob?sig=1', true],
    ['https://r.example.com', '/v2/other', true],
    ['https://r.example.com', 'other?x=1', true],
    ['https://r.example.com', 'http://cdn.example.org/', false],
    ['http://r.example.com', 'https://cdn.example.org/', true],
    ['http://r.example.com', 'http://cdn.example.org/', true],
    ['https://r.example.com', 'https://10.0.0.1/', false],
    ['https://r.example.com', 'https://localhost/', false],
    ['https://r.example.com', 'https://[::1]/', false],
    ['https://10.0.0.1', 'https://10.0.0.2/', true],
    ['https://10.0.0.1', 'https://127.0.0.1/', false],
    ['http://127.0.0.1:5000', 'http://127.0.0.1:5001/', true],
    ['http://127.0.0.1:5000', 'http://169.254.169.254/latest', false],
    ['http://127.0.0.1:5000', 'http://2852039166/latest', false],
    ['http://127.0.0.1:5000', 'http://0.0.0.0:5000/', false],
    ['http://169.254.1.1:5000', 'http://169.254.1.1:5000/x', true],
    ['http://169.254.1.1:5000', 'http://169.254.169.254/', false],
    ['https://r.example.com', 'file:///etc/passwd', false],
    ['https://r.example.com', 'ftp://r.example.com/', false],
    ['https://r.example.com', 'javascript:alert(1)', false],
    ['https://r.example.com', 'https://user:pw@cdn.example.org/', false],
    ['https://r.example.com', 'https://[', false],
    ['https://r.example.com', `https://cdn.example.org/${'a'.repeat(40_000)}`, false],
    // A URL parser reads these as another host, which is as good as any other.
    ['https://r.example.com', '//cdn.example.org/x', true],
    ['https://r.example.com', '/\\10.0.0.1/x', false],
  ])('%s to %s: %s', (from, to, expected) => {
    const origin = new URL(from)
    const check = (): URL =>
      checkDestination(to, origin, { origin, hostClass: classifyHost(origin.hostname) }, 'redirect')
    if (expected) expect(check().href).toBe(new URL(to, origin).href)
    else expect(check).toThrow(expect.objectContaining({ code: 'untrusted-destination' }))
  })

  test('shows no secrets', () => {
    const origin = new URL('https://r.example.com')
    const check = (): URL =>
      checkDestination('ftp://h/x?sig=CANARY', origin, { origin, hostClass: 'public' }, 'redirect')
    expect(check).toThrow(expect.objectContaining({ message: expect.not.stringContaining('CANARY') }))
  })

  test('a registry that was reached at a private address may point to its neighbours', () => {
    const origin = new URL('https://registry.corp.example')
    expect(checkDestination('https://10.0.0.6/', origin, { origin, hostClass: 'private' }, 'redirect').host).toBe(
      '10.0.0.6',
    )
  })
})

import { describe, expect, test } from 'vitest'
import { resolveRegistryAddress } from '../../src/registry/registry-address.js'

function resolve(text: string, origin: string): string {
  return resolveRegistryAddress(text, { origin, base: `${origin}/v2/a/blobs/uploads/`, what: 'upload location' })
}

const tls = 'https://registry.example.com'
const tlsPort = 'https://registry.example.com:8443'
const plain = 'http://127.0.0.1:5000'

describe('an address on the registry', () => {
  test.each([
    [plain, '/v2/a/blobs/uploads/1?_state=x%2By&b=', `${plain}/v2/a/blobs/uploads/1?_state=x%2By&b=`],
    [plain, `${plain}/u/1`, `${plain}/u/1`],
    [plain, '1', `${plain}/v2/a/blobs/uploads/1`],
    [plain, '../x', `${plain}/v2/a/blobs/x`],
    [plain, '/u/1#part', `${plain}/u/1`],
    [tls, 'https://registry.example.com:443/u/1', `${tls}/u/1`],
    [tls, 'https://REGISTRY.example.com/u/1', `${tls}/u/1`],
    // A proxy that ends TLS, or that maps the port, and a registry that does not know.
    [tls, 'http://registry.example.com/u/1', `${tls}/u/1`],
    [tlsPort, 'http://registry.example.com:8443/u/1', `${tlsPort}/u/1`],
    [tlsPort, 'https://registry.example.com/u/1', `${tlsPort}/u/1`],
    [plain, 'http://127.0.0.1/u/1', `${plain}/u/1`],
  ])('on %s: %s', (origin, text, address) => {
    expect(resolve(text, origin)).toBe(address)
  })
})

describe('an address elsewhere', () => {
  test.each([
    [plain, 'http://127.0.0.1:5001/u/1', 'is on another host: 127.0.0.1:5001'],
    [
      plain,
      'https://127.0.0.1:5000/u/1',
      'is on another host: https://127.0.0.1:5000 instead of http://127.0.0.1:5000',
    ],
    [plain, `/u/${'x'.repeat(32 * 1024)}`, 'is longer than 32768 bytes'],
    [plain, '//evil.example/u', 'is on another host: evil.example'],
    [plain, '/\\evil.example/u', 'is malformed'],
    [plain, '\\\\evil.example/u', 'is malformed'],
    [plain, 'http://127.0.0.1:5000/\tu', 'is malformed'],
    [plain, 'http://[::1', 'is malformed'],
    [plain, 'file:///etc/passwd', 'is neither http nor https'],
    [plain, 'javascript:alert(1)', 'is neither http nor https'],
    [plain, 'http://user@127.0.0.1:5000/u', 'carries user information'],
    [plain, 'http://user:secret@127.0.0.1:5000/u', 'carries user information'],
    [plain, 'http://169.254.169.254/latest', 'is on another host'],
    [plain, 'http://2130706433:5001/u', 'is on another host'],
    [tls, 'http://registry.example.com:8080/u', 'is on another host'],
    [tls, 'http://evil.example/u', 'is on another host'],
    [tls, 'https://registry.example.com.evil.example/u', 'is on another host'],
  ])('on %s: %s %s', (origin, text, message) => {
    expect(() => resolve(text, origin)).toThrow(
      expect.objectContaining({ code: 'untrusted-destination', message: expect.stringContaining(message) }),
    )
  })

  test('shows no secrets', () => {
    expect(() => resolve('ftp://host/u?token=CANARY', plain)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('CANARY') }),
    )
  })
})

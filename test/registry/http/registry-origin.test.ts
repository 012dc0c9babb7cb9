import { expect, test } from 'vitest'
import { registryOrigin } from '../../../src/registry/http/registry-origin.js'

test.each([
  ['ghcr.io', false, 'https://ghcr.io'],
  ['docker.io', false, 'https://registry-1.docker.io'],
  ['Index.docker.io', false, 'https://registry-1.docker.io'],
  ['localhost:5000', true, 'http://localhost:5000'],
  ['h:443', false, 'https://h'],
  ['[::1]:5000', true, 'http://[::1]:5000'],
  ['REGISTRY.example.com', false, 'https://registry.example.com'],
])('%s (plain: %s) is contacted at %s', (registry, plainHttp, expected) => {
  expect(registryOrigin(registry, plainHttp).origin).toBe(expected)
})

test.each(['', 'h/a', 'user@h', 'h?x', 'h#x', 'h:99999', '0x7f.1', 'http://h', 'h h', '\\h', 'ⓔvil.com'])(
  '%j is no registry',
  (registry) => {
    expect(() => registryOrigin(registry, false)).toThrow(expect.objectContaining({ code: 'invalid-argument' }))
  },
)

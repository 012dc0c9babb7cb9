import { expect, test } from 'vitest'
import { isAddressOf, repositoryKeysOf, serverKeyOf, serverKeysOf } from '../../src/credentials/server-keys.js'

test.each([
  ['registry.example.com', 'registry.example.com'],
  ['registry.example.com:5000', 'registry.example.com:5000'],
  ['docker.io', 'https://index.docker.io/v1/'],
  ['index.docker.io', 'https://index.docker.io/v1/'],
  ['registry-1.docker.io', 'https://index.docker.io/v1/'],
  ['sub.docker.io', 'sub.docker.io'],
])('the key of %s is %s', (host, key) => {
  expect(serverKeyOf(host)).toBe(key)
  expect(serverKeysOf(host)[0]).toBe(key)
})

test('the spellings of a host are tried in this order', () => {
  expect(serverKeysOf('r:5000')).toEqual([
    ...['r:5000', 'https://r:5000', 'http://r:5000'],
    ...['https://r:5000/v1/', 'http://r:5000/v1/', 'r:5000/v1/'],
    ...['https://r:5000/v2/', 'http://r:5000/v2/', 'r:5000/v2/'],
  ])
})

test.each([
  ['https://r:5000', 'r:5000', true],
  ['https://r:5000/api/v2', 'r:5000', true],
  ['http://r:5000/', 'r:5000', true],
  ['https://registry-1.docker.io/v2/', 'docker.io', true],
  ['https://r:5001/', 'r:5000', false],
  ['https://r', 'r:5000', false],
  ['https://r.evil/', 'r', false],
  ['https://user@r/', 'r', false],
  ['r:5000/a', 'r:5000', false],
  ['r:5000/', 'r:5000', true],
  ['r:5000/v2', 'r:5000', true],
  ['r:5000/v1/', 'r:5000', true],
  ['r:5000/v1/a', 'r:5000', false],
  ['r:5000', 'r:5000', false],
  ['index.docker.io/v1', 'docker.io', true],
])('%s is an address of %s: %s', (key, host, expected) => {
  expect(isAddressOf(key, host)).toBe(expected)
})

test.each([
  [
    { registry: 'r:5000', repository: 'a/b/c' },
    ['r:5000/a/b/c', 'r:5000/a/b/c/', 'r:5000/a/b', 'r:5000/a/b/', 'r:5000/a', 'r:5000/a/'],
  ],
  [{ registry: 'r' }, []],
  [
    { registry: 'registry-1.docker.io', repository: 'library/x' },
    ['docker.io/library/x', 'docker.io/library/x/', 'docker.io/library', 'docker.io/library/'],
  ],
])('the keys above the host for %j', (scope, keys) => {
  expect(repositoryKeysOf(scope)).toEqual(keys)
})

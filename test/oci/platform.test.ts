import { expect, test } from 'vitest'
import { architectureOf, formatPlatform, matchesPlatform, parsePlatform } from '../../src/oci/platform.js'

test.each([
  ['linux/amd64', { os: 'linux', architecture: 'amd64' }],
  ['linux/arm/v7', { os: 'linux', architecture: 'arm', variant: 'v7' }],
  ['windows/amd64:10.0.1', { os: 'windows', architecture: 'amd64', 'os.version': '10.0.1' }],
])('%s', (text, expected) => {
  expect(parsePlatform(text, 'host')).toEqual(expected)
  expect(formatPlatform(parsePlatform(text, 'host'))).toBe(text)
})

test('a missing architecture is that of the host', () => {
  expect(parsePlatform('linux', architectureOf('x64'))).toEqual({ os: 'linux', architecture: 'amd64' })
})

test.each([
  ['a/b/c/d', 'failed to parse platform "a/b/c/d"'],
  ['', 'OS cannot be empty'],
  ['/amd64', 'OS cannot be empty'],
  ['linux/', 'Architecture cannot be empty'],
])('refuses %j', (text, reason) => {
  expect(() => parsePlatform(text, 'amd64')).toThrow(reason)
})

test('variant and version count only where they are wanted', () => {
  const offered = { os: 'linux', architecture: 'arm', variant: 'v7', 'os.version': '1' }
  expect(matchesPlatform({ os: 'linux', architecture: 'arm' }, offered)).toBe(true)
  expect(matchesPlatform({ os: 'linux', architecture: 'arm', variant: 'v6' }, offered)).toBe(false)
  expect(matchesPlatform({ os: 'linux', architecture: 'arm64' }, offered)).toBe(false)
  expect(matchesPlatform({ os: 'linux', architecture: 'arm', 'os.features': ['x'] }, offered)).toBe(false)
})

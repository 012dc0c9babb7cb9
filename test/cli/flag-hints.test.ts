import { describe, expect, test } from 'vitest'
import { flagHintFor } from '../../src/cli/flag-hints.js'
import { GantryError } from '../../src/errors.js'

describe('the hint at --max-manifest-size', () => {
  test.each([
    'manifest localhost/r:1 exceeds the limit of 4194304 bytes',
    'a page of the tags of localhost/r exceeds the limit of 4194304 bytes',
    'a list of referrers exceeds the limit of 4194304 bytes',
  ])('is given for: %s', (message) => {
    expect(flagHintFor(new GantryError('limit-exceeded', message))).toContain('--max-manifest-size')
  })

  test.each([
    'manifest sha256:ab is nested deeper than 64 levels',
    'the graph has more than 10000 manifests',
    'the tags of localhost/r go on with empty pages',
    'PUT "http://localhost/v2/r/manifests/1": response status code 413: Payload Too Large',
    '/tmp/manifests/index.json exceeds the limit of 33554432 bytes',
    'token response of localhost exceeds the limit of 1048576 bytes',
  ])('is not given where it would not help: %s', (message) => {
    expect(flagHintFor(new GantryError('limit-exceeded', message))).toBeUndefined()
  })
})

describe('the hint for a host that a registry has redirected to', () => {
  test.each([
    ['network-error', 'redirect target cdn.example.com: connection refused', '--resolve'],
    ['network-error', 'redirect target cdn.example.com: no such host', 'HTTPS_PROXY'],
    ['timeout', 'redirect target cdn.example.com gave no answer within 60 s', '--headers-timeout'],
    ['tls-error', 'redirect target cdn.example.com: certificate signed by unknown authority', '--ca-file'],
  ] as const)('says which it is: %s of %s', (code, message, flag) => {
    const hint = flagHintFor(new GantryError(code, message))
    expect(hint).toContain('This host is not the registry itself')
    expect(hint).toContain(flag)
  })

  test('is not given for the registry', () => {
    expect(flagHintFor(new GantryError('network-error', 'registry.example.com: connection refused'))).toBeUndefined()
    const tls = new GantryError('tls-error', 'registry.example.com: certificate signed by unknown authority')
    expect(flagHintFor(tls)).toContain('--insecure')
  })
})

import { describe, expect, test } from 'vitest'
import { flagHintFor } from '../../src/cli/hints.js'
import { GantryError, type ErrorCode, type ErrorReason } from '../../src/errors.js'

function hintFor(code: ErrorCode, reason?: ErrorReason, role?: 'redirect-target'): string | undefined {
  return flagHintFor(new GantryError(code, 'whatever the message says', { details: { reason, role } }))
}

describe('advice that names flags', () => {
  test.each([
    ['unsafe-path', 'path-traversal', '--allow-path-traversal'],
    ['unsafe-path', 'unportable-name', '--allow-unportable-names'],
    ['tls-error', 'unknown-authority', '--insecure'],
    ['tls-error', 'plain-http-server', '--plain-http'],
    ['tls-error', 'tls-server', '--plain-http=false'],
    ['limit-exceeded', 'manifest-size', '--max-manifest-size'],
    ['limit-exceeded', 'unpacked-size', '--max-unpacked-size'],
    ['limit-exceeded', 'list-length', '--max-list-length'],
    ['untrusted-destination', 'token-service', '--auth-host'],
    ['rate-limited', 'long-wait', '--retry-max-wait'],
    ['timeout', 'whole-command', '--timeout'],
    ['unsupported', 'docker-media-types', '--oci-empty-base'],
  ] as const)('follows from the code and the reason: %s, %s', (code, reason, flag) => {
    expect(hintFor(code, reason)).toContain(flag)
  })

  test('is not given where no flag helps', () => {
    expect(hintFor('limit-exceeded')).toBeUndefined()
    expect(hintFor('network-error')).toBeUndefined()
    expect(hintFor('unauthorized', 'no-credentials')).toBeUndefined()
  })

  test('of a time limit names all of them', () => {
    expect(hintFor('timeout')).toContain('--idle-timeout')
  })

  test.each([
    ['network-error', undefined, '--resolve'],
    ['timeout', undefined, '--headers-timeout'],
    ['tls-error', 'unknown-authority', '--ca-file'],
  ] as const)('says which host it is where a registry has redirected: %s', (code, reason, flag) => {
    const hint = hintFor(code, reason, 'redirect-target')
    expect(hint).toContain('This host is not the registry itself')
    expect(hint).toContain(flag)
  })
})

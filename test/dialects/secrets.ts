import { expect } from 'vitest'
import { CANARY } from '../emulator/profiles/profile.js'
import type { LoggedRequest } from '../emulator/request-log.js'
import type { Workbench } from './workbench.js'

/** Checks that no request showed a secret to a server or at an address where it has no business. */
export function expectSecretsAtHome({ emulator, profile }: Workbench): void {
  const { auth = {}, token = {} } = profile.options
  const tokenPath = auth.realmPath ?? '/token'
  for (const entry of emulator.log.entries) {
    const where = `${entry.role} ${entry.method} ${entry.path}`
    if (entry.role === 'blobs') {
      expect(Object.keys(entry.headers), where).not.toContain('authorization')
      expect(allOf(entry), where).not.toContain(CANARY)
    }
    // The password goes to the token service; the registry itself gets to see tokens only.
    const isForTokens = entry.path === tokenPath && (entry.role === 'tokens' || auth.realm !== 'otherHost')
    const mayHoldPassword = isForTokens || auth.type !== 'bearer' || token.passwordIsToken === true
    const isAfterBearer = entry.path === '/v2/_catalog'
    if (!mayHoldPassword && !isAfterBearer) expect(decodedAuthorization(entry), where).not.toContain(CANARY)
    if (entry.role === 'tokens') expect(auth.realm, where).toBe('otherHost')
    expect(entry.url, where).not.toContain(CANARY)
    // Tokens are asked for what is needed, and not for what a placeholder names.
    for (const scope of new URLSearchParams(entry.url.split('?')[1]).getAll('scope')) {
      expect(scope, where).toMatch(/^(repository:(?!user\/image)|registry:catalog:)/)
    }
  }
}

function allOf({ headers, url }: LoggedRequest): string {
  return `${url} ${JSON.stringify(headers)}`
}

function decodedAuthorization({ headers }: LoggedRequest): string {
  const [scheme = '', value = ''] = (headers.authorization ?? '').split(' ')
  return scheme.toLowerCase() === 'basic' ? Buffer.from(value, 'base64').toString() : value
}

import { describe, expect, test } from 'vitest'
import { parseToken } from '../../../src/registry/auth/token-response.js'

const NOW = Date.UTC(2026, 0, 15, 12, 0, 0)

function parse(body: unknown): { value: string; usableFor: number } {
  return parseToken(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), 'token response of h', NOW)
}

describe('parseToken', () => {
  test.each<[string, object, string, number]>([
    ['token alone', { token: 'a' }, 'a', 48],
    ['access_token alone', { access_token: 'b' }, 'b', 48],
    ['both', { token: 'a', access_token: 'a', expires_in: 300 }, 'a', 240],
    ['an empty access_token beside the real one', { token: 'a', access_token: '', expires_in: 1800 }, 'a', 1440],
    ['an empty token', { token: '', access_token: 'b' }, 'b', 48],
    ['a short life', { token: 'a', expires_in: 5 }, 'a', 48],
    ['an odd life', { token: 'a', expires_in: '300' }, 'a', 48],
    ['an endless life', { token: 'a', expires_in: 1e300 }, 'a', 30 * 24 * 3600 * 0.8],
    ['a token from 100 s ago', { token: 'a', expires_in: 300, issued_at: '2026-01-15T11:58:20Z' }, 'a', 140],
    ['a clock far behind', { token: 'a', expires_in: 300, issued_at: '2026-01-15T10:00:00Z' }, 'a', 240],
    ['a clock ahead', { token: 'a', expires_in: 300, issued_at: '2026-01-15T13:00:00Z' }, 'a', 240],
    ['the zero time', { token: 'a', expires_in: 300, issued_at: '0001-01-01T00:00:00Z' }, 'a', 240],
    ['garbage as time', { token: 'a', expires_in: 300, issued_at: 'soon' }, 'a', 240],
  ])('reads %s', (_, body, value, seconds) => {
    expect(parse(body)).toEqual({ value, usableFor: seconds * 1000 })
  })

  test.each<[string, unknown, string]>([
    ['HTML', '<html>', 'token response of h is not valid JSON'],
    ['no token', {}, 'holds no token'],
    ['a number', { token: 1 }, 'holds no token'],
    ['a list', [], 'is not a JSON object'],
    ['a line break', { token: 'a\r\nEvil: 1' }, 'odd characters'],
    ['a space', { token: 'a b' }, 'odd characters'],
  ])('refuses %s', (_, body, message) => {
    expect(() => parse(body)).toThrow(message)
  })

  test('quotes nothing of what it was given', () => {
    expect(() => parse('{"token": "CANARY"')).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('CANARY') }),
    )
  })
})

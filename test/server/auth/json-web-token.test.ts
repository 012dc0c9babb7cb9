import { createHmac } from 'node:crypto'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { TokenSigner } from '../../../src/server/auth/json-web-token.js'

const KEY = Buffer.alloc(32, 7)
const signer = new TokenSigner(KEY, 'here')
const part = (value: object | string): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const signed = (header: object, payload: object | string): string => {
  const text = `${part(header)}.${part(payload)}`
  return `${text}.${createHmac('sha256', KEY).update(text).digest('base64url')}`
}
const future = Math.floor(Date.now() / 1000) + 100

afterEach(() => {
  vi.useRealTimers()
})

describe('a token', () => {
  test('gives its claims back until it expires', () => {
    vi.useFakeTimers()
    const token = signer.sign({ sub: 'alice', use: 'access' }, 60)
    expect(signer.verify(token)).toMatchObject({ sub: 'alice', use: 'access', aud: 'here' })
    vi.advanceTimersByTime(58_000)
    expect(signer.verify(token)).toBeDefined()
    vi.advanceTimersByTime(3_000)
    expect(signer.verify(token)).toBeUndefined()
  })

  test('of another key or for another service is nothing', () => {
    expect(new TokenSigner(Buffer.alloc(32, 8), 'here').verify(signer.sign({}, 60))).toBeUndefined()
    expect(signer.verify(new TokenSigner(KEY, 'there').sign({}, 60))).toBeUndefined()
  })

  test.each([
    ['empty', ''],
    ['no token', 'abc'],
    ['two parts', 'a.b'],
    ['four parts', `${signer.sign({}, 60)}.x`],
    ['no signature', `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ aud: 'here', exp: future })}.`],
    ['alg none', `${part({ alg: 'none', typ: 'JWT' })}.${part({ aud: 'here', exp: future })}.`],
    ['another header', signed({ alg: 'HS256', typ: 'JWT', kid: 'x' }, { aud: 'here', exp: future })],
    ['no expiry', signed({ alg: 'HS256', typ: 'JWT' }, { aud: 'here' })],
    ['an expiry in words', signed({ alg: 'HS256', typ: 'JWT' }, { aud: 'here', exp: 'never' })],
    ['no JSON', signed({ alg: 'HS256', typ: 'JWT' }, 'x')],
    ['no object', signed({ alg: 'HS256', typ: 'JWT' }, '[]')],
    ['a changed claim', signer.sign({ sub: 'a' }, 60).replace(/\.[^.]+\./, `.${part({ aud: 'here', exp: future })}.`)],
    ['a huge one', `${'a'.repeat(100_000)}.b.c`],
  ])('that is forged is nothing: %s', (_, token) => {
    expect(signer.verify(token)).toBeUndefined()
  })

  test('made by hand with the right key is taken: the table above refuses for the right reasons', () => {
    expect(signer.verify(signed({ alg: 'HS256', typ: 'JWT' }, { aud: 'here', exp: future }))).toBeDefined()
  })
})

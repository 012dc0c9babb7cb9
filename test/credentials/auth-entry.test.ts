import { fc } from '../properties.js'
import { describe, expect, test } from 'vitest'
import { decodeAuthEntry, encodeAuthEntry } from '../../src/credentials/auth-entry.js'
import { GantryError } from '../../src/errors.js'
import type { Credential } from '../../src/registry/auth/credential.js'

const CANARY = 'CANARY-123'
const base64 = (text: string | Uint8Array): string => Buffer.from(text).toString('base64')
const basic = (username: string, password: string): Credential => ({ type: 'basic', username, password })

describe('an entry', () => {
  test.each([
    ['padded', { auth: base64('user:pass1') }, basic('user', 'pass1')],
    [
      'line breaks',
      { auth: `${base64('user:pass1').slice(0, 5)}\n${base64('user:pass1').slice(5)}\r\n` },
      basic('user', 'pass1'),
    ],
    ['names in another case', { Auth: base64('u:p'), identityToken: 't' }, { type: 'identity-token', token: 't' }],
    ['not padded', { auth: base64('user:pass1').replace(/=+$/, '') }, basic('user', 'pass1')],
    ['colons in the password', { auth: base64('u:p:a:s:s') }, basic('u', 'p:a:s:s')],
    ['no password', { auth: base64('u:') }, basic('u', '')],
    ['NULs at the end', { auth: base64('u:p\0\0') }, basic('u', 'p')],
    ['not ASCII', { auth: base64('ü:pä€') }, basic('ü', 'pä€')],
    ['`auth` before the members', { auth: base64('u:p'), username: 'x', password: 'y' }, basic('u', 'p')],
    ['user name and password', { username: 'x', password: 'y' }, basic('x', 'y')],
    ['an identity token', { auth: base64('u:'), identitytoken: 't' }, { type: 'identity-token', token: 't' }],
    ['a registry token', { registrytoken: 'r', identitytoken: 't', auth: '' }, { type: 'registry-token', token: 'r' }],
    ['a marker', {}, undefined],
    ['an empty one', { auth: '', username: '', password: '' }, undefined],
    ['a user name alone', { username: 'x', email: 'a@b' }, undefined],
  ])('with %s', (_, entry, credential) => {
    expect(decodeAuthEntry(entry, 'entry')).toEqual(credential)
  })

  test.each([
    [{ auth: `${CANARY}!` }, 'entry "r" in f: "auth" is not base64'],
    [{ auth: base64(`u:${CANARY}`).replace(/=*$/, 'A===') }, 'entry "r" in f: "auth" is not base64'],
    [{ auth: base64(CANARY) }, 'entry "r" in f: "auth" has no colon between user name and password'],
    [{ auth: base64(Buffer.from([0x75, 0x3a, 0xff])) }, 'entry "r" in f: "auth" is not UTF-8 text'],
    [{ auth: 7 }, 'entry "r" in f: "auth" is not a string'],
    [{ identitytoken: [CANARY] }, 'entry "r" in f: "identitytoken" is not a string'],
  ])('%j is refused without showing it', (entry, message) => {
    expect(() => decodeAuthEntry(entry, 'entry "r" in f')).toThrow(new GantryError('credential-store-error', message))
  })

  test('gives back every credential', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1 })
    const credential: fc.Arbitrary<Credential> = fc.oneof(
      fc.record({
        type: fc.constant('basic' as const),
        username: text.filter((name) => !name.includes(':')),
        password: text.filter((password) => !password.endsWith('\0')),
      }),
      fc.record({ type: fc.constant('identity-token' as const), token: text }),
      fc.record({ type: fc.constant('registry-token' as const), token: text }),
    )
    fc.assert(
      fc.property(credential, (value) => {
        expect(decodeAuthEntry({ ...encodeAuthEntry(value) }, 'entry')).toEqual(value)
      }),
    )
  })

  test('cannot hold a user name with a colon', () => {
    expect(() => encodeAuthEntry(basic('a:b', CANARY))).toThrow('the user name must not contain a colon')
  })
})

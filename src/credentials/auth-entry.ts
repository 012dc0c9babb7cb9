import { GantryError } from '../errors.js'
import { checkCredential, type Credential } from '../registry/auth/credential.js'
import type { JsonObject } from '../util/json.js'
import { visibleLine } from '../util/visible-text.js'

/** Stands for the user name where only an identity token is known. */
export const TOKEN_USER = '<token>'

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/

/**
 * Decodes one entry of `auths` in a credential file. What is sent as it is comes first: `registrytoken`, then
 * `identitytoken`, then `auth` (base64 of `user:password`, padded or not, in one line or several, split at the first
 * colon), then `username` and `password`. The names may be in any case.
 * @param where names the entry in errors
 * @returns undefined when the entry holds no secret: tools write `{}` to say "kept by the helper"
 * @throws GantryError `credential-store-error`; its message never shows what the entry holds
 */
export function decodeAuthEntry(entry: JsonObject, where: string): Credential | undefined {
  const registryToken = textMember(entry, 'registrytoken', where)
  if (registryToken !== '') return { type: 'registry-token', token: registryToken }
  const identityToken = textMember(entry, 'identitytoken', where)
  if (identityToken !== '') return { type: 'identity-token', token: identityToken }
  const auth = textMember(entry, 'auth', where)
  if (auth !== '') return decodeAuth(auth, where)
  const username = textMember(entry, 'username', where)
  const password = textMember(entry, 'password', where)
  return password === '' ? undefined : { type: 'basic', username, password }
}

/**
 * The entry that holds a credential in plain text.
 * @throws GantryError `invalid-argument` for a user name with a colon (RFC 7617, section 2)
 */
export function encodeAuthEntry(credential: Credential): Readonly<Record<string, string>> {
  switch (credential.type) {
    case 'basic':
      checkCredential(credential)
      return { auth: encodeAuth(credential.username, credential.password) }
    case 'identity-token':
      // Podman ignores the token of an entry without a user.
      return { auth: encodeAuth(TOKEN_USER, ''), identitytoken: credential.token }
    case 'registry-token':
      return { registrytoken: credential.token }
  }
}

function encodeAuth(username: string, password: string): string {
  return Buffer.from(`${username}:${password}`).toString('base64')
}

function decodeAuth(auth: string, where: string): Credential {
  const base64 = auth.replace(/\s+/g, '')
  const digits = base64.replace(/=+$/, '')
  if (!BASE64.test(base64) || digits.length % 4 === 1) throw invalidEntry(where, '"auth" is not base64')
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(digits, 'base64'))
  } catch {
    // The cause knows nothing more, and the bytes are a secret.
    throw invalidEntry(where, '"auth" is not UTF-8 text')
  }
  const colon = text.indexOf(':')
  if (colon === -1) throw invalidEntry(where, '"auth" has no colon between user name and password')
  return { type: 'basic', username: text.slice(0, colon), password: withoutTrailingNuls(text.slice(colon + 1)) }
}

/** The name that an object has for a member: tools written in Go take it in any case. The usual spelling comes first. */
export function memberNameIn(object: JsonObject, name: string): string {
  if (Object.hasOwn(object, name)) return name
  const folded = name.toLowerCase()
  return Object.keys(object).find((key) => key.toLowerCase() === folded) ?? name
}

/** Old versions of Docker padded the password with NUL characters. */
function withoutTrailingNuls(text: string): string {
  let end = text.length
  while (end > 0 && text.charCodeAt(end - 1) === 0) end--
  return text.slice(0, end)
}

function textMember(entry: JsonObject, key: string, where: string): string {
  const value = entry[memberNameIn(entry, key)] ?? ''
  if (typeof value !== 'string') throw invalidEntry(where, `"${key}" is not a string`)
  return value
}

function invalidEntry(where: string, problem: string): GantryError {
  return new GantryError('credential-store-error', `${visibleLine(where)}: ${problem}`)
}

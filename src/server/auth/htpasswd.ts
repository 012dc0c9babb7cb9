import { GantryError } from '../../errors.js'

/** How an htpasswd file keeps a password. */
export interface HashedPassword {
  readonly scheme: 'bcrypt' | 'sha1'
  /** The whole bcrypt text; the base64 of the SHA-1 digest. */
  readonly hash: string
}

const BCRYPT = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/
const SHA1 = /^\{SHA\}([A-Za-z0-9+/]{27}=)$/

/** Each step doubles the time; what lies above would stop the registry for seconds at each login. */
const MAX_BCRYPT_COST = 14

/**
 * Reads the text of an htpasswd file: `user:hash` lines, `#` comments and empty lines.
 * @throws GantryError `invalid-argument` naming the line, never its content
 */
export function parseHtpasswd(text: string): ReadonlyMap<string, HashedPassword> {
  const passwords = new Map<string, HashedPassword>()
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const colon = line.indexOf(':')
    const password = colon < 1 ? undefined : parseHash(line.slice(colon + 1))
    if (password === undefined) {
      throw new GantryError('invalid-argument', `htpasswd line ${index + 1} is no user with a bcrypt or SHA password`, {
        hint: `Make entries with htpasswd -B, with a cost of at most ${MAX_BCRYPT_COST}.`,
      })
    }
    passwords.set(line.slice(0, colon), password)
  }
  return passwords
}

function parseHash(hash: string): HashedPassword | undefined {
  const bcrypt = BCRYPT.exec(hash)
  if (bcrypt !== null) return Number(bcrypt[1]) > MAX_BCRYPT_COST ? undefined : { scheme: 'bcrypt', hash }
  const sha1 = SHA1.exec(hash)?.[1]
  return sha1 === undefined ? undefined : { scheme: 'sha1', hash: sha1 }
}

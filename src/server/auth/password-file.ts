import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { compare } from 'bcryptjs'
import type { HashedPassword } from './htpasswd.js'

/** Logins that were right are remembered, as bcrypt is slow on purpose and clients log in with every request. */
const MAX_REMEMBERED = 1000

/** What bcrypt looks at, in bytes; it ignores the rest, and everything from a NUL on. */
const MAX_BCRYPT_PASSWORD = 72

/** The end of a bcrypt text that is the password of nobody. */
const NOBODY = 'abcdefghijklmnopqrstuuGgzHvmtcVIyYpwBOEEmeA4bMzZTkgmi'

/** Users and their passwords. */
export class PasswordFile {
  readonly #clear: ReadonlyMap<string, string>
  readonly #hashed: ReadonlyMap<string, HashedPassword>
  /** Keys what is remembered: neither passwords nor plain hashes of them are kept. */
  readonly #key = randomBytes(32)
  readonly #remembered = new Set<string>()
  /** Of the highest cost in the file; undefined when it has no bcrypt passwords. */
  readonly #nobody: HashedPassword | undefined

  constructor(clear: Readonly<Record<string, string>>, hashed: ReadonlyMap<string, HashedPassword>) {
    this.#clear = new Map(Object.entries(clear))
    this.#hashed = hashed
    this.#nobody = nobodyOf(hashed.values())
  }

  has(username: string): boolean {
    return this.#clear.has(username) || this.#hashed.has(username)
  }

  /**
   * Whether this is the user's password, in a time that neither tells how much of it is right nor whether there is such a
   * user: a wrong login costs one comparison of the highest cost in the file.
   */
  async check(username: string, password: string): Promise<boolean> {
    const clear = this.#clear.get(username)
    if (clear !== undefined && timingSafeEqual(this.#mac(clear), this.#mac(password))) return true
    const login = this.#mac(`${username}\0${password}`).toString('base64')
    if (this.#remembered.has(login)) return true
    const hashed = clear === undefined ? this.#hashed.get(username) : undefined
    const isRight = hashed !== undefined && (await matches(password, hashed))
    if (isRight) this.#remember(login)
    else if (this.#nobody !== undefined && costOf(hashed) < costOf(this.#nobody)) await matches(password, this.#nobody)
    return isRight
  }

  #remember(login: string): void {
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear()
    this.#remembered.add(login)
  }

  #mac(text: string): Buffer {
    return createHmac('sha256', this.#key).update(text).digest()
  }
}

function nobodyOf(hashed: Iterable<HashedPassword>): HashedPassword | undefined {
  const highest = [...hashed].reduce((most, one) => Math.max(most, costOf(one)), 0)
  if (highest === 0) return undefined
  return { scheme: 'bcrypt', hash: `$2b$${String(highest).padStart(2, '0')}$${NOBODY}` }
}

/** The cost of a bcrypt password; 0 for everything that is fast. */
function costOf(hashed: HashedPassword | undefined): number {
  return hashed?.scheme === 'bcrypt' ? Number(hashed.hash.slice(4, 6)) : 0
}

async function matches(password: string, hashed: HashedPassword): Promise<boolean> {
  if (hashed.scheme === 'bcrypt') {
    const isWhole = !password.includes('\0') && Buffer.byteLength(password) <= MAX_BCRYPT_PASSWORD
    return (await compare(password, hashed.hash)) && isWhole
  }
  return timingSafeEqual(createHash('sha1').update(password).digest(), Buffer.from(hashed.hash, 'base64'))
}

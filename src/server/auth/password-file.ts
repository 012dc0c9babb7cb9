import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { compare } from 'bcryptjs'
import type { HashedPassword } from './htpasswd.js'

/** Logins that were right are remembered, as bcrypt is slow on purpose and clients log in with every request. */
const MAX_REMEMBERED = 1000

/** Compared against for users that do not exist, so that they take as long as those that do. */
const NOBODY: HashedPassword = {
  scheme: 'bcrypt',
  hash: '$2b$05$abcdefghijklmnopqrstuuGgzHvmtcVIyYpwBOEEmeA4bMzZTkgmi',
}

/** Users and their passwords. */
export class PasswordFile {
  readonly #clear: ReadonlyMap<string, string>
  readonly #hashed: ReadonlyMap<string, HashedPassword>
  /** Keys what is remembered: neither passwords nor plain hashes of them are kept. */
  readonly #key = randomBytes(32)
  readonly #remembered = new Set<string>()

  constructor(clear: Readonly<Record<string, string>>, hashed: ReadonlyMap<string, HashedPassword>) {
    this.#clear = new Map(Object.entries(clear))
    this.#hashed = hashed
  }

  has(username: string): boolean {
    return this.#clear.has(username) || this.#hashed.has(username)
  }

  /** Whether this is the user's password, in a time that does not tell how much of it is right. */
  async check(username: string, password: string): Promise<boolean> {
    const clear = this.#clear.get(username)
    if (clear !== undefined) return timingSafeEqual(this.#mac(clear), this.#mac(password))
    const login = this.#mac(`${username}\0${password}`).toString('base64')
    if (this.#remembered.has(login)) return true
    const hashed = this.#hashed.get(username)
    const isRight =
      (await matches(password, hashed ?? (this.#hashed.size > 0 ? NOBODY : undefined))) && hashed !== undefined
    if (isRight) this.#remember(login)
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

async function matches(password: string, hashed: HashedPassword | undefined): Promise<boolean> {
  if (hashed === undefined) return false
  if (hashed.scheme === 'bcrypt') return compare(password, hashed.hash)
  return timingSafeEqual(createHash('sha1').update(password).digest(), Buffer.from(hashed.hash, 'base64'))
}

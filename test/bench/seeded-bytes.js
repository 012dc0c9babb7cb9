import { createCipheriv, createHash } from 'node:crypto'

/** Bytes that look random, do not compress, and are the same for the same seed: the key stream of AES in counter mode. */
export class SeededBytes {
  #cipher

  /** @param {string} seed */
  constructor(seed) {
    this.#cipher = createCipheriv('aes-256-ctr', createHash('sha256').update(seed).digest(), Buffer.alloc(16))
  }

  /** The next bytes. @param {number} size */
  next(size) {
    return this.#cipher.update(Buffer.alloc(size))
  }
}

/** Numbers that look random: of [0, 1), or whole ones below a bound. */
export class SeededNumbers {
  #bytes
  #block = Buffer.alloc(0)
  #offset = 0

  /** @param {string} seed */
  constructor(seed) {
    this.#bytes = new SeededBytes(seed)
  }

  next() {
    if (this.#offset === this.#block.length) {
      this.#block = this.#bytes.next(64 * 1024)
      this.#offset = 0
    }
    const value = this.#block.readUInt32LE(this.#offset)
    this.#offset += 4
    return value / 2 ** 32
  }

  /** @param {number} bound */
  below(bound) {
    return Math.floor(this.next() * bound)
  }
}

import { GantryError } from '../errors.js'

/** What is known about one registry for as long as its transport lives. */
export class RegistryState {
  /** Names of repositories of which something has been read or written. */
  readonly accessible = new Set<string>()
  #chunkSize: number | undefined

  /**
   * @param chunkSize largest body of an upload request, in bytes; undefined for no limit
   * @throws GantryError `invalid-argument` unless it is a whole number of at least 1
   */
  constructor({ chunkSize }: { readonly chunkSize?: number | undefined } = {}) {
    if (chunkSize !== undefined && !(Number.isSafeInteger(chunkSize) && chunkSize > 0)) {
      throw new GantryError('invalid-argument', `chunk size ${chunkSize} is not a whole number of bytes above 0`)
    }
    this.#chunkSize = chunkSize
  }

  /** Largest body of an upload request that this registry takes, in bytes; undefined as long as no limit is known. */
  get chunkSize(): number | undefined {
    return this.#chunkSize
  }

  /** Takes note that the registry, or a proxy before it, takes only smaller bodies. */
  limitChunks(size: number): void {
    this.#chunkSize = Math.min(this.#chunkSize ?? size, size)
  }
}

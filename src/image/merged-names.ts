/** Begins the name of a file that takes away a name of the layers below (image-spec, layer.md, "Whiteouts"). */
const WHITEOUT = '.wh.'
/** Takes away all that the layers below have in a folder. */
const OPAQUE = '.wh..wh..opq'

/** The names that the layers so far have taken, or taken away from the layers below. */
export class MergedNames {
  /** True for what is no folder: then nothing can be below it. */
  readonly #taken = new Map<string, boolean>()
  readonly #hidden = new Set<string>()
  /** Folders whose content in the layers below is gone. */
  readonly #opaque = new Set<string>()
  /** Whiteouts of the layer at hand, which are for the layers below it alone. */
  #whiteouts: string[] = []
  #opaques: string[] = []

  /** Notes a whiteout. Returns false for the name of anything else. */
  takeWhiteout(name: string): boolean {
    const slash = name.lastIndexOf('/')
    if (!name.startsWith(WHITEOUT, slash + 1)) return false
    const folder = slash === -1 ? '' : name.slice(0, slash)
    const base = name.slice(slash + 1)
    if (base === OPAQUE) this.#opaques.push(folder)
    // Other names that begin so are for the storage driver of a builder, and mean nothing to anybody else.
    else if (!base.startsWith(`${WHITEOUT}${WHITEOUT}`)) {
      this.#whiteouts.push(`${name.slice(0, slash + 1)}${base.slice(WHITEOUT.length)}`)
    }
    return true
  }

  /** Takes a name. Returns false where the layers above have it, or have taken it or a folder above it away. */
  claim(name: string, { isFolder }: { readonly isFolder: boolean }): boolean {
    if (this.#taken.has(name) || this.#hidden.has(name) || this.#isBelowHidden(name)) return false
    this.#taken.set(name, !isFolder)
    return true
  }

  /** Ends a layer: what it takes away is gone for those below it. */
  endLayer(): void {
    for (const name of this.#whiteouts) this.#hidden.add(name)
    for (const name of this.#opaques) this.#opaque.add(name)
    this.#whiteouts = []
    this.#opaques = []
  }

  #isBelowHidden(name: string): boolean {
    if (this.#opaque.has('')) return true
    for (let slash = name.indexOf('/'); slash !== -1; slash = name.indexOf('/', slash + 1)) {
      const folder = name.slice(0, slash)
      if (this.#taken.get(folder) === true || this.#hidden.has(folder) || this.#opaque.has(folder)) return true
    }
    return false
  }
}

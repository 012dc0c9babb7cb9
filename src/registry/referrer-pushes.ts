import type { Digest } from '../oci/digest.js'
import { mapConcurrently } from '../util/limit.js'
import type { RegistryTransport } from './http/transport.js'
import { listReferrers } from './referrers.js'
import { referenceIn, type RepositoryContext } from './repository-context.js'

/** How often a manifest is pushed again because the registry has lost it from the list. */
const MAX_ATTEMPTS = 3

/** Stores a manifest; `inOrder`: so that the registry gets to it after those before, and no two at the same time. */
export type Put<Stored> = (inOrder: boolean) => Promise<Stored>

const groups = new WeakMap<RegistryTransport, Map<string, ReferrerPushes>>()

/** The pushes of manifests that refer to one subject, under way in this process. */
export function referrerPushesOf(context: RepositoryContext, subject: Digest): ReferrerPushes {
  const ofTransport = groups.get(context.transport) ?? new Map<string, ReferrerPushes>()
  groups.set(context.transport, ofTransport)
  const key = referenceIn(context, subject)
  const known = ofTransport.get(key)
  if (known !== undefined) return known
  const pushes = new ReferrerPushes(context, subject, () => ofTransport.delete(key))
  ofTransport.set(key, pushes)
  return pushes
}

/** A push that the registry may have dropped from the list. */
interface Suspect {
  readonly digest: Digest
  readonly put: Put<unknown>
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * Registries that keep the list of referrers themselves have been seen to lose entries when several come at the same
 * time. So when pushes overlapped, the list is looked at once all of them are done, and what is missing is pushed again
 * in order, as is whatever comes later. A push that was alone costs nothing more.
 */
export class ReferrerPushes {
  readonly #context: RepositoryContext
  readonly #subject: Digest
  readonly #onUnused: () => void
  #suspects: Suspect[] = []
  #users = 0
  #running = 0
  /** Whether several have been under way since all was quiet. */
  #isShared = false
  /** Whether the registry has lost an entry. */
  #isForgetful = false
  /** Set while what was lost is pushed again, which nothing may disturb. */
  #mending: Promise<void> | undefined

  constructor(context: RepositoryContext, subject: Digest, onUnused: () => void) {
    this.#context = context
    this.#subject = subject
    this.#onUnused = onUnused
  }

  /**
   * Pushes a manifest, and sees to it that it stays in the list.
   * @param put stores the manifest; called again when it was lost
   * @param keepsList asked afterwards: whether the registry keeps the list itself
   */
  async push<Stored>(digest: Digest, put: Put<Stored>, keepsList: (stored: Stored) => Promise<boolean>): Promise<void> {
    this.#users++
    try {
      while (this.#mending !== undefined) await this.#mending
      await this.#pushNow(digest, put, keepsList)
    } finally {
      this.#users--
      if (this.#users === 0) this.#onUnused()
    }
  }

  async #pushNow<Stored>(
    digest: Digest,
    put: Put<Stored>,
    keepsList: (stored: Stored) => Promise<boolean>,
  ): Promise<void> {
    let seen: Promise<void> | undefined
    this.#running++
    if (this.#running > 1) this.#isShared = true
    try {
      const isKept = await keepsList(await put(this.#isForgetful))
      if (isKept && this.#isShared) {
        seen = new Promise((resolve, reject) => this.#suspects.push({ digest, put, resolve, reject }))
      }
    } finally {
      this.#running--
      if (this.#running === 0) this.#allQuiet()
    }
    await seen
  }

  #allQuiet(): void {
    this.#isShared = false
    const suspects = this.#suspects
    this.#suspects = []
    if (suspects.length === 0) return
    this.#mending = this.#mend(suspects).finally(() => (this.#mending = undefined))
  }

  /** Never rejects: what fails belongs to one of the pushes. */
  async #mend(suspects: readonly Suspect[]): Promise<void> {
    let left = suspects
    for (let attempt = 1; attempt <= MAX_ATTEMPTS && left.length > 0; attempt++) {
      const listed = await this.#list()
      left = left.filter((suspect) => {
        const isMissing = listed?.has(suspect.digest) === false
        if (!isMissing) suspect.resolve()
        return isMissing
      })
      if (left.length > 0) this.#isForgetful = true
      // Not everything between here and the registry need keep to the order.
      await mapConcurrently(left, async ({ put, reject }) => put(true).catch(reject), {
        concurrency: attempt < MAX_ATTEMPTS ? left.length : 1,
      })
    }
    // It has been stored, and said to be, often enough.
    for (const suspect of left) suspect.resolve()
  }

  /** Undefined when the registry does not say; its word that it stored the manifest has to do then. */
  async #list(): Promise<ReadonlySet<Digest> | undefined> {
    try {
      const found = await listReferrers(this.#context, 'api', this.#subject)
      return new Set(found.map(({ digest }) => digest))
    } catch {
      // Nothing that was asked for has failed.
      return undefined
    }
  }
}

import { isGantryError, messageOf } from '../../errors.js'
import type { RegistryAnswer, RegistryRequest, RegistryTransport, Repetition } from './transport.js'
import type { RegistryState } from '../registry-state.js'

/** A manifest or a blob; the addresses of uploads have a further part. */
const CONTENT = /^\/v2\/.+\/(?:manifests|blobs)\/[^/]+$/

/** Errors that are about the mirror and not about the content. */
const UNREACHABLE = ['network-error', 'timeout', 'tls-error'] as const

/**
 * A transport that asks mirrors for manifests and blobs before the registry itself: for reading only, as a blob that a
 * mirror has is not one that the registry has. Whatever a mirror cannot give comes from the registry. Each mirror is
 * reached by a transport of its own, so that it gets no credentials of the registry.
 */
export class MirroredTransport implements RegistryTransport {
  readonly registry: string
  readonly origin: string
  readonly repetition: Repetition | undefined
  readonly state: RegistryState | undefined
  readonly shown: ((text: string) => string) | undefined
  readonly requestElsewhere: RegistryTransport['requestElsewhere']
  readonly #inner: RegistryTransport
  /** Mirrors that have not failed yet, in their order. */
  readonly #mirrors: Set<RegistryTransport>

  constructor(inner: RegistryTransport, mirrors: readonly RegistryTransport[]) {
    this.#inner = inner
    this.#mirrors = new Set(mirrors)
    this.registry = inner.registry
    this.origin = inner.origin
    this.repetition = inner.repetition
    this.state = inner.state
    this.shown = inner.shown
    this.requestElsewhere = inner.requestElsewhere?.bind(inner)
  }

  async request(request: RegistryRequest): Promise<RegistryAnswer> {
    const { pathname, search, origin } = new URL(request.url, this.origin)
    const isReading = request.method === 'GET' || request.method === 'HEAD'
    if (isReading && origin === this.origin && CONTENT.test(pathname)) {
      for (const mirror of [...this.#mirrors]) {
        const answer = await this.#ask(mirror, { ...request, url: `${pathname}${search}`, retry: 'never' })
        if (answer !== undefined) return answer
      }
    }
    return this.#inner.request(request)
  }

  notice(message: string): void {
    this.#inner.notice?.(message)
  }

  /** What a mirror has, or undefined. A mirror that cannot be reached is not asked again. */
  async #ask(mirror: RegistryTransport, request: RegistryRequest): Promise<RegistryAnswer | undefined> {
    try {
      const answer = await mirror.request(request)
      if (answer.status === 200 || answer.status === 206) return answer
      await answer.discard()
    } catch (error) {
      if (!isGantryError(error) || error.code === 'aborted') throw error
      if (isGantryError(error, ...UNREACHABLE)) this.#mirrors.delete(mirror)
      this.notice(`mirror ${mirror.registry} of ${this.registry} was passed over: ${messageOf(error)}`)
    }
    return undefined
  }
}

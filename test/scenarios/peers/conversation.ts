import type { OutgoingHttpHeaders } from 'node:http'
import { digestOf } from '../../../src/oci/digest.js'
import { MediaType } from '../../../src/oci/media-types.js'
import { send, type Answer, type SendOptions } from '../../server/test-registry.js'

/** What a registry answered to one request, as far as clients depend on it. */
export interface Line {
  readonly what: string
  readonly status: number
  /** Code of the first error. */
  readonly code: string | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly body?: unknown
}

/** Headers that clients act on. */
const HEADERS = [
  'location',
  'range',
  'docker-content-digest',
  'link',
  'oci-subject',
  'content-range',
  'accept-ranges',
  'allow',
]

/** A fixed list of requests, some of which need what earlier ones answered. */
export class Conversation {
  readonly #origin: string
  readonly #lines: Line[] = []
  readonly repository: string

  constructor(origin: string, repository: string) {
    this.#origin = origin
    this.repository = repository
  }

  get lines(): readonly Line[] {
    return this.#lines
  }

  /** Sends a request that is only there to prepare others. */
  prepare(method: string, path: string, options: SendOptions = {}): Promise<Answer> {
    const address = new URL(path, this.#origin)
    const empty = options.body === undefined && method === 'POST' ? { 'Content-Length': 0 } : {}
    const headers: OutgoingHttpHeaders = { ...empty, ...options.headers }
    return send(this.#origin, method, `${address.pathname}${address.search}`, { ...options, headers })
  }

  /** Sends a request whose answer counts. */
  async say(what: string, method: string, path: string, options: SendOptions = {}): Promise<Answer> {
    const answer = await this.prepare(method, path, options)
    this.#lines.push(this.#lineOf(what, answer))
    return answer
  }

  /** As {@link say}, where some hang up, or keep not to the length that they announce. */
  async ask(what: string, method: string, path: string, options: SendOptions = {}): Promise<void> {
    try {
      await this.say(what, method, path, options)
    } catch (error) {
      if (!isCut(error)) throw error
      this.#lines.push({ what, status: 0, code: 'cut', headers: {} })
    }
  }

  /** As {@link say}, with the members of the answer that matter. */
  async read(what: string, path: string, members: readonly string[]): Promise<void> {
    let answer: Answer
    try {
      answer = await this.prepare('GET', path)
    } catch (error) {
      if (!isCut(error)) throw error
      this.#lines.push({ what, status: 0, code: 'cut', headers: {} })
      return
    }
    const body = Object.fromEntries(members.map((member) => [member, sortedList(answer.json[member])]))
    this.#lines.push({ ...this.#lineOf(what, answer), body })
  }

  /** Counts what was looked at otherwise. */
  note(line: Line): void {
    this.#lines.push(line)
  }

  upload(query = ''): Promise<Answer> {
    return this.prepare('POST', `/v2/${this.repository}/blobs/uploads/${query}`)
  }

  async blob(content: string): Promise<string> {
    const { headers } = await this.upload()
    const digest = digestOf(content)
    await this.prepare('PUT', withDigest(headers.location ?? '', digest), { body: content })
    return digest
  }

  manifest(
    reference: string,
    manifest: object,
    type: string = MediaType.imageManifest,
  ): SendOptions & { path: string } {
    return {
      path: `/v2/${this.repository}/manifests/${reference}`,
      headers: { 'Content-Type': type },
      body: JSON.stringify(manifest),
    }
  }

  #lineOf(what: string, { status, code, headers }: Answer): Line {
    const entries = HEADERS.flatMap((name): [string, string][] => {
      const value = headers[name]
      return typeof value === 'string' ? [[name, this.#plain(value)]] : []
    })
    return { what, status, code, headers: Object.fromEntries(entries) }
  }

  /** Without what is another one each time. */
  #plain(value: string): string {
    return value
      .replaceAll(this.#origin, '<origin>')
      .replace(/uploads\/[^?]+/, 'uploads/<id>')
      .replace(/\?_?state=.*/, '?<state>')
  }
}

function isCut(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNRESET'
}

function sortedList(value: unknown): unknown {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string') ? value.toSorted() : value
}

export function withDigest(location: string, digest: string): string {
  return `${location}${location.includes('?') ? '&' : '?'}digest=${digest}`
}

/** A conversation of its own about a repository of its own. */
export function hold(
  repository: string,
  work: (talk: Conversation) => Promise<unknown>,
): (origin: string) => Promise<readonly Line[]> {
  return async (origin) => {
    const talk = new Conversation(origin, repository)
    await work(talk)
    return talk.lines
  }
}

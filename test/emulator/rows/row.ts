import type { OutgoingHttpHeaders } from 'node:http'
import { digestOf, type Digest } from '../../../src/oci/digest.js'
import { imageManifest, send, TestRegistry, type Answer } from '../../server/test-registry.js'
import type { Emulator } from '../emulator.js'
import type { EmulatorOptions } from '../emulator-options.js'

/** One switch of the table that the profiles are made of, and how it shows on the wire. */
export interface SwitchRow {
  /** The number that the comments at the switches name. */
  readonly row: string
  readonly name: string
  readonly options: EmulatorOptions
  readonly check: (wire: Wire) => Promise<void>
}

export const USER = { username: 'user', password: 'secret' }
export const BEARER = { type: 'bearer', accounts: [USER] } as const
export const REPOSITORY = 'team/app'

/** Plain requests to an emulator without names, exactly as they are written. */
export class Wire extends TestRegistry {
  readonly emulator: Emulator

  constructor(emulator: Emulator) {
    super(emulator.url, [], () => Promise.resolve())
    this.emulator = emulator
  }

  get(path: string, headers: OutgoingHttpHeaders = {}): Promise<Answer> {
    return this.send('GET', path, { headers })
  }

  post(path: string, headers: OutgoingHttpHeaders = {}): Promise<Answer> {
    return this.send('POST', path, { headers: { 'Content-Length': 0, ...headers } })
  }

  /** Asks an origin by its whole address. */
  at(address: string, headers: OutgoingHttpHeaders = {}, method = 'GET', body?: string): Promise<Answer> {
    const { origin, pathname, search } = new URL(address)
    return send(origin, method, `${pathname}${search}`, { headers, ...(body === undefined ? {} : { body }) })
  }

  /** What the token endpoint answers to a user, or to nobody. */
  askToken(scopes: readonly string[], user: typeof USER | 'nobody' = USER): Promise<Answer> {
    const query = new URLSearchParams(scopes.map((scope): [string, string] => ['scope', scope]))
    return this.get(`/token?${query.toString()}`, user === 'nobody' ? {} : basic(user))
  }

  /** Headers with a token for some scopes. */
  async token(...scopes: readonly string[]): Promise<OutgoingHttpHeaders> {
    const { json } = await this.askToken(scopes)
    return { Authorization: `Bearer ${String(json.token ?? json.access_token)}` }
  }

  /** A PATCH with a range, or without one. */
  patch(location: string, body: string | Uint8Array, start?: number): Promise<Answer> {
    const range = start === undefined ? {} : { 'Content-Range': `${start}-${start + body.length - 1}` }
    return this.send('PATCH', this.pathOf(location), { headers: range, body })
  }

  finish(location: string, digest: Digest, body = ''): Promise<Answer> {
    const path = this.pathOf(location)
    return this.send('PUT', `${path}${path.includes('?') ? '&' : '?'}digest=${digest}`, { body })
  }

  /** The path of a Location, whatever its form. */
  pathOf(location: string, base = `/v2/${REPOSITORY}/blobs/uploads/`): string {
    const { pathname, search } = new URL(location, new URL(base, this.url))
    return `${pathname}${search}`
  }

  /** Pushes images under some tags past all switches that pushes have. */
  async seed(tags: readonly string[], fields: object = {}): Promise<Digest> {
    const { storage } = this.emulator
    const bytes = Buffer.from(JSON.stringify(imageManifest(fields)))
    const digest = digestOf(bytes)
    const manifest = { mediaType: 'application/vnd.oci.image.manifest.v1+json', size: bytes.length }
    await storage.putManifest(REPOSITORY, { digest, bytes, manifest, tags })
    return digest
  }

  /** Puts a blob into the registry past all switches. */
  async seedBlob(content: string): Promise<Digest> {
    const writer = this.emulator.storage.createWriter('sha256')
    await writer.write(once(content), content.length)
    const digest = digestOf(content)
    await this.emulator.storage.commitBlob(REPOSITORY, digest, writer)
    return digest
  }
}

export function basic({ username, password }: { username: string; password: string }): OutgoingHttpHeaders {
  return { Authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` }
}

export function challenge({ headers }: Answer): string {
  return headers['www-authenticate'] ?? ''
}

async function* once(content: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(content)
}

/** A timer that runs from now on: what comes after a longer time finds that it has fired, however busy the machine is. */
export function timerOf(milliseconds: number): { readonly hasFired: () => boolean } {
  let hasFired = false
  setTimeout(() => (hasFired = true), milliseconds)
  return { hasFired: () => hasFired }
}

import { request as httpRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http'
import { onTestFinished } from 'vitest'
import { digestOf, type Digest, type DigestAlgorithm } from '../../src/oci/digest.js'
import { MediaType } from '../../src/oci/media-types.js'
import type { RequestLogEntry } from '../../src/server/registry-handler.js'
import { startRegistryServer, type RegistryServerOptions } from '../../src/server/registry-server.js'

/** The members of JSON bodies that tests look at. */
export interface JsonBody {
  readonly mediaType?: string
  readonly tags?: readonly string[]
  readonly repositories?: readonly string[]
  readonly manifests?: readonly { readonly digest: string }[]
  readonly annotations?: Readonly<Record<string, string>>
  readonly errors?: readonly { readonly code: string; readonly message: string }[]
  readonly [member: string]: unknown
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly bytes: Buffer
  readonly text: string
  readonly json: JsonBody
  /** The code of the first error in the body. */
  readonly code: string | undefined
}

export interface SendOptions {
  readonly headers?: OutgoingHttpHeaders
  readonly body?: string | Uint8Array
}

/** One request, exactly as it is written here: nothing is normalised, followed or repeated. */
export function send(
  origin: string,
  method: string,
  path: string,
  { headers, body }: SendOptions = {},
): Promise<Answer> {
  const { hostname, port } = new URL(origin)
  const isStreamed = headers?.['Transfer-Encoding'] !== undefined
  const length = body === undefined || isStreamed ? {} : { 'Content-Length': Buffer.byteLength(body) }
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { hostname, port, method, path, headers: { ...length, ...headers }, agent: false },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const bytes = Buffer.concat(chunks)
          const json = parse(bytes.toString()) ?? {}
          const code = json.errors?.[0]?.code
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            bytes,
            text: bytes.toString(),
            json,
            code,
          })
        })
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}

function parse(text: string): JsonBody | undefined {
  try {
    return JSON.parse(text) as JsonBody
  } catch {
    return undefined
  }
}

/** A running registry, with shorthands for the requests that most tests need. */
export class TestRegistry {
  readonly url: string
  readonly log: RequestLogEntry[]
  readonly close: () => Promise<void>

  constructor(url: string, log: RequestLogEntry[], close: () => Promise<void>) {
    this.url = url
    this.log = log
    this.close = close
  }

  send(method: string, path: string, options?: SendOptions): Promise<Answer> {
    return send(this.url, method, path, options)
  }

  async pushBlob(repository: string, content: string | Uint8Array, algorithm?: DigestAlgorithm): Promise<Digest> {
    const digest = digestOf(content, algorithm)
    const answer = await this.send('POST', `/v2/${repository}/blobs/uploads/?digest=${digest}`, { body: content })
    if (answer.status !== 201) throw new Error(`${answer.status} ${answer.text}`)
    return digest
  }

  putManifest(
    repository: string,
    reference: string,
    manifest: object | string,
    headers: OutgoingHttpHeaders = {},
  ): Promise<Answer> {
    const body = typeof manifest === 'string' ? manifest : JSON.stringify(manifest)
    const mediaType = parse(body)?.mediaType ?? MediaType.imageManifest
    return this.send('PUT', `/v2/${repository}/manifests/${reference}`, {
      headers: { 'Content-Type': mediaType, ...headers },
      body,
    })
  }

  /** Pushes a small image, under a tag when one is given; `fields` make it differ. */
  async pushImage(
    repository: string,
    tag?: string,
    fields: object = {},
  ): Promise<{ digest: Digest; size: number; body: string }> {
    await this.pushBlob(repository, '{}')
    const body = JSON.stringify(imageManifest(fields))
    const digest = digestOf(body)
    const answer = await this.putManifest(repository, tag ?? digest, body)
    if (answer.status !== 201) throw new Error(`${answer.status} ${answer.text}`)
    return { digest, size: body.length, body }
  }

  /** Opens an upload, and returns its location. */
  async openUpload(repository: string, query = ''): Promise<string> {
    const answer = await this.send('POST', `/v2/${repository}/blobs/uploads/${query}`, {
      headers: { 'Content-Length': 0 },
    })
    if (answer.status !== 202) throw new Error(`${answer.status} ${answer.text}`)
    return answer.headers.location ?? ''
  }
}

export const EMPTY_JSON = { mediaType: MediaType.empty, digest: digestOf('{}'), size: 2 }

/** A manifest that needs nothing but the empty JSON blob. */
export function imageManifest(fields: object = {}): Record<string, unknown> {
  return { schemaVersion: 2, mediaType: MediaType.imageManifest, config: EMPTY_JSON, layers: [], ...fields }
}

export function indexManifest(manifests: readonly object[], fields: object = {}): Record<string, unknown> {
  return { schemaVersion: 2, mediaType: MediaType.imageIndex, manifests, ...fields }
}

/** Starts a registry that is closed when the test has finished. */
export async function startTestRegistry(options: RegistryServerOptions = {}): Promise<TestRegistry> {
  const log: RequestLogEntry[] = []
  const server = await startRegistryServer({ onRequest: (entry) => log.push(entry), ...options })
  let open = true
  const close = async (): Promise<void> => {
    if (open) await server.close()
    open = false
  }
  onTestFinished(close)
  return new TestRegistry(server.url, log, close)
}

import { onTestFinished } from 'vitest'
import { createTransport } from '../../src/registry/http/create-transport.js'
import type { RegistryTransport } from '../../src/registry/http/transport.js'
import type { TransportOptions } from '../../src/registry/http/transport-options.js'
import { Repository, type RepositoryOptions } from '../../src/registry/repository.js'
import { descriptorOf, type Descriptor } from '../../src/oci/descriptor.js'
import { encodeJson } from '../../src/oci/encode-json.js'
import type { ManifestContent } from '../../src/oci/manifest.js'
import { MediaType } from '../../src/oci/media-types.js'
import type { Bytes, OpenContent } from '../../src/util/bytes.js'
import {
  startScriptedServer,
  type Script,
  type ScriptedExchange,
  type ScriptedServer,
  type ScriptedServerOptions,
} from './http/scripted-server.js'

/** Name of the repository that the scripts serve. */
export const NAME = 'team/app'

export interface TestRegistry extends ScriptedServer {
  readonly transport: RegistryTransport
  repository(options?: RepositoryOptions): Repository
  /** `METHOD path?query` of every request so far, but for the question whether the registry wants a login. */
  requests(): string[]
}

/** What answers the requests to one `METHOD path`: always the same, or each one in turn and the last one from then on. */
export type Routes = Readonly<Record<string, Script | readonly Script[]>>

export interface TestRegistryOptions extends ScriptedServerOptions {
  readonly transport?: Partial<TransportOptions>
}

/** Starts a scripted registry for the running test, with a client that repeats without waiting. */
export async function startTestRegistry(
  script: Script | Routes,
  options: TestRegistryOptions = {},
): Promise<TestRegistry> {
  const server = await startScriptedServer(typeof script === 'function' ? script : routed(script), options)
  const transport = createTransport({
    registry: server.host,
    plainHttp: options.tls === undefined,
    retry: { firstDelay: 1, maxDelay: 2 },
    ...options.transport,
  })
  onTestFinished(async () => {
    await transport.close()
    await server.close()
  })
  return {
    ...server,
    transport,
    repository: (more = {}) => new Repository(transport, NAME, { backoff: { base: 1, cap: 2 }, ...more }),
    requests: () =>
      server.ledger.map(({ method, url }) => `${method} ${url}`).filter((request) => request !== 'GET /v2/'),
  }
}

/** Picks a script by method and path; a route that names a query takes only that one. Anything else is not found. */
export function routed(routes: Routes): Script {
  const counts = new Map<string, number>()
  return (exchange) => {
    const { method = '', url = '' } = exchange.request
    const path = url.split('?')[0] ?? ''
    const key = [`${method} ${url}`, `${method} ${path}`].find((candidate) => candidate in routes)
    if (key === undefined) {
      notFound(exchange)
      return
    }
    const count = counts.get(key) ?? 0
    counts.set(key, count + 1)
    const scripts = [routes[key]!].flat()
    return scripts[Math.min(count, scripts.length - 1)]!(exchange)
  }
}

export function notFound({ answer }: ScriptedExchange): void {
  answer(404, {}, { errors: [{ code: 'NAME_UNKNOWN', message: 'unknown' }] })
}

/** A script that always gives one answer. */
export function answers(
  status: number,
  headers: Record<string, string | string[]> = {},
  body?: string | Uint8Array | object,
): Script {
  return ({ answer }) => answer(status, headers, body)
}

/** A script that cuts the connection. */
export const cut: Script = ({ socket }) => {
  socket.resetAndDestroy()
}

/** Bytes that differ everywhere, so that pieces joined wrongly are noticed. */
export function someBytes(size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  for (let index = 0; index < size; index++) bytes[index] = (index * 31 + (index >> 8) * 17 + (index >> 16) * 7) & 0xff
  return bytes
}

/** An opener that hands out pieces, and the offsets at which it was opened. */
export function openPieces(bytes: Uint8Array, pieceSize = 64 * 1024): OpenContent & { readonly offsets: number[] } {
  const offsets: number[] = []
  const open = async function* (offset = 0): Bytes & AsyncGenerator<Uint8Array> {
    offsets.push(offset)
    for (let start = offset; start < bytes.byteLength; start += pieceSize) {
      yield bytes.subarray(start, Math.min(bytes.byteLength, start + pieceSize))
    }
  }
  return Object.assign(open, { offsets })
}

export async function collect(content: Bytes): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of content) chunks.push(chunk)
  return Buffer.concat(chunks)
}

export async function listOf<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const list: Item[] = []
  for await (const item of items) list.push(item)
  return list
}

export const EMPTY_CONFIG: Descriptor = descriptorOf(MediaType.empty, new TextEncoder().encode('{}'))

/** An artifact manifest with the given fields. */
export function manifestWith(fields: object = {}): ManifestContent {
  const bytes = encodeJson({
    schemaVersion: 2,
    mediaType: MediaType.imageManifest,
    artifactType: 'application/vnd.example',
    config: EMPTY_CONFIG,
    layers: [EMPTY_CONFIG],
    ...fields,
  })
  return { descriptor: descriptorOf(MediaType.imageManifest, bytes), bytes }
}

/** Headers with which a registry announces a manifest. */
export function manifestHeaders({ descriptor }: ManifestContent): Record<string, string> {
  return {
    'content-type': descriptor.mediaType,
    'docker-content-digest': descriptor.digest,
    'content-length': String(descriptor.size),
  }
}

import type { IncomingMessage, ServerResponse } from 'node:http'
import { MAX_MANIFEST_SIZE } from '../oci/manifest.js'
import { OPEN_ACCESS } from './auth/access.js'
import { deleteBlob, sendBlob } from './blobs.js'
import { sendCatalog } from './catalog.js'
import { answerError } from './error-answer.js'
import { Exchange } from './exchange.js'
import { deleteManifest, putManifest, sendManifest } from './manifests.js'
import { sendReferrers } from './referrers.js'
import { Refusal } from './refusal.js'
import { parseRoute, type Route } from './route.js'
import type { RegistryStorage } from './storage/storage.js'
import { sendTags } from './tags.js'
import { UploadSessions } from './upload-sessions.js'
import { deleteUpload, patchUpload, postUpload, putUpload, sendUploadStatus } from './uploads.js'

export interface RegistryHandlerOptions {
  /** Refuse everything that would change content; default false. */
  readonly readOnly?: boolean
  /** In bytes; default: no limit. */
  readonly maxBlobSize?: number
  /** In bytes; default 4 MiB. */
  readonly maxManifestSize?: number
  /** Uploads that may be open at once; default 1000. */
  readonly maxUploads?: number
  /** Milliseconds without a request after which an upload is given up; default one hour. */
  readonly uploadTimeToLive?: number
  /** Whether config and layers have to be in the repository before a manifest is pushed; default true. */
  readonly requireBlobs?: boolean
  /** Told about every request once it has been answered. */
  readonly onRequest?: (entry: RequestLogEntry) => void
}

/** One line for a log. */
export interface RequestLogEntry {
  readonly method: string
  readonly url: string
  readonly status: number
}

/** A listener for the requests of a node:http server. */
export type RegistryHandler = (request: IncomingMessage, response: ServerResponse) => void

/** Makes the distribution API over a storage. The caller closes the storage. */
export function createRegistryHandler(storage: RegistryStorage, options: RegistryHandlerOptions = {}): RegistryHandler {
  const endpoints = createEndpoints(storage, options)
  return (request, response) => {
    response.setHeader('Docker-Distribution-API-Version', 'registry/2.0')
    const exchange = new Exchange(request, response, OPEN_ACCESS)
    answer(exchange).catch((error: unknown) => answerError(exchange, error))
  }

  async function answer(exchange: Exchange): Promise<void> {
    const route = parseRoute(exchange.path)
    const methods: Methods = endpoints(route, exchange)
    const name = exchange.method === 'HEAD' ? 'GET' : exchange.method
    const method = Object.hasOwn(methods, name) ? methods[name as keyof Methods] : undefined
    if (method === undefined) {
      throw new Refusal('UNSUPPORTED', 'the endpoint does not know this method', {
        headers: { Allow: Object.keys(methods).join(', ') },
      })
    }
    if (options.readOnly === true && name !== 'GET') throw new Refusal('UNSUPPORTED', 'this registry is read-only')
    await method()
  }
}

type Methods = Partial<Record<'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', () => Promise<void> | void>>

/** What can be done with each kind of path. */
function createEndpoints(
  storage: RegistryStorage,
  options: RegistryHandlerOptions,
): (route: Route, exchange: Exchange) => Methods {
  const sessions = new UploadSessions(storage, {
    maxUploads: options.maxUploads ?? 1000,
    uploadTimeToLive: options.uploadTimeToLive ?? 60 * 60 * 1000,
  })
  const uploads = { storage, sessions, maxBlobSize: options.maxBlobSize ?? Number.MAX_SAFE_INTEGER }
  const rules = {
    maxManifestSize: options.maxManifestSize ?? MAX_MANIFEST_SIZE,
    requireBlobs: options.requireBlobs ?? true,
  }
  return (route, exchange) => {
    switch (route.kind) {
      case 'base':
        return { GET: () => exchange.sendJson(200, {}) }
      case 'catalog':
        return { GET: () => sendCatalog(exchange, storage) }
      case 'tags':
        return { GET: () => sendTags(exchange, route, storage) }
      case 'referrers':
        return { GET: () => sendReferrers(exchange, route, storage) }
      case 'blob':
        return { GET: () => sendBlob(exchange, route, storage), DELETE: () => deleteBlob(exchange, route, storage) }
      case 'manifest':
        return {
          GET: () => sendManifest(exchange, route, storage),
          PUT: () => putManifest(exchange, route, { storage, rules }),
          DELETE: () => deleteManifest(exchange, route, storage),
        }
      case 'uploads':
        return { POST: () => postUpload(exchange, route, uploads) }
      case 'upload':
        return {
          GET: () => sendUploadStatus(exchange, route, uploads),
          PATCH: () => patchUpload(exchange, route, uploads),
          PUT: () => putUpload(exchange, route, uploads),
          DELETE: () => deleteUpload(exchange, route, uploads),
        }
    }
  }
}

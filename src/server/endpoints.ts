import { MAX_MANIFEST_SIZE } from '../oci/manifest.js'
import { deleteBlob, sendBlob } from './blobs.js'
import { sendCatalog } from './catalog.js'
import type { Exchange } from './exchange.js'
import { deleteManifest, putManifest, sendManifest } from './manifests.js'
import { sendReferrers } from './referrers.js'
import type { Route } from './route.js'
import type { RegistryStorage } from './storage/storage.js'
import { sendTags } from './tags.js'
import { UploadSessions } from './upload-sessions.js'
import { deleteUpload, patchUpload, postUpload, putUpload, sendUploadStatus } from './uploads.js'

export interface EndpointOptions {
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
}

/** What can be done with a path; a HEAD is answered by GET. */
export type Methods = Partial<Record<'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', () => Promise<void> | void>>

const HOUR = 60 * 60 * 1000

/** Makes the function that knows what can be done with each kind of path. */
export function createEndpoints(
  storage: RegistryStorage,
  options: EndpointOptions,
): (route: Route, exchange: Exchange) => Methods {
  const {
    maxBlobSize = Number.MAX_SAFE_INTEGER,
    maxManifestSize = MAX_MANIFEST_SIZE,
    maxUploads = 1000,
    uploadTimeToLive = HOUR,
    requireBlobs = true,
  } = options
  const sessions = new UploadSessions(storage, { maxUploads, uploadTimeToLive })
  const uploads = { storage, sessions, maxBlobSize }
  const rules = { maxManifestSize, requireBlobs }
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

import { pipeline } from 'node:stream/promises'
import { MediaType } from '../oci/media-types.js'
import { parseRange } from './byte-range.js'
import { isUnchanged } from './conditions.js'
import type { Exchange } from './exchange.js'
import { Refusal } from './refusal.js'
import type { Route } from './route.js'
import type { RegistryStorage } from './storage/storage.js'

type BlobRoute = Extract<Route, { kind: 'blob' }>

/**
 * GET and HEAD of a blob (distribution-spec, "Pulling blobs"), with ranges and conditions (RFC 9110).
 * @throws Refusal `BLOB_UNKNOWN`, `RANGE_INVALID`
 */
export async function sendBlob(
  exchange: Exchange,
  { repository, digest }: BlobRoute,
  storage: RegistryStorage,
): Promise<void> {
  const size = storage.blobSize(repository, digest)
  if (size === undefined) throw blobUnknown()
  const headers = {
    'Docker-Content-Digest': digest,
    ETag: `"${digest}"`,
    'Accept-Ranges': 'bytes',
    'Cache-Control': 'max-age=31536000',
  }
  if (isUnchanged(exchange, digest)) {
    exchange.send(304, headers)
    return
  }
  const range = parseRange(wantedRange(exchange, headers.ETag), size)
  if (range === 'unsatisfiable') {
    throw new Refusal('RANGE_INVALID', 'the range lies outside of the blob', {
      headers: { 'Content-Range': `bytes */${size}` },
    })
  }
  exchange.writeHead(range === undefined ? 200 : 206, {
    ...headers,
    'Content-Type': MediaType.octetStream,
    'Content-Length': String(range === undefined ? size : range.end - range.start + 1),
    'Content-Range': range === undefined ? undefined : `bytes ${range.start}-${range.end}/${size}`,
  })
  if (exchange.method === 'HEAD' || size === 0) exchange.response.end()
  else await pipeline(storage.open(digest, range), exchange.response)
}

/**
 * DELETE of a blob (distribution-spec, "Deleting Blobs").
 * @throws Refusal `BLOB_UNKNOWN`
 */
export async function deleteBlob(
  exchange: Exchange,
  { repository, digest }: BlobRoute,
  storage: RegistryStorage,
): Promise<void> {
  if (!(await storage.deleteBlob(repository, digest))) throw blobUnknown()
  exchange.send(202)
}

/** The Range header, where it counts: only GET knows ranges, and If-Range can make one depend on the content. */
function wantedRange(exchange: Exchange, etag: string): string | undefined {
  if (exchange.method !== 'GET') return undefined
  const ifRange = exchange.header('if-range')
  return ifRange === undefined || ifRange === etag ? exchange.header('range') : undefined
}

function blobUnknown(): Refusal {
  return new Refusal('BLOB_UNKNOWN', 'the repository does not hold this blob')
}

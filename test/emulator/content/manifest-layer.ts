import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { digestOf, type Digest } from '../../../src/oci/digest.js'
import { isIndexType, mediaTypeOf } from '../../../src/oci/media-types.js'
import type { RegistryStorage } from '../../../src/server/storage/storage.js'
import { dropBody, emptyAnswer, errorAnswer, headerOf, readBody, withHeaders, type EmulatedAnswer } from '../answer.js'
import type { Call, Layer, Next } from '../call.js'
import type { ManifestSwitches } from './content-switches.js'

/** Hands manifests out in the vendor's way. */
export function createManifestReadLayer(switches: ManifestSwitches): Layer {
  return async (call, next) => {
    if (call.route?.kind !== 'manifest' || !call.isRead) return next(call)
    if (call.method === 'HEAD' && switches.head === 405) return emptyAnswer(405)
    const answer = await next(call)
    if (answer.status === 404) return missing(call, answer, switches)
    if (answer.status !== 200) return answer
    const accepted = await convert(call, answer, switches)
    if (accepted.status !== 200) return accepted
    const whole = switches.digestHeader === 'otherAlgorithm' ? await next(call.derive('GET', call.path)) : undefined
    const other = whole === undefined ? undefined : digestOf(await readBody(whole), 'sha512')
    const edited = edit(accepted, switches, other)
    return call.method === 'HEAD' ? editHead(edited, switches, next, call) : edited
  }
}

function missing(call: Call, answer: EmulatedAnswer, { missingIs403, missingCode }: ManifestSwitches): EmulatedAnswer {
  if (missingIs403 === true && call.method === 'HEAD') return emptyAnswer(403)
  if (missingCode === undefined || call.method === 'HEAD') return answer
  dropBody(answer)
  return errorAnswer(404, missingCode, 'the manifest was not found')
}

/** What becomes of a manifest whose type is not asked for. */
async function convert(
  call: Call,
  answer: EmulatedAnswer,
  { acceptStrict, acceptStrictTypes }: ManifestSwitches,
): Promise<EmulatedAnswer> {
  const type = headerOf(answer, 'content-type') ?? ''
  if (acceptStrictTypes?.test(type) === false) return answer
  const isAsked = (call.header('accept') ?? '').split(',').some((entry) => mediaTypeOf(entry) === type)
  if (acceptStrict === undefined || isAsked) return answer
  dropBody(answer)
  if (acceptStrict === 404) {
    const message = 'OCI manifest found, but accept header does not support OCI manifests'
    return call.method === 'HEAD' ? emptyAnswer(404) : errorAnswer(404, 'MANIFEST_UNKNOWN', message)
  }
  const body = Buffer.from(JSON.stringify({ schemaVersion: 1, name: 'converted', fsLayers: [], history: [] }))
  const headers = {
    'content-type': 'application/vnd.docker.distribution.manifest.v1+prettyjws',
    'content-length': String(body.length),
    'docker-content-digest': `sha256:${createHash('sha256').update(body).digest('hex')}`,
  }
  return { status: 200, headers, body }
}

function edit(
  answer: EmulatedAnswer,
  { digestHeader = 'ok', contentType }: ManifestSwitches,
  otherAlgorithm: string | undefined,
): EmulatedAnswer {
  const digest = headerOf(answer, 'docker-content-digest') ?? ''
  const digests = {
    ok: digest,
    missing: undefined,
    wrong: `sha256:${createHash('sha256').update(digest).digest('hex')}`,
    otherAlgorithm,
  }
  const type = headerOf(answer, 'content-type') ?? ''
  return withHeaders(answer, {
    'docker-content-digest': digests[digestHeader],
    ...(contentType === undefined ? {} : { 'content-type': `${type}${contentType}` }),
  })
}

async function editHead(
  answer: EmulatedAnswer,
  switches: ManifestSwitches,
  next: Next,
  call: Call,
): Promise<EmulatedAnswer> {
  switch (switches.head ?? 'ok') {
    case 'noLength':
      return withHeaders(answer, { 'content-length': undefined })
    case 'noContentType':
      return withHeaders(answer, { 'content-type': undefined })
    case 'gzipLength': {
      const whole = await readBody(await next(call.derive('GET', call.path)))
      return withHeaders(answer, { 'content-length': String(gzipSync(whole).length), 'content-encoding': 'gzip' })
    }
    default:
      return answer
  }
}

/** Takes manifests in the vendor's way. */
export function createManifestWriteLayer(switches: ManifestSwitches, storage: RegistryStorage): Layer {
  return async (call, next) => {
    if (call.route?.kind !== 'manifest' || call.method !== 'PUT') return next(call)
    const refusal = await refusalOf(call, switches, storage)
    if (refusal !== undefined) return refusal
    const answer = await next(call)
    const { putStatus, missingBlobStatus } = switches
    if (missingBlobStatus !== undefined && answer.status === 404) return { ...answer, status: missingBlobStatus }
    return answer.status === 201 && putStatus !== undefined ? { ...answer, status: putStatus } : answer
  }
}

interface WrittenManifest {
  readonly mediaType?: string
  readonly subject?: { readonly digest: string }
  readonly config?: { readonly mediaType: string }
  readonly layers?: readonly { readonly mediaType: string }[]
  readonly manifests?: readonly { readonly digest: string }[]
}

async function refusalOf(
  call: Call,
  switches: ManifestSwitches,
  storage: RegistryStorage,
): Promise<EmulatedAnswer | undefined> {
  const {
    maxSize,
    overStatus = 413,
    overCode = 'MANIFEST_INVALID',
    rejectTypes,
    rejectSubject,
    childrenFirst,
  } = switches
  const body = await call.readBody()
  if (maxSize !== undefined && body.length > maxSize) {
    return errorAnswer(overStatus, overCode, 'http: request body too large')
  }
  const document = parse(body)
  const { config, layers = [], manifests = [], subject } = document
  const type = mediaTypeOf(call.header('content-type') ?? document.mediaType ?? '')
  const types = [type, ...(config === undefined ? [] : [config.mediaType]), ...layers.map(({ mediaType }) => mediaType)]
  if (rejectTypes !== undefined && types.some((one) => rejectTypes.types.test(one))) {
    return errorAnswer(rejectTypes.status, rejectTypes.code ?? 'MANIFEST_INVALID', 'manifest invalid')
  }
  if (rejectSubject !== undefined && subject !== undefined) {
    return errorAnswer(rejectSubject, 'MANIFEST_BLOB_UNKNOWN', 'blob unknown to registry')
  }
  const { route } = call
  if (childrenFirst !== true || !isIndexType(type) || route?.kind !== 'manifest') return undefined
  const absent = manifests.find(({ digest }) => storage.manifest(route.repository, digest as Digest) === undefined)
  if (absent === undefined) return undefined
  return errorAnswer(400, 'MANIFEST_BLOB_UNKNOWN', `blob unknown to registry: ${absent.digest}`)
}

function parse(body: Buffer): WrittenManifest {
  try {
    return JSON.parse(body.toString()) as WrittenManifest
  } catch {
    // The registry behind says what is wrong with it.
    return {}
  }
}

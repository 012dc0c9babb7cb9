import { createHash, type Hash } from 'node:crypto'
import { Transform } from 'node:stream'
import { dropBody, emptyAnswer, errorAnswer, headerOf, withHeaders, type EmulatedAnswer } from '../answer.js'
import { HangUp, type Call, type Layer, type Next } from '../call.js'
import { UploadAddresses, type Addresses, type KnownUpload } from './upload-address.js'
import type { RangeForm, UploadSwitches } from './upload-switches.js'

/** What is remembered of an upload. */
interface UploadState {
  received: number
  firstChunk: number
  patches: number
  /** A chunk below the least size was taken as the last one. */
  hasShortChunk: boolean
  isFinished: boolean
  readonly hash: Hash
}

/** Takes uploads in the vendor's way. */
export function createUploadLayer(switches: UploadSwitches, addresses: () => Addresses): Layer {
  const uploads = new UploadLayer(switches, addresses)
  return (call, next) => uploads.answer(call, next)
}

class UploadLayer {
  readonly #switches: UploadSwitches
  readonly #addresses: UploadAddresses
  readonly #states = new Map<string, UploadState>()
  #forgotten = 0

  constructor(switches: UploadSwitches, addresses: () => Addresses) {
    this.#switches = switches
    this.#addresses = new UploadAddresses(switches, addresses)
  }

  async answer(call: Call, next: Next): Promise<EmulatedAnswer> {
    const upload = this.#addresses.open(call)
    if (upload === 'stale')
      return errorAnswer(this.#switches.staleState ?? 404, 'BLOB_UPLOAD_INVALID', 'outdated state')
    if (call.route?.kind === 'uploads' && call.method === 'POST') return this.#post(call, next)
    if (upload === undefined || call.route?.kind !== 'upload') return next(call)
    return this.#continue(call, next, upload)
  }

  async #post(call: Call, next: Next): Promise<EmulatedAnswer> {
    const { singlePost = 201, dropConnection, minChunk, announceMinChunk, chunkMax } = this.#switches
    if (dropConnection === 'POST') throw new HangUp()
    if (call.query.has('digest')) {
      if (singlePost === 415 && call.header('content-type') !== 'application/octet-stream') {
        return errorAnswer(415, 'UNSUPPORTED', 'unsupported media type')
      }
      if (singlePost === 202) {
        call.query.delete('digest')
        call.request.resume()
        call.headers['content-length'] = '0'
        call.body = Buffer.alloc(0)
      }
    }
    const answer = await next(call)
    if (answer.status !== 202) return answer
    const announced = {
      ...(minChunk === undefined || announceMinChunk !== true ? {} : { 'oci-chunk-min-length': String(minChunk) }),
      ...(chunkMax === undefined ? {} : { 'oci-chunk-max-length': String(chunkMax) }),
    }
    return withHeaders(this.#named(answer, 'post', undefined), announced)
  }

  async #continue(call: Call, next: Next, upload: KnownUpload): Promise<EmulatedAnswer> {
    const state = this.#stateOf(upload)
    if (call.method === 'PATCH' || call.method === 'PUT') {
      const refusal = this.#refusalOf(call, state)
      if (refusal !== undefined) return this.#named(refusal, 'refused', state)
    }
    if (call.method === 'PATCH') return this.#patch(call, next, upload)
    const answer = await next(call)
    if (call.method === 'GET') {
      // After a broken connection the registry behind knows best what has arrived.
      const known = /-(\d+)$/.exec(headerOf(answer, 'range') ?? '')?.[1]
      if (known !== undefined && state.received > 0) state.received = Number(known) + 1
      const named = this.#named(answer, 'status', state)
      return this.#switches.statusNoLocation === true ? withHeaders(named, { location: undefined }) : named
    }
    if (answer.status < 300) this.#addresses.forget(upload)
    return answer
  }

  /** Why a chunk is not taken; undefined when it is. */
  #refusalOf(call: Call, state: UploadState): EmulatedAnswer | undefined {
    const { unknownOnce = 0, chunkMax } = this.#switches
    if (this.#forgotten < unknownOnce) {
      this.#forgotten++
      return errorAnswer(404, 'BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry')
    }
    if (state.isFinished) return errorAnswer(404, 'BLOB_UPLOAD_UNKNOWN', 'the upload is finished')
    if (chunkMax !== undefined && (call.bodyLength ?? 0) > chunkMax) {
      return errorAnswer(413, 'SIZE_INVALID', `a request may have ${chunkMax} bytes`)
    }
    return call.method === 'PATCH' ? this.#chunkRefusal(call, state) : undefined
  }

  #chunkRefusal(call: Call, state: UploadState): EmulatedAnswer | undefined {
    const { dropConnection, noChunked, maxChunk, minChunk, contentRangeFormat, streamOnce } = this.#switches
    if (dropConnection === 'PATCH') throw new HangUp()
    const range = call.header('content-range')
    if (range === undefined) {
      if (streamOnce !== true || state.patches === 0) return undefined
      return errorAnswer(400, 'BLOB_UPLOAD_INVALID', 'Stream uploads after first write are not allowed')
    }
    if (noChunked === true) return errorAnswer(400, 'UNSUPPORTED', 'chunked uploads are not supported')
    if (maxChunk !== undefined && (call.bodyLength ?? 0) > maxChunk) {
      return errorAnswer(416, 'REQUESTED_RANGE_NOT_SATISFIABLE', `exceeds the maximum permissible limit of ${maxChunk}`)
    }
    if (minChunk !== undefined && state.hasShortChunk) {
      return errorAnswer(400, 'BLOB_UPLOAD_INVALID', `chunks other than the last have at least ${minChunk} bytes`)
    }
    if (!/^\d+-\d+$/.test(range) && contentRangeFormat !== undefined) {
      return errorAnswer(contentRangeFormat, 'BLOB_UPLOAD_INVALID', 'the Content-Range header format is invalid')
    }
    return this.#placeRefusal(call, range, state)
  }

  #placeRefusal(call: Call, range: string, state: UploadState): EmulatedAnswer | undefined {
    const { outOfOrder = 416 } = this.#switches
    const start = Number(/(\d+)-/.exec(range)?.[1])
    if (start === state.received) return undefined
    if (outOfOrder === 202) {
      delete call.headers['content-range']
      return undefined
    }
    return outOfOrder === 416
      ? errorAnswer(416, 'RANGE_INVALID', 'invalid content range')
      : errorAnswer(400, 'BLOB_UPLOAD_INVALID', 'invalid content range')
  }

  async #patch(call: Call, next: Next, upload: KnownUpload): Promise<EmulatedAnswer> {
    const state = this.#stateOf(upload)
    const before = state.received
    this.#count(call, state)
    const { minChunk = 0, earlyAccept } = this.#switches
    const answer = await next(call)
    if (answer.status !== 202) return answer
    const length = state.received - before
    state.patches++
    if (state.patches === 1) state.firstChunk = length
    state.hasShortChunk = length < minChunk
    if (earlyAccept !== true || !state.hasShortChunk) return this.#named(answer, 'patch', state)
    dropBody(answer)
    state.isFinished = true
    return this.#finish(call, next, { upload, digest: `sha256:${state.hash.copy().digest('hex')}` })
  }

  /** Lets the bytes be counted that pass. */
  #count(call: Call, state: UploadState): void {
    if (Buffer.isBuffer(call.body)) {
      state.hash.update(call.body)
      state.received += call.body.length
      return
    }
    const counter = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        state.hash.update(chunk)
        state.received += chunk.length
        done(null, chunk)
      },
    })
    call.request.on('error', (error) => counter.destroy(error))
    call.body = call.body.pipe(counter)
  }

  /** Ends an upload that nobody has ended, in the way of registries that take the last chunk for the end. */
  async #finish(call: Call, next: Next, end: { upload: KnownUpload; digest: string }): Promise<EmulatedAnswer> {
    dropBody(await next(call.derive('PUT', call.path, { digest: end.digest })))
    const location = `/v2/${end.upload.repository}/blobs/uploads/${end.upload.id}`
    return emptyAnswer(201, { location: this.#addresses.next(location), 'docker-upload-uuid': end.upload.id })
  }

  /** Gives an answer about an upload the vendor's Location and Range. */
  #named(
    answer: EmulatedAnswer,
    kind: 'post' | 'patch' | 'status' | 'refused',
    state: UploadState | undefined,
  ): EmulatedAnswer {
    const location = headerOf(answer, 'location')
    const form = this.#switches.rangeHeader?.[kind] ?? 'honest'
    const range = kind === 'refused' && state === undefined ? undefined : rangeText(form, state)
    const isRefusal = kind === 'refused' && answer.status !== 416
    return withHeaders(answer, {
      ...(location === undefined ? {} : { location: this.#addresses.next(location) }),
      ...(isRefusal ? {} : { range: form === 'honest' && kind !== 'refused' ? headerOf(answer, 'range') : range }),
    })
  }

  #stateOf({ id }: KnownUpload): UploadState {
    const hash = createHash('sha256')
    const fresh = { received: 0, firstChunk: 0, patches: 0, hasShortChunk: false, isFinished: false, hash }
    const state = this.#states.get(id) ?? fresh
    this.#states.set(id, state)
    return state
  }
}

function rangeText(form: RangeForm, state: UploadState | undefined): string | undefined {
  const received = state?.received ?? 0
  const end = Math.max(received - 1, 0)
  switch (form) {
    case 'honest':
      return `0-${end}`
    case 'stuck':
      return `0-${Math.max((state?.firstChunk ?? 0) - 1, 0)}`
    case 'offByOne':
      return `0-${received}`
    case 'bytes':
      return `bytes=0-${end}`
    case 'bytes=0--1':
      return 'bytes=0--1'
    case 'missing':
      return undefined
  }
}

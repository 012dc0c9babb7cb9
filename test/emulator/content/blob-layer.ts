import { Readable } from 'node:stream'
import { emptyAnswer, headerOf, readBody, withHeaders, type EmulatedAnswer } from '../answer.js'
import type { Call, Layer, Next } from '../call.js'
import type { BlobSwitches } from './content-switches.js'
import type { SignedBlobs } from './signed-blobs.js'

/** Hands blobs out in the vendor's way. */
export function createBlobLayer(switches: BlobSwitches, signed: SignedBlobs): Layer {
  const edit = createBlobEdit(switches)
  return async (call, next) => {
    if (call.route?.kind !== 'blob' || !call.isRead) return next(call)
    const { redirect } = switches
    if (redirect === undefined) return edit(call, next)
    const head = await next(call.derive('HEAD', call.path))
    return head.status === 200 ? signed.redirect(call, redirect) : next(call)
  }
}

/** The switches that change the blob itself, wherever it is read. */
export function createBlobEdit({ ranges = 'honest', truncate = 0, corrupt = 0 }: BlobSwitches): Layer {
  const left = { truncate, corrupt }
  return async (call, next) => {
    if (call.route?.kind !== 'blob' || !call.isRead) return next(call)
    const answer = await answerRange(call, next, ranges)
    if (call.method === 'HEAD' || (answer.status !== 200 && answer.status !== 206)) return answer
    if (left.truncate > 0) {
      left.truncate--
      return { ...answer, body: cut(await readBody(answer)) }
    }
    if (left.corrupt > 0) {
      left.corrupt--
      const body = Buffer.from(await readBody(answer))
      body.writeUInt8((body[0] ?? 0) ^ 0xff, 0)
      return { ...answer, body }
    }
    return answer
  }
}

async function answerRange(
  call: Call,
  next: Next,
  ranges: NonNullable<BlobSwitches['ranges']>,
): Promise<EmulatedAnswer> {
  if (ranges === 'none' || ranges === 'ignore') delete call.headers.range
  const answer = await next(call)
  if (ranges === 'none') return withHeaders(answer, { 'accept-ranges': undefined })
  if (ranges === 'wrongContentRange' && answer.status === 206) {
    const size = /\/(\d+)$/.exec(headerOf(answer, 'content-range') ?? '')?.[1] ?? '0'
    return withHeaders(answer, { 'content-range': `bytes 0-${Number(size) - 1}/${size}` })
  }
  if (ranges === 'brokenLength416' && answer.status === 416) {
    const size = /\/(\d+)$/.exec(headerOf(answer, 'content-range') ?? '')?.[1] ?? '0'
    // As long as the blob, without a byte of it.
    return { ...emptyAnswer(416, { 'content-length': size }), body: cut(Buffer.alloc(0)) }
  }
  return answer
}

/** The first half of some bytes, and then a broken connection. */
export function cut(bytes: Buffer): Readable {
  return Readable.from(halfOf(bytes), { objectMode: false })
}

async function* halfOf(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes.subarray(0, Math.ceil(bytes.length / 2))
  // Whatever is on its way has to leave before the connection goes.
  await new Promise((resolve) => setTimeout(resolve, 10))
  throw new Error('cut on purpose')
}

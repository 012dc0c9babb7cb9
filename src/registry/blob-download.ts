import { GantryError, isGantryError } from '../errors.js'
import type { Descriptor } from '../oci/descriptor.js'
import type { FetchOptions } from '../store/store.js'
import { requestBlob, type BlobAnswer } from './blob-answer.js'
import { DownloadProgress } from './download-progress.js'
import { DownloadSplit } from './download-split.js'
import { blobPath } from './endpoints.js'
import { Attempts } from './repetition.js'
import { referenceIn, type RepositoryContext } from './repository-context.js'

/**
 * Reads a blob. A body that breaks off, stalls or ends early is resumed where it stopped, by a range of the registry's
 * own address, since those it redirects to expire. A registry without ranges sends the blob again, and what has been
 * handed on already is skipped. A large blob that arrives slowly is read over several connections. Nothing is ever joined
 * that does not fit, and the digest is left to the sink.
 * @throws GantryError `network-error`, `timeout`; `size-mismatch` for more or fewer bytes than declared
 */
export async function* downloadBlob(
  context: RepositoryContext,
  descriptor: Descriptor,
  options: FetchOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { transport, repetition, name } = context
  const attempts = new Attempts(repetition, transport, { method: 'GET', url: blobPath(name, descriptor.digest) })
  const progress = new DownloadProgress(descriptor, options.offset ?? 0, attempts)
  const split = new DownloadSplit(context, descriptor, options)
  while (!progress.hasAll()) {
    // The transport has done all that can be done to get an answer; only what breaks off afterwards is resumed here.
    const { body, start } = await openAt(context, descriptor, progress, options)
    let failure: GantryError | undefined
    let arrived = start
    try {
      split.begin(progress.position)
      for await (const chunk of body) {
        const from = Math.max(0, progress.position - arrived)
        const to = Math.min(chunk.byteLength, split.boundary - arrived)
        arrived += chunk.byteLength
        if (from >= to) continue
        split.measure(to - from, progress)
        if (!progress.advance(to - from)) throw tooLong(context, descriptor)
        yield from === 0 && to === chunk.byteLength ? chunk : chunk.subarray(from, to)
        split.resume()
        if (progress.position === split.boundary) break
      }
      if (progress.position === split.boundary) {
        for await (const chunk of split.read()) {
          progress.advance(chunk.byteLength)
          yield chunk
        }
        continue
      }
    } catch (error) {
      if (!isGantryError(error, 'network-error', 'timeout')) throw error
      failure = error
    } finally {
      split.end()
    }
    if (progress.hasAll()) return
    await progress.goOn(failure ?? endedEarly(context, descriptor, progress.position), options.signal)
  }
}

async function openAt(
  context: RepositoryContext,
  descriptor: Descriptor,
  progress: DownloadProgress,
  options: FetchOptions,
): Promise<BlobAnswer> {
  if (progress.position > 0 && progress.canUseRanges) {
    const part = await requestBlob(context, descriptor, { start: progress.position }, options)
    if (part !== undefined) return part
    // Once is enough: what has been sent already is skipped in the whole blob.
    progress.canUseRanges = false
  }
  const whole = await requestBlob(context, descriptor, undefined, options)
  progress.opened()
  if (whole !== undefined) return whole
  throw new GantryError(
    'invalid-content',
    `the registry sends ${referenceIn(context, descriptor.digest)} only in parts`,
  )
}

function tooLong(context: RepositoryContext, descriptor: Descriptor): GantryError {
  const what = `blob ${referenceIn(context, descriptor.digest)}`
  return new GantryError('size-mismatch', `${what} is longer than its declared size of ${descriptor.size} bytes`)
}

function endedEarly(context: RepositoryContext, descriptor: Descriptor, position: number): GantryError {
  return new GantryError(
    'size-mismatch',
    `blob ${referenceIn(context, descriptor.digest)} ended early: got ${position} of ${descriptor.size} bytes`,
  )
}

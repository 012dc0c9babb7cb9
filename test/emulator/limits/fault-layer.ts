import { setTimeout as wait } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { errorAnswer, readBody, withBody, withHeaders } from '../answer.js'
import { HangUp, type Layer } from '../call.js'
import type { HttpSwitches } from './limit-switches.js'

/** Lets requests fail, and answers be late, large or encoded. */
export function createFaultLayer(switches: HttpSwitches): Layer {
  const failures = new Map<string, number>()
  let resets = switches.reset ?? 0
  return async (call, next) => {
    const { flaky, slow = 0, hugeHeaders } = switches
    if (resets > 0) {
      resets--
      throw new HangUp()
    }
    await wait(slow)
    // Each upload has a path of its own, and all of them are one place.
    const key = `${call.method} ${call.path.replace(/uploads\/[^/]+$/, 'uploads/')}`
    const failed = failures.get(key) ?? 0
    if (flaky !== undefined && failed < flaky.times) {
      failures.set(key, failed + 1)
      return errorAnswer(flaky.status, 'UNKNOWN', 'temporary failure')
    }
    const answer = await next(call)
    return hugeHeaders === undefined ? answer : withHeaders(answer, { 'x-padding': 'x'.repeat(hugeHeaders) })
  }
}

/** Compresses what was asked for as it is, and leaves the length of what it was on HEAD. */
export function createEncodingLayer({ contentEncoding }: HttpSwitches): Layer {
  return async (call, next) => {
    const answer = await next(call)
    const isMeant = contentEncoding === 'blobs' ? call.route?.kind === 'blob' : call.route?.kind === 'manifest'
    if (!isMeant || !call.isRead || answer.status !== 200) return answer
    const encoded = withHeaders(answer, { 'content-encoding': 'gzip' })
    return call.method === 'HEAD' ? encoded : withBody(encoded, gzipSync(await readBody(answer)))
  }
}

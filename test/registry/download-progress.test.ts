import { describe, expect, test } from 'vitest'
import { GantryError } from '../../src/errors.js'
import { digestOf } from '../../src/oci/digest.js'
import { DownloadProgress } from '../../src/registry/download-progress.js'
import { Attempts } from '../../src/registry/repetition.js'

const MIB = 1024 * 1024
const failure = new GantryError('network-error', 'connection reset')

/** How many failures a download survives that breaks off each time after so many bytes, or that it arrives. */
async function failuresSurvived(size: number, bytesEachTime: number, attempts = 5): Promise<number | 'arrives'> {
  const descriptor = { mediaType: 'application/octet-stream', digest: digestOf(Buffer.from('x')), size }
  const transport = { registry: 'r', origin: 'http://r', request: () => expect.unreachable() }
  const repetition = { attempts, backoff: { random: () => 0 } }
  const progress = new DownloadProgress(descriptor, 0, new Attempts(repetition, transport, { method: 'GET', url: '/' }))
  progress.opened()
  for (let failures = 0; ; failures++) {
    progress.advance(bytesEachTime)
    if (progress.hasAll()) return 'arrives'
    try {
      await progress.goOn(failure, undefined)
    } catch (error) {
      const tries = attempts === 1 ? '' : ` (${attempts} attempts)`
      expect(error).toMatchObject({ code: failure.code, message: `${failure.message}${tries}` })
      return failures
    }
  }
}

describe('a download that breaks off again and again', () => {
  test.each([
    ['a tenth of a blob each time', 4 * MIB, 0.4 * MIB, 'arrives'],
    ['a tenth of a small blob each time', 10_000, 1_000, 'arrives'],
    ['a mebibyte each time', 100 * MIB, MIB, 'arrives'],
    ['a mebibyte in three times', 100 * MIB, MIB / 2.9, 'arrives'],
    ['nothing', 4 * MIB, 0, 4],
    ['a byte each time', 4 * MIB, 1, 4],
    ['too little in five times', 100 * MIB, MIB / 6, 4],
  ])('%s', async (_what, size, bytesEachTime, outcome) => {
    expect(await failuresSurvived(size, bytesEachTime)).toBe(outcome)
  })

  test.each([
    [1, 0],
    [2, 1],
    [9, 8],
  ])('is tried %i times without getting ahead', async (attempts, survived) => {
    expect(await failuresSurvived(4 * MIB, 0, attempts)).toBe(survived)
  })

  test('is tried once where that is all, however much has arrived', async () => {
    expect(await failuresSurvived(100 * MIB, 10 * MIB, 1)).toBe(0)
  })
})

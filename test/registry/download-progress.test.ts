import { describe, expect, test } from 'vitest'
import { GantryError } from '../../src/errors.js'
import { digestOf } from '../../src/oci/digest.js'
import { DownloadProgress } from '../../src/registry/download-progress.js'

const MIB = 1024 * 1024
const failure = new GantryError('network-error', 'connection reset')

/** How many failures a download survives that breaks off each time after so many bytes, or that it arrives. */
function failuresSurvived(size: number, bytesEachTime: number): number | 'arrives' {
  const descriptor = { mediaType: 'application/octet-stream', digest: digestOf(Buffer.from('x')), size }
  const progress = new DownloadProgress(descriptor, 0, { random: () => 0 })
  progress.opened()
  for (let failures = 0; ; failures++) {
    progress.advance(bytesEachTime)
    if (progress.hasAll()) return 'arrives'
    try {
      progress.nextDelay(failure)
    } catch (error) {
      expect(error).toBe(failure)
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
  ])('%s', (_what, size, bytesEachTime, outcome) => {
    expect(failuresSurvived(size, bytesEachTime)).toBe(outcome)
  })
})

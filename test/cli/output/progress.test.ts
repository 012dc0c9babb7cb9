import { describe, expect, test } from 'vitest'
import { formatBytes, formatTime } from '../../../src/cli/output/format-amount.js'
import { formatRow } from '../../../src/cli/output/progress-row.js'
import { TransferMeter } from '../../../src/cli/output/transfer-meter.js'
import { descriptorOf } from '../../../src/oci/descriptor.js'

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1536, '1.50 KB'],
  [12 * 1024 * 1024, '12.0 MB'],
  [345 * 1024 * 1024, '345 MB'],
  [5 * 1024 ** 4, '5.00 TB'],
  [5 * 1024 ** 5, '5120 TB'],
])('%d bytes are %s', (bytes, expected) => {
  expect(formatBytes(bytes)).toBe(expected)
})

test.each([
  [0.4, '0s'],
  [42, '42s'],
  [185, '3m05s'],
  [3725, '1h02m'],
])('%d seconds are %s', (seconds, expected) => {
  expect(formatTime(seconds)).toBe(expected)
})

describe('a row', () => {
  const parts = { word: 'Uploading', name: 'app.tar', done: 50, size: 200, rate: 10 }
  test('says how much, how fast and how long', () => {
    expect(formatRow(parts, 80)).toBe(
      'Uploading app.tar           [#####...............]  50 B/200 B  25%  10 B/s  15s',
    )
  })
  test.each([20, 40, 60, 100])('is never wider than %d', (width) => {
    const row = formatRow({ ...parts, name: 'a-long-name'.repeat(20) }, width)
    expect(row.length).toBeLessThanOrEqual(Math.max(width, 61))
  })
  test('of nothing is full', () => {
    expect(formatRow({ ...parts, done: 0, size: 0 }, 80)).toContain('[####################]  0 B/0 B  100%')
  })
})

test('the meter counts what moves, what has moved and what was planned', () => {
  let now = 0
  const meter = new TransferMeter(() => now)
  const [a, b] = [descriptorOf('a/b', Buffer.alloc(100)), descriptorOf('a/b', Buffer.alloc(50))]
  meter.record({ type: 'planned', nodes: 2, bytes: 150 })
  meter.record({ type: 'started', descriptor: a })
  meter.record({ type: 'started', descriptor: b })
  now = 1000
  meter.record({ type: 'progress', descriptor: a, offset: 40 })
  meter.record({ type: 'finished', descriptor: b })
  expect(meter.running()).toEqual([{ descriptor: a, offset: 40, rate: 40 }])
  expect(meter.total()).toEqual({ bytes: 90, plannedBytes: 150, rate: 90 })
  meter.record({ type: 'failed', descriptor: a, error: undefined })
  expect(meter.running()).toEqual([])
})

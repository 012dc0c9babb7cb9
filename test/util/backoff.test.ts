import { expect, test } from 'vitest'
import { backoffDelay } from '../../src/util/backoff.js'

const almostOne = (): number => 1 - Number.EPSILON

test.each([
  [1, 299],
  [2, 599],
  [3, 1199],
  [6, 9599],
  [7, 14_999],
  [40, 14_999],
  [5000, 14_999],
])('after %i failures the wait is at most %i ms', (failures, longest) => {
  expect(backoffDelay(failures, { random: almostOne })).toBe(longest)
  expect(backoffDelay(failures, { random: () => 0 })).toBe(0)
})

test('base and cap are the caller’s', () => {
  expect(backoffDelay(1, { base: 10, cap: 15, random: () => 0.5 })).toBe(5)
  expect(backoffDelay(2, { base: 10, cap: 15, random: () => 0.5 })).toBe(7)
})

test('waits differ by default', () => {
  const waits = new Set(Array.from({ length: 50 }, () => backoffDelay(5)))
  expect(waits.size).toBeGreaterThan(10)
})

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { TransferSpeed } from '../../src/graph/transfer-speed.js'

const MIB = 1024 * 1024

let now = 0
/** The part of the time that the process works. */
let utilization = 0
beforeEach(() => {
  now = 1000
  utilization = 0.5
  vi.spyOn(performance, 'eventLoopUtilization').mockImplementation(() => ({ idle: 0, active: 0, utilization }))
  vi.spyOn(performance, 'now').mockImplementation(() => now)
})
afterEach(() => {
  vi.restoreAllMocks()
})

/** Moves a mebibyte at a time. */
function move(speed: TransferSpeed, { count, milliseconds }: { count: number; milliseconds: number }): void {
  const follow = speed.follow()
  for (let offset = 0; offset <= count; offset++) {
    follow(offset * MIB)
    now += milliseconds
  }
}

describe('large transfers', () => {
  test('that need time are slow, which is said once', () => {
    const speed = new TransferSpeed()
    const onSlow = vi.fn()
    speed.watch(onSlow)
    expect(speed.isSlow).toBe(false)
    move(speed, { count: 100, milliseconds: 4 })
    expect(speed.isSlow).toBe(true)
    move(speed, { count: 100, milliseconds: 4 })
    expect(onSlow).toHaveBeenCalledOnce()
  })

  test('that are as fast as the machine are not', () => {
    const speed = new TransferSpeed()
    move(speed, { count: 200, milliseconds: 1.5 })
    expect(speed.isSlow).toBe(false)
  })

  test('that keep the process busy would be no faster if they were more', () => {
    const speed = new TransferSpeed()
    utilization = 0.95
    move(speed, { count: 100, milliseconds: 10 })
    expect(speed.isSlow).toBe(false)
    utilization = 0.6
    move(speed, { count: 20, milliseconds: 10 })
    expect(speed.isSlow).toBe(true)
  })

  test('are measured together', () => {
    const speed = new TransferSpeed()
    const [first, second] = [speed.follow(), speed.follow()]
    for (let offset = 0; offset < 100; offset++) {
      first(offset * MIB)
      second(offset * MIB)
      now += 3
    }
    expect(speed.isSlow).toBe(false)
  })

  test('that become slow on the way are noticed', () => {
    const speed = new TransferSpeed()
    move(speed, { count: 200, milliseconds: 1 })
    expect(speed.isSlow).toBe(false)
    move(speed, { count: 50, milliseconds: 20 })
    expect(speed.isSlow).toBe(true)
  })

  test('are not judged by a few bytes', () => {
    const speed = new TransferSpeed()
    move(speed, { count: 3, milliseconds: 1000 })
    expect(speed.isSlow).toBe(false)
  })

  test('that begin again further back count from there', () => {
    const speed = new TransferSpeed()
    const follow = speed.follow()
    follow(100 * MIB)
    now += 100
    // Less than a sample since then.
    follow(0)
    follow(3 * MIB)
    expect(speed.isSlow).toBe(false)
    follow(5 * MIB)
    expect(speed.isSlow).toBe(true)
  })
})

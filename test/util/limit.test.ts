import { describe, expect, test } from 'vitest'
import { Limit, mapConcurrently } from '../../src/util/limit.js'

function deferred(): { promise: Promise<void>; resolve: () => void; reject: (error: Error) => void } {
  let resolve = (): void => {}
  let reject: (error: Error) => void = () => {}
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}

async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}

describe('a limit', () => {
  test('runs as many tasks as allowed, and the others in their order', async () => {
    const limit = new Limit(2)
    const gates = [deferred(), deferred(), deferred(), deferred()]
    const started: number[] = []
    const tasks = gates.map((gate, index) =>
      limit.run(async () => {
        started.push(index)
        await gate.promise
        return index
      }),
    )
    await settled()
    expect(started).toEqual([0, 1])
    gates[1]!.resolve()
    await settled()
    expect(started).toEqual([0, 1, 2])
    gates[0]!.resolve()
    gates[2]!.resolve()
    gates[3]!.resolve()
    expect(await Promise.all(tasks)).toEqual([0, 1, 2, 3])
  })

  test('goes on after a task that failed', async () => {
    const limit = new Limit(1)
    await expect(limit.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(await limit.run(async () => 'yes')).toBe('yes')
  })

  test('lets a waiting task be aborted without losing its place for others', async () => {
    const limit = new Limit(1)
    const gate = deferred()
    const first = limit.run(() => gate.promise)
    const controller = new AbortController()
    const second = limit.run(async () => 'second', controller.signal)
    const third = limit.run(async () => 'third')
    controller.abort()
    await expect(second).rejects.toMatchObject({ code: 'aborted' })
    gate.resolve()
    await first
    expect(await third).toBe('third')
    expect(await limit.run(async () => 'fourth')).toBe('fourth')
  })

  test.each([0, -1, 0.5])('of %s lets one task run', async (concurrency) => {
    expect(await new Limit(concurrency).run(async () => 'done')).toBe('done')
  })
})

describe('mapConcurrently', () => {
  test('keeps the order of the items', async () => {
    const results = await mapConcurrently(
      [30, 10, 20],
      async (milliseconds, index) => {
        await new Promise((resolve) => setTimeout(resolve, milliseconds))
        return `${index}:${milliseconds}`
      },
      { concurrency: 3 },
    )
    expect(results).toEqual(['0:30', '1:10', '2:20'])
  })

  test('starts nothing after a failure, and rejects only when nothing runs', async () => {
    const slow = deferred()
    const started: number[] = []
    let hasEnded = false
    const run = mapConcurrently(
      [0, 1, 2, 3],
      async (item) => {
        started.push(item)
        if (item === 0) throw new Error('first')
        await slow.promise
      },
      { concurrency: 2 },
    ).catch((error: unknown) => {
      hasEnded = true
      throw error
    })
    const failure = expect(run).rejects.toThrow('first')
    await settled()
    expect(started).toEqual([0, 1])
    expect(hasEnded).toBe(false)
    slow.resolve()
    await failure
    expect(started).toEqual([0, 1])
  })

  test('stops at an abort', async () => {
    const controller = new AbortController()
    const started: number[] = []
    const run = mapConcurrently(
      [0, 1, 2],
      async (item) => {
        started.push(item)
        controller.abort()
      },
      { concurrency: 1, signal: controller.signal },
    )
    await expect(run).rejects.toMatchObject({ code: 'aborted' })
    expect(started).toEqual([0])
  })

  test('of nothing is nothing', async () => {
    expect(await mapConcurrently([], () => Promise.reject(new Error('unused')), { concurrency: 4 })).toEqual([])
  })
})

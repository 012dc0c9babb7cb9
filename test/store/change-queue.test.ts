import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { ChangeQueue } from '../../src/store/change-queue.js'
import { acquireFileLock } from '../../src/util/file-lock.js'
import { temporaryFolder } from '../util/temporary-folder.js'

type Outcomes = readonly PromiseSettledResult<void>[]

const made: PromiseSettledResult<void> = { status: 'fulfilled', value: undefined }

function createQueue(make: (changes: readonly string[]) => Outcomes | Promise<Outcomes>): {
  queue: ChangeQueue<string>
  batches: string[][]
  lock: string
} {
  const lock = join(temporaryFolder(), 'lock')
  const batches: string[][] = []
  const queue = new ChangeQueue<string>(lock, async (changes) => {
    expect(existsSync(lock)).toBe(true)
    batches.push([...changes])
    return make(changes)
  })
  return { queue, batches, lock }
}

test('changes that wait together are made together, and the lock is free when they are told', async () => {
  const { queue, batches, lock } = createQueue((changes) => changes.map(() => made))
  const release = await acquireFileLock(lock)
  const adding = ['a', 'b', 'c'].map((change) => queue.add(change))
  await sleep(10)
  await release()
  await Promise.race(adding)
  expect(existsSync(lock)).toBe(false)
  await Promise.all(adding)
  await queue.add('d')
  expect(batches).toEqual([['a', 'b', 'c'], ['d']])
})

test('each change is told how it ended', async () => {
  const { queue } = createQueue((changes) =>
    changes.map((change) => (change === 'bad' ? { status: 'rejected', reason: new Error('no good') } : made)),
  )
  const results = await Promise.allSettled(['a', 'bad', 'c'].map((change) => queue.add(change)))
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
})

test('a failure of all is told to all, and the queue goes on', async () => {
  let isBroken = true
  const { queue } = createQueue((changes) => {
    if (isBroken) throw new Error('disk full')
    return changes.map(() => made)
  })
  const results = await Promise.allSettled(['a', 'b'].map((change) => queue.add(change)))
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  isBroken = false
  await queue.add('c')
})

test('a change that is given up while it waits is not made, and takes no other along', async () => {
  const { queue, batches, lock } = createQueue((changes) => changes.map(() => made))
  const release = await acquireFileLock(lock)
  const controller = new AbortController()
  const givenUp = queue.add('a', controller.signal)
  await sleep(10)
  controller.abort()
  const other = queue.add('b')
  await expect(givenUp).rejects.toMatchObject({ code: 'aborted' })
  await release()
  await other
  expect(batches).toEqual([['b']])
})

test('the wait for the lock ends with the last change that waits', async () => {
  const { queue, batches, lock } = createQueue((changes) => changes.map(() => made))
  const release = await acquireFileLock(lock)
  const controller = new AbortController()
  const all = ['a', 'b'].map((change) => queue.add(change, controller.signal))
  await sleep(10)
  controller.abort()
  for (const one of all) await expect(one).rejects.toMatchObject({ code: 'aborted' })
  await release()
  await sleep(150)
  expect(batches).toEqual([])
  await expect(queue.add('c', controller.signal)).rejects.toMatchObject({ code: 'aborted' })
})

test('a change that is being made is not given up any more', async () => {
  const controller = new AbortController()
  const { queue, batches } = createQueue(async (changes) => {
    controller.abort()
    await sleep(5)
    return changes.map(() => made)
  })
  await queue.add('a', controller.signal)
  expect(batches).toEqual([['a']])
})

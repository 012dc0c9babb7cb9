import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { readBodyStart } from '../../../src/registry/http/body-start.js'

const LIMIT = 64 * 1024

/** A body that hands out chunks when asked, as many as there are, and ends only where it is told to. */
function bodyOf(
  chunks: Iterable<string>,
  { ends }: { readonly ends: boolean },
): Readable & { readonly taken: () => number } {
  const iterator = chunks[Symbol.iterator]()
  let taken = 0
  const body = new Readable({
    read() {
      const next = iterator.next()
      if (next.done !== true) {
        taken++
        this.push(Buffer.from(next.value))
      } else if (ends) this.push(null)
    },
  })
  return Object.assign(body, { taken: () => taken })
}

function* forever(): Generator<string> {
  for (;;) yield 'x'.repeat(1000)
}

describe('the start of a body', () => {
  beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
  afterEach(() => vi.useRealTimers())

  test('is all of a small one', async () => {
    const body = bodyOf(['some', 'thing'], { ends: true })
    expect(Buffer.from(await readBodyStart(body)).toString()).toBe('something')
    expect(vi.getTimerCount()).toBe(0)
  })

  test('is 64 KiB of an endless one, which is closed at once', async () => {
    const body = bodyOf(forever(), { ends: false })
    expect((await readBodyStart(body)).byteLength).toBe(LIMIT)
    expect(body.destroyed).toBe(true)
    expect(body.taken()).toBeLessThan(150)
    expect(vi.getTimerCount()).toBe(0)
  })

  test.each([
    ['says something and stays open', ['denied'], 'denied'],
    ['says nothing and stays open', [], ''],
  ])('is what has arrived after two seconds of one that %s', async (_what, chunks, expected) => {
    const body = bodyOf(chunks, { ends: false })
    const reading = readBodyStart(body)
    await vi.advanceTimersByTimeAsync(1_999)
    expect(body.destroyed).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(Buffer.from(await reading).toString()).toBe(expected)
    expect(body.destroyed).toBe(true)
  })

  test('is what came before it broke', async () => {
    const body = bodyOf(['some', 'thing'], { ends: false })
    const reading = readBodyStart(body)
    setImmediate(() => setImmediate(() => body.destroy(new Error('reset'))))
    expect(Buffer.from(await reading).toString()).toBe('something')
  })
})

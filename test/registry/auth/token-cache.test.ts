import { describe, expect, test, vi } from 'vitest'
import { ScopeSet } from '../../../src/registry/auth/scope-set.js'
import { TokenCache } from '../../../src/registry/auth/token-cache.js'
import type { Token } from '../../../src/registry/auth/token-response.js'

const PULL = ScopeSet.parse('repository:a:pull')
const PUSH = ScopeSet.parse('repository:a:pull,push')

function createCache() {
  let now = 0
  let count = 0
  const cache = new TokenCache(() => now)
  const request = vi.fn(async (): Promise<Token> => ({ value: `t${++count}`, usableFor: 48_000 }))
  return { cache, request, advance: (milliseconds: number) => (now += milliseconds) }
}

describe('TokenCache', () => {
  test('all who want the same token at once share one request', async () => {
    const { cache, request } = createCache()
    const tokens = await Promise.all(Array.from({ length: 20 }, () => cache.get(0, PULL, request)))
    expect(new Set(tokens.map(({ value }) => value))).toEqual(new Set(['t1']))
    expect(request).toHaveBeenCalledTimes(1)
  })

  test('a token is used until it is to be renewed', async () => {
    const { cache, request, advance } = createCache()
    await cache.get(0, PULL, request)
    advance(47_999)
    expect((await cache.get(0, PULL, request)).value).toBe('t1')
    advance(1)
    expect((await cache.get(0, PULL, request)).value).toBe('t2')
  })

  test('a token that allows more serves for less, and not the other way round', async () => {
    const { cache, request } = createCache()
    await cache.get(0, PUSH, request)
    expect((await cache.get(0, PULL, request)).value).toBe('t1')
    const other = createCache()
    await other.cache.get(0, PULL, other.request)
    expect((await other.cache.get(0, PUSH, other.request)).value).toBe('t2')
  })

  test('a token of one credential is never given to another', async () => {
    const { cache, request } = createCache()
    await cache.get(0, PULL, request)
    expect((await cache.get(1, PULL, request)).value).toBe('t2')
  })

  test('not even when both ask at once', async () => {
    const { cache, request } = createCache()
    const tokens = await Promise.all([0, 1].map(async (holder) => cache.get(holder, PULL, request)))
    expect(tokens.map(({ value }) => value)).toEqual(['t1', 't2'])
  })

  test('a dropped token is not used again', async () => {
    const { cache, request } = createCache()
    cache.drop(await cache.get(0, PULL, request))
    expect((await cache.get(0, PULL, request)).value).toBe('t2')
  })

  test('a failure is not remembered', async () => {
    const { cache, request } = createCache()
    await expect(cache.get(0, PULL, async () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect((await cache.get(0, PULL, request)).value).toBe('t1')
  })
})

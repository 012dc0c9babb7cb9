import { describe, expect, test } from 'vitest'
import { Registry } from '../../src/registry/registry.js'
import { answers, listOf, startTestRegistry } from './test-registry.js'

describe('ping', () => {
  test('is content with 200', async () => {
    const { transport, ledger } = await startTestRegistry({ 'GET /v2/': answers(200, {}, 'true') })
    await new Registry(transport).ping()
    expect(ledger.map(({ url }) => url)).toEqual(['/v2/'])
  })

  test.each([
    [401, 'unauthorized'],
    [403, 'denied'],
    [404, 'unsupported'],
    [500, 'registry-error'],
  ])('throws for %i', async (status, code) => {
    const { transport } = await startTestRegistry({ 'GET /v2/': answers(status) })
    await expect(new Registry(transport).ping()).rejects.toMatchObject({ code, response: { status } })
  })
})

describe('catalog', () => {
  test('lists repositories page by page', async () => {
    const { transport } = await startTestRegistry({
      'GET /v2/_catalog?n=1000': answers(
        200,
        { link: '</v2/_catalog?last=b>; rel="next"' },
        { repositories: ['a', 'b'] },
      ),
      'GET /v2/_catalog?last=b': answers(200, {}, { repositories: ['c/d'] }),
    })
    expect(await listOf(new Registry(transport).catalog())).toEqual(['a', 'b', 'c/d'])
  })

  test('goes on after a name, in the wanted page size', async () => {
    const { transport, requests } = await startTestRegistry({
      'GET /v2/_catalog': answers(200, {}, { repositories: null }),
    })
    expect(await listOf(new Registry(transport).catalog({ last: 'a/b', pageSize: 3 }))).toEqual([])
    expect(requests()).toEqual(['GET /v2/_catalog?n=3&last=a%2Fb'])
  })

  test('leaves names out that are none, and reports them', async () => {
    const { transport } = await startTestRegistry({
      'GET /v2/_catalog': answers(200, {}, { repositories: ['a', '../b', ''] }),
    })
    const invalid: string[] = []
    const names = new Registry(transport).catalog({ onInvalid: (name) => invalid.push(name) })
    expect(await listOf(names)).toEqual(['a'])
    expect(invalid).toEqual(['../b', ''])
  })

  test('lists up to a limit', async () => {
    const { transport } = await startTestRegistry({
      'GET /v2/_catalog': answers(200, {}, { repositories: ['a', 'b'] }),
    })
    await expect(listOf(new Registry(transport).catalog({ maxListLength: 1 }))).rejects.toMatchObject({
      code: 'limit-exceeded',
      message: expect.stringContaining('are more than 1'),
    })
  })

  test.each([
    [404, 'unsupported'],
    [405, 'unsupported'],
    [401, 'unauthorized'],
    [403, 'denied'],
  ])('throws for %i', async (status, code) => {
    const { transport } = await startTestRegistry({ 'GET /v2/_catalog': answers(status) })
    await expect(listOf(new Registry(transport).catalog())).rejects.toMatchObject({ code })
  })
})

test('a repository needs a name', async () => {
  const { transport, host } = await startTestRegistry({})
  const registry = new Registry(transport)
  expect(registry.host).toBe(host)
  expect(registry.repository('a/b')).toMatchObject({ name: 'a/b', registry: host })
  expect(() => registry.repository('A')).toThrow('invalid repository "A"')
})

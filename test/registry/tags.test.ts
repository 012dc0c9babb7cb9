import { describe, expect, test } from 'vitest'
import type { TransportEvent } from '../../src/registry/http/transport-event.js'
import { answers, listOf, NAME, startTestRegistry } from './test-registry.js'

const PATH = `/v2/${NAME}/tags/list`

function page(tags: unknown, link?: string): ReturnType<typeof answers> {
  return answers(200, link === undefined ? {} : { link }, { name: NAME, tags, child: [], manifest: {} })
}

describe('tags', () => {
  test('are listed page by page', async () => {
    const registry = await startTestRegistry({
      [`GET ${PATH}?n=1000`]: page(['a', 'b'], `<${PATH}?n=1000&last=b>; rel="next"`),
      [`GET ${PATH}?n=1000&last=b`]: page(['c']),
    })
    expect(await listOf(registry.repository().tags())).toEqual(['a', 'b', 'c'])
    expect(registry.requests()).toHaveLength(2)
  })

  test('are asked for only as far as they are wanted', async () => {
    const registry = await startTestRegistry({ [`GET ${PATH}`]: page(['a', 'b'], `<${PATH}?last=b>; rel="next"`) })
    for await (const tag of registry.repository().tags()) {
      expect(tag).toBe('a')
      break
    }
    expect(registry.requests()).toHaveLength(1)
  })

  test.each([[null], [undefined], [[]]])('can be %j', async (tags) => {
    const registry = await startTestRegistry({ [`GET ${PATH}`]: page(tags) })
    expect(await listOf(registry.repository().tags())).toEqual([])
  })

  test('are asked for in the wanted page size, after the wanted tag', async () => {
    const registry = await startTestRegistry({ [`GET ${PATH}?n=2&last=a`]: page(['b']) })
    expect(await listOf(registry.repository({ pageSize: 2 }).tags({ last: 'a' }))).toEqual(['b'])
  })

  test.each([400, 405])('are asked for without a size after %i', async (status) => {
    const registry = await startTestRegistry({
      [`GET ${PATH}?n=1000`]: answers(status, {}, { errors: [{ code: 'UNSUPPORTED' }] }),
      [`GET ${PATH}`]: page(['a']),
    })
    expect(await listOf(registry.repository().tags())).toEqual(['a'])
  })

  test('after one are picked here where the registry does not know how', async () => {
    const registry = await startTestRegistry({ [`GET ${PATH}`]: page(['c', 'b', 'a']) })
    expect(await listOf(registry.repository().tags({ last: 'b' }))).toEqual(['c'])
  })

  test.each<[unknown, string]>([
    ['../x', '../x'],
    ['a/b', 'a/b'],
    ['', ''],
    [`sha256:${'a'.repeat(64)}`, `sha256:${'a'.repeat(64)}`],
    ['\u001b[2J', '\\u{1b}[2J'],
    [5, '5'],
    [null, 'null'],
  ])('leave %j out and report it', async (tag, shown) => {
    const events: TransportEvent[] = []
    const registry = await startTestRegistry(
      { [`GET ${PATH}`]: page(['a', tag, 'b']) },
      { transport: { onEvent: (event) => events.push(event), trace: false } },
    )
    expect(await listOf(registry.repository().tags())).toEqual(['a', 'b'])
    const what = `tags of ${registry.host}/${NAME}`
    expect(events).toEqual([
      { type: 'warning', message: `left out of the ${what}, as they are no valid names: "${shown}"` },
    ])
    const invalid: string[] = []
    await listOf(registry.repository().tags({ onInvalid: (name) => invalid.push(name) }))
    expect(invalid).toEqual([shown])
    expect(events).toHaveLength(1)
  })

  test('are listed up to a limit that can be raised, and more are an error', async () => {
    const registry = await startTestRegistry({ [`GET ${PATH}`]: page(['a', 'b', 'c']) })
    const listed: string[] = []
    const list = async (maxListLength: number): Promise<void> => {
      for await (const tag of registry.repository().tags({ maxListLength })) listed.push(tag)
    }
    await expect(list(2)).rejects.toMatchObject({ code: 'limit-exceeded', details: { reason: 'list-length' } })
    expect(listed.splice(0)).toEqual(['a', 'b'])
    await list(3)
    expect(listed).toEqual(['a', 'b', 'c'])
  })

  test('of a missing repository are not found', async () => {
    const registry = await startTestRegistry({})
    await expect(listOf(registry.repository().tags())).rejects.toMatchObject({ code: 'not-found' })
  })

  test('are read again when the body breaks off', async () => {
    const registry = await startTestRegistry({
      [`GET ${PATH}`]: [
        ({ response }) => {
          response.writeHead(200, { 'content-length': 1000 })
          response.write('{"tags":[')
          setTimeout(() => response.destroy(), 20)
        },
        page(['a']),
      ],
    })
    expect(await listOf(registry.repository().tags())).toEqual(['a'])
  })

  test('that never end are not read for ever', async () => {
    const registry = await startTestRegistry({
      [`GET ${PATH}`]: ({ response }) => {
        response.writeHead(200)
        const write = (): void => {
          while (!response.destroyed && response.write(Buffer.alloc(256 * 1024, ' ')));
          if (!response.destroyed) response.once('drain', write)
        }
        write()
      },
    })
    await expect(listOf(registry.repository().tags())).rejects.toMatchObject({ code: 'limit-exceeded' })
  })
})

describe('a next page', () => {
  test.each([
    ['on another port', '<http://127.0.0.1:9/x>; rel="next"'],
    ['on another host', '<//evil.example/x>; rel="next"'],
    ['behind backslashes', '</\\evil.example/x>; rel="next"'],
    ['of another scheme', '<file:///etc/passwd>; rel="next"'],
  ])('%s is refused', async (_, link) => {
    const registry = await startTestRegistry({ [`GET ${PATH}`]: page(['a'], link) })
    await expect(listOf(registry.repository().tags())).rejects.toMatchObject({ code: 'untrusted-destination' })
    expect(registry.requests()).toHaveLength(1)
  })

  test('that is the page itself is refused', async () => {
    const link = `<${PATH}?n=1&last=a>; rel="next"`
    const registry = await startTestRegistry({ [`GET ${PATH}`]: page(['a'], link) })
    await expect(listOf(registry.repository().tags())).rejects.toThrow('the registry repeated a page')
    expect(registry.requests()).toHaveLength(2)
  })

  test('in a circle is refused', async () => {
    const registry = await startTestRegistry({
      [`GET ${PATH}?n=1000`]: page(['a'], `<${PATH}?x=1>; rel="next"`),
      [`GET ${PATH}?x=1`]: page(['b'], `<${PATH}?x=2>; rel="next"`),
      [`GET ${PATH}?x=2`]: page(['c'], `<${PATH}?x=1>; rel="next"`),
    })
    await expect(listOf(registry.repository().tags())).rejects.toThrow('the registry repeated a page')
    expect(registry.requests()).toHaveLength(3)
  })

  test('may be empty a few times', async () => {
    let count = 0
    const registry = await startTestRegistry(({ answer }) =>
      answer(200, { link: `<${PATH}?x=${++count}>; rel="next"` }, { tags: [] }),
    )
    await expect(listOf(registry.repository().tags())).rejects.toThrow('go on with empty pages')
    expect(count).toBe(4)
  })

  test('is found behind a wrong path prefix', async () => {
    const registry = await startTestRegistry({})
    registry.use(({ request, answer }) => {
      const link = `<${registry.url}/wrong${PATH}?last=a>; rel="next"`
      if (request.url === `${PATH}?n=1000`) answer(200, { link }, { tags: ['a'] })
      else if (request.url === `${PATH}?last=a`) answer(200, {}, { tags: ['b'] })
      else answer(400)
    })
    expect(await listOf(registry.repository().tags())).toEqual(['a', 'b'])
  })

  test('with a malformed link is an error, after what was there', async () => {
    const registry = await startTestRegistry({ [`GET ${PATH}`]: page(['a'], 'nonsense') })
    const listed: string[] = []
    const list = async (): Promise<void> => {
      for await (const tag of registry.repository().tags()) listed.push(tag)
    }
    await expect(list()).rejects.toThrow('malformed Link header')
    expect(listed).toEqual(['a'])
  })

  test('is found in the second of two Link headers', async () => {
    const registry = await startTestRegistry({
      [`GET ${PATH}?n=1000`]: ({ response }) => {
        response.writeHead(200, { link: [`<${PATH}>; rel="first"`, `<${PATH}?last=a>; rel="next"`] })
        response.end(JSON.stringify({ tags: ['a'] }))
      },
      [`GET ${PATH}?last=a`]: page(['b']),
    })
    expect(await listOf(registry.repository().tags())).toEqual(['a', 'b'])
  })

  test('is found without brackets', async () => {
    const registry = await startTestRegistry({
      [`GET ${PATH}?n=1000`]: page(['a'], `${PATH}?n=1&last=a; rel="next"`),
      [`GET ${PATH}?n=1&last=a`]: page(['b']),
    })
    expect(await listOf(registry.repository().tags())).toEqual(['a', 'b'])
  })

  test('behind "prev" is none', async () => {
    const registry = await startTestRegistry({ [`GET ${PATH}`]: page(['a'], `<${PATH}>; rel="prev"`) })
    expect(await listOf(registry.repository().tags())).toEqual(['a'])
  })
})

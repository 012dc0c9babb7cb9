import { describe, expect, test } from 'vitest'
import { GantryError } from '../../src/errors.js'
import { descriptorOf, type Descriptor } from '../../src/oci/descriptor.js'
import { MediaType } from '../../src/oci/media-types.js'
import { nodeKeyOf, orderOf, readGraph, type NextNodes } from '../../src/graph/read-graph.js'
import { runGraph } from '../../src/graph/run-graph.js'

const encoder = new TextEncoder()

function node(name: string, mediaType: string = MediaType.imageManifest): Descriptor {
  return descriptorOf(mediaType, encoder.encode(name))
}

/** A graph written as `a: b c` lines: a needs b and c. */
function nextOf(edges: Readonly<Record<string, string>>, asked: string[] = []): NextNodes {
  const byDigest = new Map(Object.keys(edges).map((name) => [node(name).digest, name]))
  return async (descriptor) => {
    const name = byDigest.get(descriptor.digest) ?? ''
    asked.push(name)
    // Answers come in any order.
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 5))
    const needs = edges[name]
    return needs === undefined
      ? undefined
      : {
          needs: needs
            .split(' ')
            .filter(Boolean)
            .map((text) => node(text)),
        }
  }
}

function namesOf(edges: Readonly<Record<string, string>>, order: readonly { descriptor: Descriptor }[]): string[] {
  const byDigest = new Map(Object.keys(edges).map((name) => [node(name).digest, name]))
  return order.map(({ descriptor }) => byDigest.get(descriptor.digest) ?? '?')
}

const diamond = { root: 'left right', left: 'leaf one', right: 'leaf two', leaf: '', one: '', two: '' }

describe('readGraph', () => {
  test('asks about each digest once', async () => {
    const asked: string[] = []
    const graph = await readGraph([node('root')], nextOf(diamond, asked))
    expect(asked.sort()).toEqual(Object.keys(diamond).sort())
    expect(graph.nodes.size).toBe(6)
  })

  test('asks about independent nodes side by side, and no more than allowed', async () => {
    let running = 0
    let most = 0
    const next: NextNodes = async (_, depth) => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setTimeout(resolve, 2))
      running--
      return depth > 0 ? undefined : { needs: Array.from({ length: 20 }, (_, index) => node(`child ${index}`)) }
    }
    await readGraph([node('root')], next, { concurrency: 5 })
    expect(most).toBe(5)
    most = 0
    await readGraph([node('root')], next)
    expect(most).toBe(20)
  })

  test('goes no further where nothing is returned', async () => {
    const graph = await readGraph([node('root')], async (_, depth) =>
      depth < 2 ? { needs: [node(`level ${depth + 1}`)] } : undefined,
    )
    expect([...graph.nodes.values()].map(({ depth }) => depth)).toEqual([0, 1, 2])
  })

  test('visits what is found without waiting for it', async () => {
    const graph = await readGraph([node('subject')], async (_, depth) =>
      depth === 0 ? { needs: [], visit: [node('referrer')] } : { needs: [node('subject')] },
    )
    expect(orderOf(graph).map(({ descriptor }) => descriptor)).toEqual([node('subject'), node('referrer')])
  })

  test('keeps a manifest and a blob with the same digest apart', async () => {
    const graph = await readGraph([node('root')], async (_, depth) =>
      depth === 0 ? { needs: [node('same'), node('same', MediaType.octetStream)] } : undefined,
    )
    expect(graph.nodes.size).toBe(3)
  })

  test('does not ask again about what is known', async () => {
    const asked: string[] = []
    const known = await readGraph([node('left')], nextOf(diamond, asked))
    const graph = await readGraph([node('root')], nextOf(diamond, asked), { known })
    expect(asked.sort()).toEqual(Object.keys(diamond).sort())
    expect(graph.roots).toEqual([nodeKeyOf(node('left')), nodeKeyOf(node('root'))])
  })

  test.each([['depth'], ['manifests'], ['blobs']])('keeps its bound on %s where that is undefined', async (bound) => {
    const isDeep = bound === 'depth'
    const type = bound === 'blobs' ? MediaType.imageLayer : MediaType.imageManifest
    const count = bound === 'manifests' ? 10_001 : 100_001
    const wide = Array.from({ length: isDeep ? 0 : count }, (_, index) => node(String(index), type))
    const next: NextNodes = (_, depth) =>
      Promise.resolve(
        isDeep && depth < 100 ? { needs: [node(String(depth))] } : depth === 0 ? { needs: wide } : undefined,
      )
    await expect(readGraph([node('root')], next, { limits: { [bound]: undefined } })).rejects.toMatchObject({
      code: 'limit-exceeded',
    })
  })

  test.each([
    ['more than 10 manifests', { manifests: 10 }],
    ['more than 7 levels', { depth: 7 }],
  ])('stops at %s', async (message, limits) => {
    let count = 0
    const endless: NextNodes = async () => ({ needs: [node(`node ${++count}`)] })
    await expect(readGraph([node('root')], endless, { limits })).rejects.toMatchObject({
      code: 'limit-exceeded',
      message: expect.stringContaining(message) as string,
    })
    expect(count).toBeLessThanOrEqual(10)
  })

  test('stops at too many blobs', async () => {
    const blobs = Array.from({ length: 11 }, (_, index) => node(`blob ${index}`, MediaType.octetStream))
    await expect(
      readGraph([node('root')], async (_, depth) => (depth === 0 ? { needs: blobs } : undefined), {
        limits: { blobs: 10 },
      }),
    ).rejects.toThrow('more than 10 blobs')
  })

  test('is bounded by default', async () => {
    let count = 0
    const deep: NextNodes = async () => ({ needs: [node(`node ${++count}`)] })
    await expect(readGraph([node('root')], deep)).rejects.toThrow('more than 32 levels')
    const wide = Array.from({ length: 10_000 }, (_, index) => node(`child ${index}`))
    await expect(
      readGraph([node('root')], async (_, depth) => (depth === 0 ? { needs: wide } : undefined)),
    ).rejects.toThrow('more than 10000 manifests')
  })

  test('throws only when nothing is running any more', async () => {
    let running = 0
    const next: NextNodes = async (descriptor, depth) => {
      if (depth === 0) return { needs: ['fails', 'slow 1', 'slow 2'].map((name) => node(name)) }
      running++
      try {
        if (descriptor.digest === node('fails').digest) throw new GantryError('not-found', 'fails')
        await new Promise((resolve) => setTimeout(resolve, 10))
        return undefined
      } finally {
        running--
      }
    }
    await expect(readGraph([node('root')], next)).rejects.toThrow('fails')
    expect(running).toBe(0)
  })

  test('stops when the signal fires', async () => {
    const controller = new AbortController()
    let asked = 0
    const next: NextNodes = async () => {
      if (++asked === 3) controller.abort()
      return { needs: [node(`node ${asked}`)] }
    }
    await expect(readGraph([node('root')], next, { signal: controller.signal })).rejects.toMatchObject({
      code: 'aborted',
    })
    expect(asked).toBe(3)
  })
})

describe('orderOf', () => {
  test('puts each node after those that it needs, whatever came first', async () => {
    const orders = await Promise.all(
      Array.from({ length: 10 }, async () =>
        namesOf(diamond, orderOf(await readGraph([node('root')], nextOf(diamond)))),
      ),
    )
    for (const order of orders) expect(order).toEqual(['leaf', 'one', 'left', 'two', 'right', 'root'])
  })

  test('holds every node of a cycle once', async () => {
    const cycle = { root: 'a b', a: 'b', b: 'a' }
    expect(namesOf(cycle, orderOf(await readGraph([node('root')], nextOf(cycle))))).toEqual(['b', 'a', 'root'])
  })

  test('walks a deep chain without recursion', async () => {
    const depth = 20_000
    const nodes = Array.from({ length: depth }, (_, index) => node(`node ${index}`))
    const at = new Map(nodes.map(({ digest }, index) => [digest, index]))
    const graph = await readGraph(
      [nodes[0]!],
      async ({ digest }) => ({ needs: nodes.slice(at.get(digest)! + 1, at.get(digest)! + 2) }),
      { limits: { depth, manifests: depth } },
    )
    const order = orderOf(graph)
    expect(order.length).toBe(depth)
    expect(order[0]?.descriptor).toBe(nodes.at(-1))
  })
})

describe('runGraph', () => {
  async function run(edges: Readonly<Record<string, string>>, concurrency?: number): Promise<string[]> {
    const graph = await readGraph([node('root')], nextOf(edges))
    const left: string[] = []
    await runGraph(
      graph,
      async ({ descriptor }) => {
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 3))
        left.push(namesOf(edges, [{ descriptor }])[0]!)
      },
      concurrency === undefined ? {} : { concurrency },
    )
    return left
  }

  test.each([1, 2, undefined])('runs a node after its neighbours (%s at once)', async (concurrency) => {
    const order = await run(diamond, concurrency)
    expect([...order].sort()).toEqual(Object.keys(diamond).sort())
    for (const [name, needs] of Object.entries(diamond)) {
      for (const need of needs.split(' ').filter(Boolean)) {
        expect(order.indexOf(need)).toBeLessThan(order.indexOf(name))
      }
    }
  })

  test('is not blocked by claims that form a cycle', async () => {
    expect((await run({ root: 'a b', a: 'b', b: 'a' })).at(-1)).toBe('root')
    expect(await run({ root: 'root' })).toEqual(['root'])
  })

  test('runs independent nodes side by side, and no more than allowed', async () => {
    const edges = Object.fromEntries([
      ['root', Array.from({ length: 30 }, (_, index) => `leaf${index}`).join(' ')],
      ...Array.from({ length: 30 }, (_, index) => [`leaf${index}`, '']),
    ]) as Record<string, string>
    const graph = await readGraph([node('root')], nextOf(edges))
    const mostOf = async (concurrency?: number): Promise<number> => {
      let running = 0
      let most = 0
      const leave = async (): Promise<void> => {
        most = Math.max(most, ++running)
        await new Promise((resolve) => setTimeout(resolve, 2))
        running--
      }
      await runGraph(graph, leave, concurrency === undefined ? {} : { concurrency })
      return most
    }
    expect(await mostOf(3)).toBe(3)
    expect(await mostOf()).toBe(30)
  })

  test('counts large nodes by their bytes', async () => {
    const large = Array.from({ length: 12 }, (_, index) => ({
      ...node(`large ${index}`, MediaType.octetStream),
      size: 100 * 1024 * 1024,
    }))
    const small = Array.from({ length: 12 }, (_, index) => node(`small ${index}`, MediaType.octetStream))
    const graph = await readGraph([node('root')], async (_, depth) =>
      depth === 0 ? { needs: [...large, ...small] } : undefined,
    )
    let running = 0
    let most = 0
    const done: number[] = []
    await runGraph(graph, async ({ descriptor }) => {
      if (descriptor.size > 1000) most = Math.max(most, ++running)
      await new Promise((resolve) => setTimeout(resolve, descriptor.size > 1000 ? 10 : 1))
      if (descriptor.size > 1000) running--
      done.push(descriptor.size)
    })
    expect(most).toBe(4)
    // Small ones do not wait behind large ones.
    expect(done.slice(0, 12).every((size) => size < 1000)).toBe(true)
  })

  test('starts nothing after a failure, and throws when nothing is running any more', async () => {
    const edges = { root: 'a b c d', a: '', b: '', c: '', d: '' }
    const graph = await readGraph([node('root')], nextOf(edges))
    const started: string[] = []
    let running = 0
    const leave = async ({ descriptor }: { descriptor: Descriptor }): Promise<void> => {
      const name = namesOf(edges, [{ descriptor }])[0]!
      started.push(name)
      running++
      await new Promise((resolve) => setTimeout(resolve, name === 'a' ? 1 : 10))
      running--
      if (name === 'a') throw new GantryError('not-found', 'a is missing')
    }
    await expect(runGraph(graph, leave, { concurrency: 2 })).rejects.toThrow('a is missing')
    expect(running).toBe(0)
    expect(started).toEqual(['a', 'b'])
  })

  test('stops when the signal fires', async () => {
    const edges = { root: 'a', a: 'b', b: '' }
    const graph = await readGraph([node('root')], nextOf(edges))
    const controller = new AbortController()
    const left: string[] = []
    const leave = async ({ descriptor }: { descriptor: Descriptor }): Promise<void> => {
      left.push(namesOf(edges, [{ descriptor }])[0]!)
      controller.abort()
    }
    await expect(runGraph(graph, leave, { signal: controller.signal })).rejects.toMatchObject({ code: 'aborted' })
    expect(left).toEqual(['b'])
  })
})

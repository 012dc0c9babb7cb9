import { describe, expect, test } from 'vitest'
import { discover, type ReferrerNode } from '../../src/graph/discover.js'
import { GantryError } from '../../src/errors.js'
import { descriptorOf, type Descriptor } from '../../src/oci/descriptor.js'
import { MediaType } from '../../src/oci/media-types.js'
import type { ReferrerOptions, ReferrerSource } from '../../src/store/store.js'

/** Lists of referrers written as `subject: referrer referrer`; a name may carry its type as `name/type`. */
class Lists implements ReferrerSource {
  readonly asked: string[] = []
  mostAtOnce = 0
  #running = 0

  constructor(private readonly lists: Readonly<Record<string, string>>) {}

  async referrers(subject: Descriptor, { artifactType }: ReferrerOptions = {}): Promise<readonly Descriptor[]> {
    const name = subject.annotations?.name ?? ''
    this.asked.push(name)
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#running)
    await new Promise((resolve) => setTimeout(resolve, 1))
    this.#running--
    if (name === 'broken') throw new GantryError('registry-error', 'broken list')
    const all = (this.lists[name] ?? '').split(' ').filter(Boolean).map(referrer)
    return all.filter((entry) => artifactType === undefined || entry.artifactType === artifactType)
  }
}

function referrer(text: string): Descriptor {
  const [name = '', type = 'a'] = text.split('/')
  const descriptor = descriptorOf(MediaType.imageManifest, new TextEncoder().encode(name))
  return { ...descriptor, artifactType: `test/${type}`, annotations: { name } }
}

function format({ descriptor, referrers }: ReferrerNode): string {
  const name = descriptor.annotations?.name ?? ''
  return referrers.length === 0 ? name : `${name}(${referrers.map(format).join(' ')})`
}

async function treeOf(lists: Lists, options = {}): Promise<string> {
  return format((await discover(lists, referrer('root'), options)).root)
}

const chain = { root: 'sig sbom/b', sbom: 'sbomsig', sbomsig: 'deep' }

describe('discover', () => {
  test('builds the tree in the order of the lists, each list once', async () => {
    const lists = new Lists(chain)
    expect(await treeOf(lists)).toBe('root(sig sbom(sbomsig(deep)))')
    expect([...lists.asked].sort()).toEqual(['deep', 'root', 'sbom', 'sbomsig', 'sig'])
  })

  test('a manifest that nothing refers to is a tree of one', async () => {
    expect(await treeOf(new Lists({}))).toBe('root')
  })

  test.each([
    [1, 'root(sig sbom)', 1],
    [2, 'root(sig sbom(sbomsig))', 3],
    [9, 'root(sig sbom(sbomsig(deep)))', 5],
  ])('down to level %i', async (depth, tree, asked) => {
    const lists = new Lists(chain)
    expect(await treeOf(lists, { depth })).toBe(tree)
    expect(lists.asked).toHaveLength(asked)
  })

  test('filters every level by type', async () => {
    expect(await treeOf(new Lists(chain), { artifactType: 'test/b' })).toBe('root(sbom)')
    expect(await treeOf(new Lists(chain), { artifactType: 'test/a' })).toBe('root(sig)')
  })

  test('asks for the lists of a level side by side', async () => {
    const lists = new Lists({ root: Array.from({ length: 50 }, (_, index) => `r${index}`).join(' ') })
    await treeOf(lists)
    expect(lists.mostAtOnce).toBe(50)
    const slow = new Lists({ root: Array.from({ length: 50 }, (_, index) => `r${index}`).join(' ') })
    await treeOf(slow, { concurrency: 4 })
    expect(slow.mostAtOnce).toBe(4)
  })

  test.each([
    [{ root: 'a', a: 'b', b: 'a' }, 'root(a(b))', ['a']],
    [{ root: 'a b', a: 'b', b: 'a' }, 'root(a b)', ['b', 'a']],
    [{ root: 'root a', a: 'root' }, 'root(a)', ['root', 'root']],
    [{ root: 'a a' }, 'root(a)', ['a']],
  ])('shows each manifest once in %j', async (cycle, tree, repeated) => {
    const lists = new Lists(cycle)
    const found = await discover(lists, referrer('root'))
    expect(format(found.root)).toBe(tree)
    expect(found.repeated.map(({ annotations }) => annotations?.name)).toEqual(repeated)
    expect(new Set(lists.asked).size).toBe(lists.asked.length)
  })

  test('is bounded', async () => {
    const lists = new Lists(
      Object.fromEntries(Array.from({ length: 40 }, (_, at) => [at === 0 ? 'root' : `r${at}`, `r${at + 1}`])),
    )
    await expect(treeOf(lists)).rejects.toMatchObject({ code: 'limit-exceeded' })
    await expect(treeOf(new Lists(chain), { limits: { manifests: 3 } })).rejects.toMatchObject({
      code: 'limit-exceeded',
    })
  })

  test('a list that fails is an error, not a smaller tree', async () => {
    await expect(treeOf(new Lists({ root: 'broken' }))).rejects.toMatchObject({
      message: 'broken list',
      side: 'source',
    })
  })
})

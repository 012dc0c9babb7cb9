import { beforeEach, describe, expect, test } from 'vitest'
import { GantryError } from '../../src/errors.js'
import { deleteGraph, planDelete, type PlanDeleteOptions } from '../../src/graph/delete.js'
import type { TransferEvent } from '../../src/graph/events.js'
import type { Descriptor } from '../../src/oci/descriptor.js'
import type { ReferrerOptions } from '../../src/store/store.js'
import { RecordingStore } from './recording-store.js'
import { linux, pushArtifact, pushImage, pushIndex } from './sample-graph.js'

class ClaimingStore extends RecordingStore {
  readonly claims = new Map<string, readonly Descriptor[]>()

  override async referrers(subject: Descriptor, options?: ReferrerOptions): Promise<readonly Descriptor[]> {
    return [...(await super.referrers(subject, options)), ...(this.claims.get(subject.digest) ?? [])]
  }
}

let store: ClaimingStore

beforeEach(() => {
  store = new ClaimingStore()
})

async function pushTree(): Promise<Record<'image' | 'sbom' | 'signature' | 'deep', Descriptor>> {
  const image = await pushArtifact(store, { layers: ['image'], tag: 'v1' })
  const sbom = await pushArtifact(store, { layers: ['sbom'], subject: image })
  const signature = await pushArtifact(store, { layers: ['signature'], subject: image })
  const deep = await pushArtifact(store, { layers: ['deep'], subject: sbom })
  return { image, sbom, signature, deep }
}

async function remove(root: Descriptor, options?: PlanDeleteOptions): Promise<readonly string[]> {
  store.calls.length = 0
  await deleteGraph(store, await planDelete(store, root, options))
  return store.callsOf('delete')
}

describe('delete', () => {
  test('removes a manifest alone', async () => {
    const { image, sbom } = await pushTree()
    expect(await remove(image)).toEqual([image.digest])
    expect(store.callsOf('referrers')).toEqual([])
    expect(await store.has(sbom)).toBe(true)
  })

  test('removes what refers to it first, from the leaves', async () => {
    const { image, sbom, signature, deep } = await pushTree()
    const order = await remove(image, { referrers: true })
    expect([...order].sort()).toEqual([image, sbom, signature, deep].map(({ digest }) => digest).sort())
    expect(order.indexOf(deep.digest)).toBeLessThan(order.indexOf(sbom.digest))
    expect(order.at(-1)).toBe(image.digest)
    for (const node of [image, sbom, signature, deep]) expect(await store.has(node)).toBe(false)
  })

  test('a plan deletes nothing, and names everything in its order', async () => {
    const { image, sbom, signature, deep } = await pushTree()
    const plan = await planDelete(store, image, { referrers: true })
    expect(plan.nodes.map(({ digest }) => digest)).toEqual([deep, sbom, signature, image].map(({ digest }) => digest))
    expect(store.callsOf('delete')).toEqual([])
  })

  test('does not believe a list: what does not name its subject stays', async () => {
    const { image } = await pushTree()
    const unrelated = await pushArtifact(store, { layers: ['unrelated'] })
    const gone = await pushArtifact(new RecordingStore(), { layers: ['gone'], subject: image })
    store.claims.set(image.digest, [unrelated, gone, image])
    expect(await remove(image, { referrers: true })).toHaveLength(4)
    expect(await store.has(unrelated)).toBe(true)
  })

  test('leaves the children of an index alone unless asked for them', async () => {
    const images = [await pushImage(store, linux('amd64')), await pushImage(store, linux('arm64'))]
    const index = await pushIndex(store, images)
    const signature = await pushArtifact(store, { subject: images[0]! })
    // An index that a registry lists as its own list of referrers.
    store.claims.set(index.digest, images)
    expect(await remove(index, { referrers: true })).toEqual([index.digest])
    expect(await store.has(images[0]!)).toBe(true)
    await pushIndex(store, images)
    await pushArtifact(store, { subject: index, annotations: { keeps: 'the index busy' } })
    const order = await remove(index, { referrers: true, children: true })
    expect(order).toHaveLength(5)
    for (const { digest } of images) expect(order.indexOf(index.digest)).toBeLessThan(order.indexOf(digest))
    expect(order.indexOf(signature.digest)).toBeLessThan(order.indexOf(images[0]!.digest))
  })

  test('what the registry has dropped with its subject is no failure; a missing root is one', async () => {
    const { image, deep } = await pushTree()
    const plan = await planDelete(store, image, { referrers: true })
    await store.delete(deep)
    const events: TransferEvent[] = []
    await deleteGraph(store, plan, { onEvent: (event) => void events.push(event) })
    expect(events.map(({ type }) => type)).toEqual(['deleted', 'deleted', 'deleted'])
    await expect(deleteGraph(store, plan)).rejects.toMatchObject({ code: 'not-found' })
  })

  test('stops at a failure: the subject stays when what refers to it could not be deleted', async () => {
    const { image, sbom } = await pushTree()
    store.onCall = (method, what) => {
      if (method === 'delete' && what === sbom.digest) throw new GantryError('denied', 'no')
    }
    await expect(remove(image, { referrers: true })).rejects.toThrow('no')
    expect(await store.has(image)).toBe(true)
  })

  test('is not blocked by lists that go round in circles', async () => {
    const { image, sbom, deep } = await pushTree()
    store.claims.set(deep.digest, [sbom])
    expect((await remove(image, { referrers: true })).at(-1)).toBe(image.digest)
  })
})

import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Descriptor } from '../../src/oci/descriptor.js'
import { attest, sign } from '../../src/signature/sign.js'
import { predicateTypeOf } from '../../src/signature/statement.js'
import { copyVerified } from '../../src/signature/verified-copy.js'
import { verifySignatures } from '../../src/signature/verify.js'
import { MemoryStore } from '../../src/store/memory.js'
import { person, pushPacked, pushSubject, type Person } from './workshop.js'

let alice: Person
let mallory: Person
let source: MemoryStore
let sink: MemoryStore
let subject: Descriptor

beforeAll(async () => {
  alice = await person('alice')
  mallory = await person('mallory')
})

beforeEach(async () => {
  source = new MemoryStore()
  sink = new MemoryStore()
  subject = await pushSubject(source, 'v1')
})

async function tagsOf(store: MemoryStore): Promise<readonly string[]> {
  const tags: string[] = []
  for await (const tag of store.tags()) if (!tag.startsWith('sha256-')) tags.push(tag)
  return tags
}

describe('a copy through a gate', () => {
  test.each(['bundle', 'tag'] as const)('takes what is signed along with its signatures (%s)', async (form) => {
    await sign(source, subject, { key: alice.key, form })
    const gate = { trusted: [alice.trust] }
    const result = await copyVerified(source, 'v1', sink, { gate, tags: ['v1', 'stable'] })
    expect(result).toMatchObject({ tags: ['v1', 'stable'], isVerifiedAtDestination: true })
    expect(result.signatures).toHaveLength(1)
    expect((await sink.resolve('stable')).digest).toBe(subject.digest)
    expect((await verifySignatures(sink, subject, gate)).signatures).toHaveLength(1)
  })

  test('copies nothing that is not signed, or not by somebody who is trusted', async () => {
    const gate = { trusted: [alice.trust] }
    await expect(copyVerified(source, 'v1', sink, { gate, tags: ['v1'] })).rejects.toMatchObject({ code: 'unsigned' })
    await sign(source, subject, { key: mallory.key })
    await expect(copyVerified(source, 'v1', sink, { gate, tags: ['v1'] })).rejects.toMatchObject({
      code: 'untrusted-signature',
    })
    expect(await sink.has(subject)).toBe(false)
  })

  test('copies only with the attestations that are asked for', async () => {
    await sign(source, subject, { key: alice.key })
    const predicateType = predicateTypeOf('spdx')
    const gate = { trusted: [alice.trust], attested: [predicateType] }
    await expect(copyVerified(source, 'v1', sink, { gate, tags: ['v1'] })).rejects.toMatchObject({ code: 'unsigned' })
    await attest(source, subject, { key: alice.key, predicateType, predicate: {} })
    await copyVerified(source, 'v1', sink, { gate, tags: ['v1'] })
    expect(await tagsOf(sink)).toEqual(['v1'])
  })

  test('never copies what the tag is moved to in the meantime', async () => {
    await sign(source, subject, { key: alice.key })
    const other = await pushSubject(source, 'evil')
    const readManifest = source.readManifest.bind(source)
    const resolve = source.resolve.bind(source)
    let asked = 0
    // The tag answers with what is signed once, and with something else afterwards.
    const moved = (reference: string): string => (reference === 'v1' && asked++ > 0 ? 'evil' : reference)
    source.resolve = (reference, options) => resolve(moved(reference), options)
    source.readManifest = (reference, options) => readManifest(moved(reference), options)
    await copyVerified(source, 'v1', sink, { gate: { trusted: [alice.trust] }, tags: ['v1'] })
    expect((await sink.resolve('v1')).digest).toBe(subject.digest)
    expect(await sink.has(other)).toBe(false)
  })

  test('sets no tag where the signature does not arrive', async () => {
    await sign(source, subject, { key: alice.key })
    sink.referrers = () => Promise.resolve([])
    await expect(
      copyVerified(source, 'v1', sink, { gate: { trusted: [alice.trust] }, tags: ['v1'] }),
    ).rejects.toMatchObject({ code: 'unsigned' })
    expect(await tagsOf(sink)).toEqual([])
  })

  test('refuses several platforms, which would be an index that nobody has signed', async () => {
    await sign(source, subject, { key: alice.key })
    const platforms = ['amd64', 'arm64'].map((architecture) => ({ os: 'linux', architecture }))
    await expect(
      copyVerified(source, 'v1', sink, { gate: { trusted: [alice.trust] }, platforms }),
    ).rejects.toMatchObject({ code: 'invalid-argument' })
  })

  test('takes other referrers only where that is asked for', async () => {
    await sign(source, subject, { key: alice.key })
    const sbom = await pushPacked(source, { artifactType: 'test/sbom', layers: [], subject })
    const gate = { trusted: [alice.trust] }
    await copyVerified(source, 'v1', sink, { gate, tags: ['v1'] })
    expect(await sink.has(sbom)).toBe(false)
    await copyVerified(source, 'v1', sink, { gate, tags: ['v1'], referrers: true })
    expect(await sink.has(sbom)).toBe(true)
  })
})

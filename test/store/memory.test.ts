import { expect, test } from 'vitest'
import { MemoryStore } from '../../src/store/memory.js'
import { describeStore } from './contract.js'
import { emptyConfig, manifest } from './content.js'

describeStore('a store in memory', async () => {
  const store = new MemoryStore()
  return { sink: store, source: async () => store }
})

test.each(['', 'a\u001bb', 'a\nb', `sha256:${'a'.repeat(64)}`, 'x'.repeat(4097)])(
  'the tag %j is refused',
  async (tag) => {
    const store = new MemoryStore()
    const { descriptor, open } = manifest()
    await store.push(emptyConfig.descriptor, emptyConfig.open)
    await store.push(descriptor, open)
    await expect(store.tag(descriptor, tag)).rejects.toMatchObject({ code: 'invalid-argument' })
    await expect(store.push(descriptor, open, { tag })).rejects.toMatchObject({ code: 'invalid-argument' })
  },
)

test('a blob is found by its digest alone, and so is a manifest as one', async () => {
  const store = new MemoryStore()
  await store.push(emptyConfig.descriptor, emptyConfig.open)
  const { digest, size } = emptyConfig.descriptor
  expect(await store.resolveBlob(digest)).toEqual({ mediaType: 'application/octet-stream', digest, size })
  await expect(store.resolveBlob(manifest().descriptor.digest)).rejects.toMatchObject({ code: 'not-found' })
})

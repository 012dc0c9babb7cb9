import { describe, expect, test } from 'vitest'
import { digestOf } from '../../src/oci/digest.js'
import { MemoryStore } from '../../src/store/memory.js'
import { readContent, Verifier, verifyContent } from '../../src/store/verify.js'
import { blob, inChunks, readAll } from './content.js'

describe('content', () => {
  const { descriptor, bytes } = blob(1000)
  const wrong = Uint8Array.from(bytes, (byte) => ~byte)

  test.each([
    ['that is right', descriptor, bytes, undefined],
    ['of sha512', { ...descriptor, digest: digestOf(bytes, 'sha512') }, bytes, undefined],
    ['of wrong bytes', descriptor, wrong, `digest mismatch: wanted ${descriptor.digest}, got ${digestOf(wrong)}`],
    ['that ends early', descriptor, bytes.subarray(1), `${descriptor.digest} ended early: got 999 of 1000 bytes`],
    [
      'that goes on',
      descriptor,
      Buffer.concat([bytes, bytes]),
      `${descriptor.digest} is longer than its declared size of 1000 bytes`,
    ],
  ])('%s', async (_, wanted, received, message) => {
    const checked = readAll(verifyContent(wanted, inChunks(received, 300)()))
    if (message === undefined) expect(await checked).toHaveLength(1000)
    else await expect(checked).rejects.toMatchObject({ message })
  })

  test('that goes on is noticed at once, not at its end', async () => {
    let taken = 0
    const endless = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
      while (true) {
        taken++
        yield new Uint8Array(400)
      }
    }
    await expect(readAll(verifyContent(descriptor, endless()))).rejects.toMatchObject({ code: 'size-mismatch' })
    expect(taken).toBe(3)
  })

  test('can be checked from a place that was passed before', () => {
    const verifier = new Verifier(descriptor)
    verifier.update(bytes.subarray(0, 500))
    const later = verifier.copy()
    later.update(wrong.subarray(500))
    expect(() => {
      later.finish()
    }).toThrow(expect.objectContaining({ code: 'digest-mismatch' }))
    verifier.update(bytes.subarray(500))
    verifier.finish()
    expect(verifier.size).toBe(1000)
  })
})

describe('small content', () => {
  test('is read whole and checked', async () => {
    const store = new MemoryStore()
    const content = blob(100)
    await store.push(content.descriptor, content.open)
    expect(await readContent(store, content.descriptor)).toEqual(Buffer.from(content.bytes))
    const claimed = { ...content.descriptor, size: 99 }
    await expect(readContent(store, claimed)).rejects.toMatchObject({ code: 'size-mismatch' })
  })

  test('is not asked for when it is declared larger than the limit', async () => {
    const content = blob(100)
    const source = {
      resolve: () => Promise.reject(new Error('unused')),
      readManifest: () => Promise.reject(new Error('unused')),
      fetch: () => {
        throw new Error('asked for')
      },
    }
    const reading = readContent(source, content.descriptor, { limit: 99 })
    await expect(reading).rejects.toMatchObject({ code: 'limit-exceeded' })
    await expect(readContent(source, { ...content.descriptor, size: 2 ** 52 })).rejects.toMatchObject({
      code: 'limit-exceeded',
    })
  })
})

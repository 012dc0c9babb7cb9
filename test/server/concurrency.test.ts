import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { digestOf } from '../../src/oci/digest.js'
import { temporaryFolder } from '../util/temporary-folder.js'
import { STORAGES } from './storages.js'
import { imageManifest, startTestRegistry } from './test-registry.js'

describe.each(STORAGES)('at the same time $name', ({ options }) => {
  test('the same blob can be pushed to many repositories', async () => {
    const registry = await startTestRegistry(options())
    const content = Buffer.alloc(200_000, 'same ')
    const names = Array.from({ length: 20 }, (_, index) => `r${index % 10}`)
    await Promise.all(names.map((name) => registry.pushBlob(name, content)))
    const digest = digestOf(content)
    for (const name of names) {
      expect((await registry.send('GET', `/v2/${name}/blobs/${digest}`)).bytes.equals(content)).toBe(true)
    }
  })

  test('one tag is created by exactly one of many', async () => {
    const registry = await startTestRegistry(options())
    await registry.pushBlob('a', '{}')
    const bodies = Array.from({ length: 20 }, (_, index) => imageManifest({ annotations: { n: String(index) } }))
    const answers = await Promise.all(
      bodies.map((body) => registry.putManifest('a', 'v1', body, { 'If-None-Match': '*' })),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array<number>(19).fill(412)])
    const winner = answers.findIndex(({ status }) => status === 201)
    expect((await registry.send('GET', '/v2/a/manifests/v1')).json).toEqual(bodies[winner])
  })

  test('no update of a list by If-Match is lost', async () => {
    const registry = await startTestRegistry(options())
    await registry.pushImage('a', 'list', { annotations: {} })
    const add = async (name: string): Promise<void> => {
      for (;;) {
        const { json, headers } = await registry.send('GET', '/v2/a/manifests/list')
        const next = { ...json, annotations: { ...json.annotations, [name]: '' } }
        const answer = await registry.putManifest('a', 'list', next, { 'If-Match': headers.etag })
        if (answer.status === 201) return
        expect(answer.status).toBe(412)
      }
    }
    const names = Array.from({ length: 10 }, (_, index) => `n${index}`)
    await Promise.all(names.map(add))
    const { json } = await registry.send('GET', '/v2/a/manifests/list')
    expect(Object.keys(json.annotations ?? {}).sort()).toEqual(names)
  })

  test('content can be deleted and pushed, and is there or not, never in between', async () => {
    const registry = await startTestRegistry(options())
    const digest = digestOf('now and then')
    const work = async (): Promise<void> => {
      for (let round = 0; round < 15; round++) {
        await registry.pushBlob('a', 'now and then')
        await registry.send('DELETE', `/v2/a/blobs/${digest}`)
      }
    }
    const read = async (): Promise<void> => {
      for (let round = 0; round < 30; round++) {
        const answer = await registry.send('GET', `/v2/a/blobs/${digest}`).catch(() => undefined)
        if (answer?.status === 200) expect(answer.text).toBe('now and then')
        else expect([undefined, 404]).toContain(answer?.status)
      }
    }
    await Promise.all([work(), work(), work(), read(), read()])
    await registry.pushBlob('a', 'now and then')
    expect((await registry.send('GET', `/v2/a/blobs/${digest}`)).text).toBe('now and then')
  })
})

test('what was pushed at the same time is there after a restart, and nothing else', async () => {
  const folder = temporaryFolder()
  const registry = await startTestRegistry({ folder })
  await Promise.all(
    Array.from({ length: 60 }, async (_, index) => {
      const digest = await registry.pushBlob(`r${index % 3}`, `content ${index}`)
      if (index % 4 === 0) await registry.send('DELETE', `/v2/r${index % 3}/blobs/${digest}`)
    }),
  )
  await registry.close()
  const again = await startTestRegistry({ folder })
  for (let index = 0; index < 60; index++) {
    const answer = await again.send('GET', `/v2/r${index % 3}/blobs/${digestOf(`content ${index}`)}`)
    expect(answer.status).toBe(index % 4 === 0 ? 404 : 200)
  }
  expect(readdirSync(join(folder, 'blobs', 'sha256'))).toHaveLength(45)
  expect(readdirSync(join(folder, 'uploads'))).toEqual([])
})

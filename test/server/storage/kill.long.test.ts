import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { digestOf } from '../../../src/oci/digest.js'
import { bundleScript } from '../../util/bundle-script.js'
import { temporaryFolder } from '../../util/temporary-folder.js'
import { imageManifest, startTestRegistry, TestRegistry } from '../test-registry.js'

let script: Awaited<ReturnType<typeof bundleScript>>
beforeAll(async () => {
  script = await bundleScript(join(import.meta.dirname, 'registry-worker.ts'))
})
afterAll(() => {
  script.remove()
})

async function startWorker(folder: string): Promise<{ registry: TestRegistry; worker: ChildProcess }> {
  const worker = spawn(process.execPath, [script.path, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => {
    worker.kill('SIGKILL')
  })
  const [output] = (await once(worker.stdout, 'data')) as [Buffer]
  return { registry: new TestRegistry(output.toString().trim(), [], () => Promise.resolve()), worker }
}

interface Acknowledged {
  readonly blobs: Map<string, string>
  readonly tags: Map<string, string>
  readonly deleted: Set<string>
}

/** Pushes, tags and deletes until the registry is gone; notes what it has acknowledged. */
async function work(registry: TestRegistry, name: string, done: Acknowledged): Promise<void> {
  for (let round = 0; ; round++) {
    const content = `${name} ${round} `.repeat(1 + (round % 7) * 5000)
    const digest = await registry.pushBlob(name, content)
    done.blobs.set(digest, content)
    const layer = { mediaType: 'application/vnd.x', digest, size: content.length }
    const body = JSON.stringify(imageManifest({ config: layer }))
    const put = await registry.putManifest(name, `t${round}`, body)
    if (put.status !== 201) throw new Error(put.text)
    done.tags.set(`t${round}`, digestOf(body))
    if (round % 3 !== 2) continue
    const old = `t${round - 1}`
    const answer = await registry.send('DELETE', `/v2/${name}/manifests/${old}`)
    if (answer.status !== 202) throw new Error(answer.text)
    done.tags.delete(old)
    done.deleted.add(old)
  }
}

test.each([40, 120, 200])('what was acknowledged survives kill -9 after %d milliseconds of work', async (time) => {
  const folder = temporaryFolder()
  const names = ['a', 'b/c', 'd']
  const done = new Map<string, Acknowledged>()
  for (const name of names) done.set(name, { blobs: new Map(), tags: new Map(), deleted: new Set() })
  for (let life = 0; life < 2; life++) {
    const { registry, worker } = await startWorker(folder)
    const location = await registry.openUpload('a')
    await registry.send('PATCH', location, { body: 'never finished' })
    const workers = names.map((name) => work(registry, `${name}${life}`, emptyOf(done, `${name}${life}`)))
    const ended = Promise.allSettled(workers)
    await sleep(time)
    // A busy machine may have done nothing by then.
    while (![...done.values()].some(({ blobs }) => blobs.size > 0)) await sleep(5)
    worker.kill('SIGKILL')
    await ended
  }
  const registry = await startTestRegistry({ folder })
  let count = 0
  for (const [name, { blobs, tags, deleted }] of done) {
    for (const [digest, content] of blobs) {
      expect((await registry.send('GET', `/v2/${name}/blobs/${digest}`)).text).toBe(content)
      count++
    }
    for (const [tag, digest] of tags) {
      const answer = await registry.send('GET', `/v2/${name}/manifests/${tag}`)
      // The tag that was about to go when the process died may be gone.
      if (answer.status === 404 && tag === [...tags.keys()].at(-2)) continue
      expect(answer.headers['docker-content-digest']).toBe(digest)
      expect(digestOf(answer.bytes)).toBe(digest)
    }
    for (const tag of deleted) expect((await registry.send('HEAD', `/v2/${name}/manifests/${tag}`)).status).toBe(404)
  }
  expect(count).toBeGreaterThan(0)
  // Nothing is left of what was arriving, and every file is what its name says.
  expect(readdirSync(join(folder, 'uploads'))).toEqual([])
  expect(readdirSync(folder).sort()).toEqual(['blobs', 'journal.jsonl', 'lock', 'uploads'])
  await registry.pushBlob('a', 'and it goes on')
})

function emptyOf(done: Map<string, Acknowledged>, name: string): Acknowledged {
  const empty = { blobs: new Map(), tags: new Map(), deleted: new Set<string>() }
  done.set(name, empty)
  return empty
}

test('a folder is used by one process at a time', async () => {
  const folder = temporaryFolder()
  const { registry } = await startWorker(folder)
  await registry.pushBlob('a', 'x')
  await expect(startTestRegistry({ folder })).rejects.toMatchObject({ code: 'locked' })
  await registry.pushBlob('a', 'y')
})

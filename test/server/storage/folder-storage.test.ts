import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { open, type FileHandle } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { digestOf, hexOf } from '../../../src/oci/digest.js'
import { MediaType } from '../../../src/oci/media-types.js'
import { createRegistryHandler, type RequestLogEntry } from '../../../src/server/registry-handler.js'
import { openFolderStorage } from '../../../src/server/storage/folder-storage.js'
import { IndexedStorage } from '../../../src/server/storage/indexed-storage.js'
import { Journal } from '../../../src/server/storage/journal.js'
import { MemoryContent } from '../../../src/server/storage/memory-content.js'
import { RepositoryIndex } from '../../../src/server/storage/repository-index.js'
import { temporaryFolder } from '../../util/temporary-folder.js'
import { imageManifest, startTestRegistry, TestRegistry } from '../test-registry.js'

const NO_SPACE = { code: 'ENOSPC', syscall: 'write' }

const journalOf = (folder: string): string => join(folder, 'journal.jsonl')
const blobOf = (folder: string, text: string): string => join(folder, 'blobs', 'sha256', hexOf(digestOf(text)))

async function restart(registry: TestRegistry, folder: string): Promise<TestRegistry> {
  await registry.close()
  return startTestRegistry({ folder })
}

describe('a folder', () => {
  test('keeps everything over a restart', async () => {
    const folder = join(temporaryFolder(), 'new', 'folder')
    let registry = await startTestRegistry({ folder })
    const image = await registry.pushImage('a/b', 'v1')
    const subject = { mediaType: MediaType.imageManifest, digest: image.digest, size: image.size }
    const referrer = await registry.pushImage('a/b', undefined, {
      subject,
      artifactType: 'application/vnd.x',
      annotations: { 'org.example': 'ü "\u2028' },
    })
    await registry.putManifest('a/b', 'Latest', image.body)
    await registry.putManifest('a/b', 'latest', image.body)
    await registry.pushBlob('c', 'x', 'sha512')
    await registry.pushBlob('gone', 'y')
    await registry.send('DELETE', `/v2/gone/blobs/${digestOf('y')}`)
    await registry.send('DELETE', '/v2/a/b/manifests/Latest')
    const ask = async (): Promise<unknown> => ({
      tags: (await registry.send('GET', '/v2/a/b/tags/list')).json,
      referrers: (await registry.send('GET', `/v2/a/b/referrers/${image.digest}`)).json,
      catalog: (await registry.send('GET', '/v2/_catalog')).json,
      manifest: (await registry.send('GET', '/v2/a/b/manifests/latest')).text,
      blob: (await registry.send('GET', `/v2/c/blobs/${digestOf('x', 'sha512')}`)).text,
    })
    const before = await ask()
    expect(before).toMatchObject({
      tags: { tags: ['latest', 'v1'] },
      referrers: { manifests: [{ digest: referrer.digest, annotations: { 'org.example': 'ü "\u2028' } }] },
      catalog: { repositories: ['a/b', 'c'] },
      manifest: image.body,
      blob: 'x',
    })
    registry = await restart(registry, folder)
    expect(await ask()).toEqual(before)
    registry = await restart(registry, folder)
    expect(await ask()).toEqual(before)
  })

  test('is open to its owner alone', async () => {
    const folder = join(temporaryFolder(), 'own')
    const registry = await startTestRegistry({ folder })
    await registry.pushBlob('a', 'x')
    if (process.platform === 'win32') return
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    expect(statSync(journalOf(folder)).mode & 0o777).toBe(0o600)
    expect(statSync(blobOf(folder, 'x')).mode & 0o777).toBe(0o600)
  })

  test('is swept of what nothing names when it is opened', async () => {
    const folder = temporaryFolder()
    const registry = await startTestRegistry({ folder })
    await registry.pushBlob('a', 'kept')
    await registry.close()
    writeFileSync(blobOf(folder, 'orphan'), 'orphan')
    writeFileSync(join(folder, 'uploads', '.gantry-1-00000000-0-00000000-0000-4000-8000-000000000000.tmp'), 'half')
    writeFileSync(join(folder, 'blobs', 'sha256', 'README'), 'somebody put this here')
    const again = await startTestRegistry({ folder })
    expect(readdirSync(join(folder, 'blobs', 'sha256')).sort()).toEqual([hexOf(digestOf('kept')), 'README'].sort())
    expect(readdirSync(join(folder, 'uploads'))).toEqual([])
    expect((await again.send('GET', `/v2/a/blobs/${digestOf('kept')}`)).text).toBe('kept')
  })

  test('that holds something else is refused, and left as it is', async () => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'blobs', 'sha256'), { recursive: true })
    writeFileSync(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
    writeFileSync(blobOf(folder, 'precious'), 'precious')
    await expect(openFolderStorage(folder)).rejects.toMatchObject({
      code: 'invalid-argument',
      message: `${folder} is not empty, and holds no registry`,
    })
    expect(readdirSync(folder).sort()).toEqual(['blobs', 'oci-layout'])
    expect(readFileSync(blobOf(folder, 'precious'), 'utf8')).toBe('precious')
  })

  test('that cannot be made is an error', async () => {
    const file = join(temporaryFolder(), 'file')
    writeFileSync(file, '')
    await expect(openFolderStorage(join(file, 'x'))).rejects.toMatchObject({ code: 'file-error' })
  })

  test('that misses content which its journal names is refused, and not locked', async () => {
    const folder = temporaryFolder()
    const registry = await startTestRegistry({ folder })
    await registry.pushBlob('a', 'x')
    await registry.pushBlob('a', 'y')
    await registry.close()
    rmSync(blobOf(folder, 'x'))
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(openFolderStorage(folder)).rejects.toMatchObject({
        code: 'invalid-content',
        message: `${folder} does not hold ${digestOf('x')} any more, which its journal names`,
      })
    }
    expect(readdirSync(folder).sort()).toEqual(['blobs', 'journal.jsonl', 'uploads'])
  })
})

describe('a journal', () => {
  test('that ends in half a line loses that line alone', async () => {
    const folder = temporaryFolder()
    let registry = await startTestRegistry({ folder })
    await registry.pushBlob('a', 'x')
    const whole = readFileSync(journalOf(folder), 'utf8')
    await registry.pushBlob('a', 'y')
    await registry.close()
    truncateSync(journalOf(folder), readFileSync(journalOf(folder)).length - 7)
    registry = await startTestRegistry({ folder })
    expect((await registry.send('GET', `/v2/a/blobs/${digestOf('x')}`)).status).toBe(200)
    expect((await registry.send('GET', `/v2/a/blobs/${digestOf('y')}`)).status).toBe(404)
    expect(readFileSync(journalOf(folder), 'utf8')).toBe(whole)
    await registry.pushBlob('a', 'y')
    registry = await restart(registry, folder)
    expect((await registry.send('GET', `/v2/a/blobs/${digestOf('y')}`)).text).toBe('y')
  })

  test.each([
    ['no JSON', 'nonsense\n'],
    ['nothing', '\n'],
    ['no object', '[]\n'],
    ['an unknown step', '{"type":"fly","repository":"a","digest":"DIGEST"}\n'],
    ['no digest', '{"type":"link-blob","repository":"a","size":1}\n'],
    ['a path for a digest', '{"type":"link-blob","repository":"a","digest":"sha256:../../x","size":1}\n'],
    ['a path for a repository', '{"type":"unlink-blob","repository":"../a","digest":"DIGEST"}\n'],
    ['no size', '{"type":"link-blob","repository":"a","digest":"DIGEST","size":-1}\n'],
    ['no manifest', '{"type":"put-manifest","repository":"a","digest":"DIGEST","tags":[]}\n'],
    ['no tags', '{"type":"put-manifest","repository":"a","digest":"DIGEST","manifest":{"mediaType":"a/b","size":1}}\n'],
    ['a malformed tag', '{"type":"delete-tag","repository":"a","tag":".x"}\n'],
  ])('that holds %s is refused', async (_, line) => {
    const folder = temporaryFolder()
    const registry = await startTestRegistry({ folder })
    await registry.pushBlob('a', 'x')
    await registry.close()
    appendFileSync(journalOf(folder), line.replace('DIGEST', digestOf('x')))
    await expect(openFolderStorage(folder)).rejects.toMatchObject({ message: expect.stringContaining('line 3') })
    expect(readFileSync(blobOf(folder, 'x'), 'utf8')).toBe('x')
  })

  test.each([
    ['{"format":"something else","version":1}\n', 'invalid-content'],
    ['{"format":"gantry-registry","version":2}\n', 'unsupported'],
    ['', 'invalid-content'],
    ['half a line', 'invalid-content'],
  ])('of another format is refused: %s', async (text, code) => {
    const folder = temporaryFolder()
    writeFileSync(journalOf(folder), text)
    await expect(openFolderStorage(folder)).rejects.toMatchObject({ code })
    expect(readFileSync(journalOf(folder), 'utf8')).toBe(text)
  })

  test('is written anew when most of its steps have been undone', async () => {
    const folder = temporaryFolder()
    let registry = await startTestRegistry({ folder })
    const image = await registry.pushImage('a', 'kept')
    await registry.close()
    const link = { type: 'link-blob', repository: 'b', digest: digestOf('{}'), size: 2 }
    const steps = `${JSON.stringify(link)}\n${JSON.stringify({ ...link, type: 'unlink-blob' })}\n`
    appendFileSync(journalOf(folder), steps.repeat(700))
    registry = await startTestRegistry({ folder })
    expect(readFileSync(journalOf(folder), 'utf8').trim().split('\n')).toHaveLength(3)
    registry = await restart(registry, folder)
    expect((await registry.send('GET', '/v2/a/manifests/kept')).text).toBe(image.body)
    expect((await registry.send('GET', '/v2/_catalog')).json.repositories).toEqual(['a'])
  })

  test('that could not be written takes nothing more', async () => {
    const path = journalOf(temporaryFolder())
    await Journal.create(path)
    const journal = await Journal.open(path, new RepositoryIndex())
    const step = { type: 'delete-tag', repository: 'a', tag: 'b' } as const
    await Promise.all([journal.append(step), journal.append(step)])
    const whole = readFileSync(path, 'utf8')
    expect(whole.trim().split('\n')).toHaveLength(3)
    // One write fails; what follows could stand behind half a line.
    const handle = await open(path, 'r')
    const failing = vi.spyOn(Object.getPrototypeOf(handle) as FileHandle, 'appendFile')
    failing.mockRejectedValueOnce(Object.assign(new Error('ENOSPC: no space left on device, write'), NO_SPACE))
    await handle.close()
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(journal.append(step)).rejects.toMatchObject({
        code: 'file-error',
        message: `cannot write ${path}: no space left on device`,
      })
    }
    await journal.close()
    expect(readFileSync(path, 'utf8')).toBe(whole)
  })
})

test('a change that could not be kept is no success, and reading goes on', async () => {
  let broken = false
  const log = {
    append: () => (broken ? Promise.reject(new Error('cannot write /secret/journal')) : Promise.resolve()),
    close: () => Promise.resolve(),
  }
  const storage = new IndexedStorage(new RepositoryIndex(), new MemoryContent(), log)
  const entries: RequestLogEntry[] = []
  const server = createServer(createRegistryHandler(storage, { onRequest: (entry) => entries.push(entry) }))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const registry = new TestRegistry(`http://127.0.0.1:${port}`, [], () => Promise.resolve())
  const { digest } = await registry.pushImage('a', 'v1')
  broken = true
  const answer = await registry.putManifest('a', 'v2', imageManifest())
  expect(answer.status).toBe(500)
  expect(answer.text).not.toContain('/secret')
  expect(entries.at(-1)).toMatchObject({ status: 500, error: 'cannot write /secret/journal' })
  expect((await registry.send('GET', `/v2/a/manifests/${digest}`)).status).toBe(200)
})

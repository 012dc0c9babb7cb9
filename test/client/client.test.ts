import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pack } from 'tar-stream'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { Client } from '../../src/client/client.js'
import type { LoginNotice } from '../../src/client/login.js'
import type { ProgressEvent, TransferTotals } from '../../src/client/progress.js'
import { digestOf } from '../../src/oci/digest.js'
import { parseManifest } from '../../src/oci/manifest.js'
import { startRegistryServer } from '../../src/server/registry-server.js'
import { createFixture, type Fixture } from '../cli/fixture.js'

let fixture: Fixture
let folder: string
let client: Client

beforeAll(async () => {
  fixture = await createFixture()
})

afterAll(() => fixture.close())

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gantry-client-'))
  client = new Client({ environment: {}, credentials: false })
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await client.close()
  await rm(folder, { recursive: true, force: true })
})

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = []
  for await (const item of items) collected.push(item)
  return collected
}

async function tarOf(name: string, text: string): Promise<Uint8Array> {
  const tar = pack()
  tar.entry({ name }, text)
  tar.finalize()
  return Buffer.concat((await collect(tar)) as Uint8Array[])
}

describe('a client', () => {
  test('pushes content from memory, from a stream and from a file, and pulls it again', async () => {
    const path = join(folder, 'file.txt')
    await writeFile(path, 'from a file')
    async function* stream() {
      yield await Promise.resolve(Buffer.from('from a '))
      yield Buffer.from('stream')
    }
    const pushed = await client.push(`${fixture.registry}/notes:v1,latest`, [
      { name: 'memory.txt', content: Buffer.from('from memory'), mediaType: 'text/plain' },
      { name: 'stream.txt', content: stream() },
      { path, name: 'file.txt' },
    ])
    expect(pushed.tags).toEqual(['v1', 'latest'])
    const { files } = await client.pull(`${fixture.registry}/notes:latest`, join(folder, 'out'))
    expect(await Promise.all(files.map((file) => readFile(file.path, 'utf8')))).toEqual([
      'from memory',
      'from a stream',
      'from a file',
    ])
  })

  test('attaches, discovers, tags and lists', async () => {
    const name = `${fixture.registry}/listed`
    await client.push(`${name}:v1`, [{ name: 'a.txt', content: Buffer.from('a') }])
    const sbom = { name: 'sbom.json', content: Buffer.from('{}') }
    const { descriptor } = await client.attach(`${name}:v1`, [sbom], { artifactType: 'sbom/example' })
    const { root } = await client.discover(`${name}:v1`, { artifactType: 'sbom/example' })
    expect(root.referrers.map((referrer) => referrer.descriptor.digest)).toEqual([descriptor.digest])
    await client.tag(`${name}:v1`, ['v2', 'v3'])
    expect((await collect(client.tags(name))).filter((tag) => tag.startsWith('v'))).toEqual(['v1', 'v2', 'v3'])
    expect(await collect(client.repositories(fixture.registry))).toContain('listed')
  })

  test('copies between a registry, a folder and a tar', async () => {
    const from = `${fixture.registry}/copied:v1`
    const { descriptor } = await client.push(from, [{ name: 'a.txt', content: Buffer.from('copied') }])
    await client.copy(from, `oci-layout:${folder}/layout:v1`)
    await client.copy(`oci-layout:${folder}/layout:v1`, `oci-layout-tar:${folder}/layout.tar:v1`)
    await client.copy(`oci-layout-tar:${folder}/layout.tar:v1`, `${fixture.registry}/copied-again:v2`)
    expect((await client.resolve(`${fixture.registry}/copied-again:v2`)).digest).toBe(descriptor.digest)
    const { bytes } = await client.fetchManifest(`${fixture.registry}/copied-again:v2`)
    expect(digestOf(bytes)).toBe(descriptor.digest)
  })

  test('leaves no tar behind where the copy fails', async () => {
    const to = `oci-layout-tar:${folder}/failed.tar:v1`
    await expect(client.copy(`${fixture.registry}/absent:v1`, to)).rejects.toMatchObject({ code: 'not-found' })
    expect(await readdir(folder)).toEqual([])
  })

  test('fetches a blob, checked', async () => {
    await client.push(`${fixture.registry}/blobs:v1`, [{ name: 'b.txt', content: Buffer.from('a blob') }])
    const { content } = await client.fetchBlob(`${fixture.registry}/blobs@${digestOf('a blob')}`)
    expect(Buffer.concat(await collect(content)).toString()).toBe('a blob')
  })

  test('builds an image of layers from memory, on top of another one', async () => {
    const name = `${fixture.registry}/appended`
    const base = await client.append(`${name}:base`, [await tarOf('a.txt', 'a')])
    const layer = join(folder, 'b.tar')
    await writeFile(layer, await tarOf('b.txt', 'b'))
    const { descriptor, layers, tags, ...amounts } = await client.append(`${name}:v1,latest`, [layer], {
      base: `${name}:base`,
      setBaseImageAnnotations: true,
    })
    expect(tags).toEqual(['v1', 'latest'])
    // The layer of the base is there; config, layer and manifest are new.
    expect([amounts.copied.nodes, amounts.existing.nodes]).toEqual([3, 1])
    const manifest = parseManifest(await client.fetchManifest(`${name}:latest`))
    expect(manifest).toMatchObject({
      kind: 'image',
      layers: [...base.layers, ...layers].map(({ digest }) => ({ digest })),
      annotations: {
        'org.opencontainers.image.base.digest': base.descriptor.digest,
        'org.opencontainers.image.base.name': `${name}:base`,
      },
    })
    expect((await client.resolve(`${name}:v1`)).digest).toBe(descriptor.digest)
  })

  test('pushes a blob and a manifest that names it, from bytes, streams and files', async () => {
    const name = `${fixture.registry}/parts`
    async function* stream() {
      yield await Promise.resolve(Buffer.from('{}'))
    }
    const config = await client.pushBlob(name, stream(), { mediaType: 'application/json', size: 2 })
    const layer = await client.pushBlob(name, Buffer.from('a layer'))
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: config.descriptor,
      layers: [layer.descriptor],
    })
    const path = join(folder, 'manifest.json')
    await writeFile(path, manifest)
    const pushed = await client.pushManifest(`${name}:v1,v2`, path)
    expect(pushed).toMatchObject({ descriptor: { digest: digestOf(manifest) }, tags: ['v1', 'v2'] })
    expect(Buffer.from((await client.fetchManifest(`${name}:v2`)).bytes).toString()).toBe(manifest)
    const events: string[] = []
    const again = await client.pushManifest(`${name}@${pushed.descriptor.digest}`, Buffer.from(manifest), {
      onEvent: ({ type }) => events.push(type),
    })
    expect(events).toEqual(['exists'])
    const existing = { nodes: 1, bytes: manifest.length }
    const none = { nodes: 0, bytes: 0 }
    expect(pushed).toMatchObject({ copied: existing, mounted: none, existing: none })
    expect(again).toMatchObject({ copied: none, mounted: none, existing })
  })

  test('stores nothing that is not what the reference or the caller asks for', async () => {
    const name = `${fixture.registry}/refused`
    const other = digestOf('another')
    const hi = Buffer.from('hi')
    const empty = JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: [],
    })
    await expect(client.pushBlob(`${name}@${other}`, hi)).rejects.toMatchObject({ code: 'digest-mismatch' })
    await expect(client.pushBlob(name, hi, { size: 3 })).rejects.toMatchObject({ code: 'invalid-argument' })
    await expect(client.pushBlob(name, join(folder, 'absent'))).rejects.toMatchObject({ code: 'file-error' })
    await expect(client.pushManifest(`${name}@${other}`, Buffer.from(empty))).rejects.toMatchObject({
      code: 'digest-mismatch',
    })
    await expect(client.fetchBlob(`${name}@${digestOf('hi')}`)).rejects.toMatchObject({ code: 'not-found' })
  })

  test('deletes a manifest with what refers to it, or leaves it where that is not confirmed', async () => {
    const name = `oci-layout:${folder}/removed`
    const pushed = await client.push(`${name}:v1`, [{ name: 'a.txt', content: Buffer.from('a') }])
    const sbom = { name: 'sbom.json', content: Buffer.from('{}') }
    const attached = await client.attach(`${name}:v1`, [sbom], { artifactType: 'sbom/example' })
    const both = [attached.descriptor.digest, pushed.descriptor.digest]
    const asked: string[][] = []
    const cancelled = await client.remove(`${name}:v1`, {
      referrers: true,
      confirm: ({ nodes }) => {
        asked.push(nodes.map(({ digest }) => digest))
        return false
      },
    })
    expect([cancelled.outcome, asked]).toEqual(['cancelled', [both]])
    const { outcome, deleted } = await client.remove(`${name}:v1`, { referrers: true })
    expect([outcome, deleted.map(({ digest }) => digest)]).toEqual(['deleted', both])
    await expect(client.remove(`${name}:v1`)).rejects.toMatchObject({ code: 'not-found' })
    expect(await client.remove(`${name}:v1`, { ignoreMissing: true })).toEqual({ outcome: 'missing', deleted: [] })
  })

  test('deletes a blob', async () => {
    const name = `${fixture.registry}/removed-blob`
    const { descriptor } = await client.pushBlob(name, Buffer.from('b'))
    const blob = `${name}@${descriptor.digest}`
    expect(await client.remove(blob, { kind: 'blob' })).toMatchObject({
      outcome: 'deleted',
      descriptor: { digest: descriptor.digest },
    })
    await expect(client.remove(blob, { kind: 'blob' })).rejects.toMatchObject({ code: 'not-found' })
  })

  test('logs in and out with the file of credentials that it looks in', async () => {
    const registry = await startRegistryServer({ authentication: { type: 'basic', users: { me: 'secret' } } })
    const files = [join(folder, 'config.json')]
    await using guest = new Client({ environment: {}, credentials: { files } })
    try {
      const name = `${registry.registry}/private`
      const content = [{ name: 'a.txt', content: Buffer.from('a') }]
      await expect(guest.push(`${name}:v1`, content)).rejects.toMatchObject({ code: 'unauthorized' })
      const wrong = { type: 'basic', username: 'me', password: 'wrong' } as const
      await expect(guest.login(registry.registry, wrong)).rejects.toMatchObject({ code: 'unauthorized' })
      const notices: LoginNotice[] = []
      const credential = { type: 'basic', username: 'me', password: 'secret' } as const
      const stored = await guest.login(registry.registry, credential, { onNotice: (notice) => notices.push(notice) })
      expect(stored.path).toBe(files[0])
      expect(notices).toEqual([{ type: 'stored-in-clear', path: files[0] }])
      await using member = new Client({ environment: {}, credentials: { files } })
      await member.push(`${name}:v1`, content)
      expect(await member.logout(registry.registry)).toMatchObject({ erased: true })
      await using stranger = new Client({ environment: {}, credentials: { files } })
      await expect(stranger.resolve(`${name}:v1`)).rejects.toMatchObject({ code: 'unauthorized' })
    } finally {
      await registry.close()
    }
  })

  test('says with every event how far all of it is', async () => {
    const name = `${fixture.registry}/progress`
    const files = ['a', 'b', 'c'].map((text) => ({ name: `${text}.txt`, content: Buffer.from(text.repeat(1000)) }))
    const totals: TransferTotals[][] = [[], [], []]
    const noting = (index: number) => ({ onEvent: ({ total }: ProgressEvent) => totals[index]?.push(total) })
    await client.push(`${name}:v1`, files, noting(0))
    await client.copy(`${name}:v1`, `oci-layout:${folder}/progress:v1`, noting(1))
    await client.pull(`${name}:v1`, join(folder, 'out'), noting(2))
    for (const seen of totals) {
      expect(seen.every(({ bytes, plannedBytes }) => bytes <= plannedBytes)).toBe(true)
      const last = seen.at(-1)
      expect(last).toMatchObject({ bytes: last?.plannedBytes, nodes: last?.plannedNodes })
      expect(last?.bytes).toBeGreaterThanOrEqual(3000)
    }
  })

  test('fetches a blob that is larger than a manifest may be', async () => {
    const content = Buffer.alloc(5 * 1024 * 1024, 'x')
    const { descriptor } = await client.pushBlob(`${fixture.registry}/large`, content)
    const blob = await client.fetchBlob(`${fixture.registry}/large@${descriptor.digest}`)
    expect(Buffer.concat(await collect(blob.content)).equals(content)).toBe(true)
  })

  test('takes targets that are open in the place of references', async () => {
    const from = await client.openSink(`oci-layout:${folder}/opened:v1`)
    await client.push(from, [{ name: 'a.txt', content: Buffer.from('a') }])
    await client.copy(from, await client.openSink(`${fixture.registry}/opened:v1`))
    const { digest } = await client.resolve(await client.open(`${fixture.registry}/opened:v1`))
    expect(digest).toBe((await client.resolve(from)).digest)
  })

  test('removes the temporary files of content when it is closed', async () => {
    // Other programs use the system's folder at the same time.
    vi.stubEnv('TMPDIR', folder)
    await using other = new Client({ environment: {}, credentials: false })
    await other.push(`${fixture.registry}/spooled:v1`, [{ name: 'c.txt', content: Buffer.from('c') }])
    expect(await readdir(folder)).not.toEqual([])
    await other.close()
    expect(await readdir(folder)).toEqual([])
  })

  test.each([
    ['resolve', () => client.resolve(`${fixture.registry}/a`), 'invalid-reference'],
    ['pull', () => client.pull('UPPER', folder), 'invalid-reference'],
    ['fetchBlob', () => client.fetchBlob(`${fixture.registry}/a:v1`), 'invalid-reference'],
    ['remove', () => client.remove(`${fixture.registry}/a`), 'invalid-reference'],
    ['login', () => client.login('a registry', { type: 'identity-token', token: 'x' }), 'invalid-argument'],
    ['logout', () => client.logout('a registry'), 'invalid-argument'],
    ['open', () => client.open(`oci-layout:${folder}/none:v1`), 'invalid-argument'],
  ])('%s says with a GantryError what it cannot work with', async (_verb, call, code) => {
    await expect(call()).rejects.toMatchObject({ name: 'GantryError', code })
  })

  test('keeps its own limit where a repository is opened with one that is undefined', async () => {
    await client.push(`${fixture.registry}/limited:v1`, [{ name: 'a.txt', content: Buffer.from('a') }])
    await using strict = new Client({ environment: {}, credentials: false, maxManifestSize: 100 })
    const { store } = await strict.open(`${fixture.registry}/limited:v1`, {
      repository: { maxManifestSize: undefined },
    })
    await expect(store.readManifest('v1')).rejects.toMatchObject({ code: 'limit-exceeded' })
  })

  test('takes an explicit undefined for the default', async () => {
    const undecided = new Client({
      environment: {},
      homeFolder: undefined,
      credentials: undefined,
      plainHttp: undefined,
      tls: undefined,
      proxy: undefined,
      headers: undefined,
      retry: { attempts: undefined },
      timeouts: { headers: undefined, connect: undefined },
      maxManifestSize: undefined,
      cacheFolder: undefined,
    })
    try {
      await undecided.push(`${fixture.registry}/undecided:v1`, [{ name: 'd.txt', content: Buffer.from('d') }])
      expect((await undecided.resolve(`${fixture.registry}/undecided:v1`)).size).toBeGreaterThan(0)
    } finally {
      await undecided.close()
    }
  })
})

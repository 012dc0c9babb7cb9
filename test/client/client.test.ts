import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Client } from '../../src/client/client.js'
import { digestOf } from '../../src/oci/digest.js'
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
  await client.close()
  await rm(folder, { recursive: true, force: true })
})

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = []
  for await (const item of items) collected.push(item)
  return collected
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

  test('removes the temporary files of content when it is closed', async () => {
    const before = (await readdir(tmpdir())).filter((name) => name.startsWith('gantry-content-'))
    await using other = new Client({ environment: {}, credentials: false })
    await other.push(`${fixture.registry}/spooled:v1`, [{ name: 'c.txt', content: Buffer.from('c') }])
    await other.close()
    expect((await readdir(tmpdir())).filter((name) => name.startsWith('gantry-content-'))).toEqual(before)
  })

  test.each([
    ['resolve', () => client.resolve(`${fixture.registry}/a`), 'invalid-reference'],
    ['pull', () => client.pull('UPPER', folder), 'invalid-reference'],
    ['fetchBlob', () => client.fetchBlob(`${fixture.registry}/a:v1`), 'invalid-argument'],
    ['open', () => client.open(`oci-layout:${folder}/none:v1`), 'invalid-argument'],
  ])('%s says with a GantryError what it cannot work with', async (_verb, call, code) => {
    await expect(call()).rejects.toMatchObject({ name: 'GantryError', code })
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

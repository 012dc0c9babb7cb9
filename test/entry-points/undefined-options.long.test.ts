import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import * as graph from '../../src/entry-points/graph.js'
import * as registry from '../../src/entry-points/registry.js'
import * as store from '../../src/entry-points/store.js'
import * as testing from '../../src/entry-points/testing.js'
import * as front from '../../src/index.js'
import { createFixture, type Fixture } from '../cli/fixture.js'
import { tarOf } from '../scenarios/harness/tar-of.js'
import { readPublicFunctions } from './public-functions.js'

/** What one call works with: nobody else has written there. */
interface World {
  readonly folder: string
  /** A repository of the registry that has an artifact, `v1`, with a referrer. */
  readonly name: string
  /** A store with the same. */
  readonly memory: store.MemoryStore
  readonly subject: store.Descriptor
  /** Options of a client that reads nothing of this machine. */
  readonly client: Readonly<Record<string, unknown>>
}

type Options = Readonly<Record<string, unknown>>

/** Calls a function with options beside the arguments that it has to have. */
type Call = (world: World, options: Options) => unknown

let fixture: Fixture
let root: string
let count = 0
let tar: Uint8Array

beforeAll(async () => {
  fixture = await createFixture()
  root = await mkdtemp(join(tmpdir(), 'gantry-undefined-'))
  tar = await tarOf('a.txt', 'a')
  // Where the default is this process, it is not that of whoever runs the tests.
  vi.stubEnv('HOME', join(root, 'home'))
  for (const name of ['DOCKER_CONFIG', 'REGISTRY_AUTH_FILE', 'XDG_CONFIG_HOME', 'XDG_RUNTIME_DIR']) vi.stubEnv(name, '')
})

afterAll(async () => {
  vi.unstubAllEnvs()
  await fixture.close()
  await rm(root, { recursive: true, force: true })
})

async function createWorld(): Promise<World> {
  const folder = join(root, `world-${String(count++)}`)
  await mkdir(folder)
  await writeFile(join(folder, 'a.tar'), tar)
  const memory = new store.MemoryStore()
  const name = `${fixture.registry}/${folder.slice(folder.lastIndexOf('/') + 1)}`
  for (const sink of [memory, fixture.repository(name.slice(name.indexOf('/') + 1))]) {
    await graph.pushFiles(sink, [{ path: join(folder, 'a.tar'), name: 'a.tar' }], { tags: ['v1'] })
    await graph.attach(sink, 'v1', [{ path: join(folder, 'a.tar'), name: 'b.tar' }], { artifactType: 'sbom/example' })
  }
  const client = { environment: {}, credentials: false, plainHttp: true }
  return { folder, name, memory, subject: await memory.resolve('v1'), client }
}

const content = [{ name: 'c.txt', content: Buffer.from('c') }]
const blob = Buffer.from('blob')
const digestOfTar = () => store.digestOf(tar)

/** The front door takes the options of its client within its own. */
const withClient = ({ client }: World, options: Options): Options => ({
  ...options,
  client: { ...client, ...(options.client as Options | undefined) },
})

async function collect(items: AsyncIterable<string>): Promise<string[]> {
  const found: string[] = []
  for await (const item of items) found.push(item)
  return found
}

async function useClient(Class: typeof front.Client, world: World, options: Options): Promise<unknown> {
  const client = new Class({ ...world.client, ...options })
  try {
    return await client.resolve(`${world.name}:v1`)
  } finally {
    await client.close()
  }
}

let keys: Promise<graph.KeyPairText> | undefined
const keyPair = (): Promise<graph.KeyPairText> => (keys ??= graph.generateKeys('secret'))
const privateKey = async () => graph.openPrivateKey((await keyPair()).privateKey, 'key', 'secret')
const trusted = async () => graph.trustKey(graph.parsePublicKey((await keyPair()).publicKey, 'key'))

/** What a signature is signed with is new each time, and so is its digest. */
const formOf = ({ subject, form, tag }: graph.SignResult) => ({ subject, form, tag })

async function image(memory: store.MemoryStore): Promise<string> {
  const file = join(root, 'image.tar')
  await writeFile(file, tar)
  return (await graph.appendLayers(memory, [file])).descriptor.digest
}

const describeImage = ({ layers, config }: graph.Image) => [layers.length, config.document]

async function withIndex(memory: store.MemoryStore): Promise<string> {
  const { descriptor, bytes } = await graph.createIndex(memory, [])
  await memory.push(descriptor, store.openBytes(bytes))
  return descriptor.digest
}

const settings = ({ folder }: World): registry.CredentialSettings =>
  registry.credentialSettingsOf({ env: {}, homeFolder: folder, registryConfig: [join(folder, 'config.json')] })
const secret = { type: 'basic', username: 'me', password: 'secret' } as const

/** How each function of the entry points is called; the options are those that the test makes. */
const calls: Readonly<Record<string, Call>> = {
  'gantry Client': (world, options) => useClient(front.Client, world, options),
  'gantry append': (w, o) => front.append(`${w.name}:v2`, [tar], withClient(w, o)),
  'gantry attach': (w, o) => front.attach(`${w.name}:v1`, content, { artifactType: 'a/b', ...withClient(w, o) }),
  'gantry copy': (w, o) => front.copy(`${w.name}:v1`, `oci-layout:${w.folder}/layout:v1`, withClient(w, o)),
  'gantry discover': (w, o) => front.discover(`${w.name}:v1`, withClient(w, o)),
  'gantry fetchBlob': async (w, o) => {
    const { descriptor, content: read } = await front.fetchBlob(`${w.name}@${digestOfTar()}`, withClient(w, o))
    return [descriptor, await store.collectBytes(read, 1e6, 'it')]
  },
  'gantry fetchManifest': (w, o) => front.fetchManifest(`${w.name}:v1`, withClient(w, o)),
  'gantry login': (w, o) => {
    const { client, ...options } = withClient(w, o)
    return front.login(fixture.registry, secret, {
      ...options,
      client: { ...(client as Options), homeFolder: w.folder },
    })
  },
  'gantry logout': (w, o) => {
    const { client, ...options } = withClient(w, o)
    return front.logout(fixture.registry, { ...options, client: { ...(client as Options), homeFolder: w.folder } })
  },
  'gantry pull': (w, o) => front.pull(`${w.name}:v1`, join(w.folder, 'out'), withClient(w, o)),
  'gantry push': (w, o) => front.push(`${w.name}:v2`, content, withClient(w, o)),
  'gantry pushBlob': (w, o) => front.pushBlob(w.name, blob, withClient(w, o)),
  'gantry pushManifest': async (w, o) =>
    front.pushManifest(`${w.name}:v2`, (await w.memory.readManifest('v1')).bytes, withClient(w, o)),
  'gantry remove': (w, o) => front.remove(`${w.name}:v1`, withClient(w, o)),
  'gantry repositories': async (w, o) =>
    (await collect(front.repositories(fixture.registry, withClient(w, o)))).filter((name) => w.name.endsWith(name)),
  'gantry resolve': (w, o) => front.resolve(`${w.name}:v1`, withClient(w, o)),
  'gantry tag': (w, o) => front.tag(`${w.name}:v1`, ['v2'], withClient(w, o)),
  'gantry tags': (w, o) => collect(front.tags(w.name, withClient(w, o))),
  'gantry GantryError': (_, o) => {
    const { code, message, hint, response, side, details } = new front.GantryError('not-found', 'gone', o)
    return { code, message, hint, response, side, details }
  },
  'gantry/store FileSink': ({ folder }, o) => Object.keys(store.FileSink.open(folder, o)),
  'gantry/store FileSink.open': async ({ folder, memory, subject }, o) => {
    const manifest = store.parseManifest(await memory.readManifest(subject.digest))
    const files = manifest.kind === 'image' ? manifest.layers : []
    const sink = store.FileSink.open(join(folder, 'sink'), o)
    await sink.expect(files)
    for (const file of files) await sink.push(file, () => memory.fetch(file))
    return sink.publish()
  },
  'gantry/store FileSource': async ({ folder }, o) => {
    const source = new store.FileSource(o)
    const descriptor = await source.add(folder, { name: 'folder' })
    await source.close()
    return descriptor
  },
  'gantry/store LayoutStore.open': async ({ folder, memory }, o) => {
    await store.LayoutStore.open(join(folder, 'layout'), { create: true })
    const layout = await store.LayoutStore.open(join(folder, 'layout'), o)
    return graph.copy(memory, 'v1', layout, { tags: ['v1'] })
  },
  'gantry/store LayoutTarWriter.create': async ({ folder, memory }, o) => {
    const writer = await store.LayoutTarWriter.create(join(folder, 'layout.tar'), o)
    await graph.copy(memory, 'v1', writer, { tags: ['v1'] })
    await writer.close()
    return (await store.LayoutTar.open(join(folder, 'layout.tar'))).resolve('v1')
  },
  'gantry/store readContent': ({ memory, subject }, o) => store.readContent(memory, subject, o),
  'gantry/store packManifest': (_, o) => store.packManifest({ artifactType: 'a/b', layers: [], ...o }),
  'gantry/registry Repository': async ({ name }, o) => {
    const transport = registry.createTransport({ registry: fixture.registry, plainHttp: true })
    const repository = new registry.Repository(transport, name.slice(name.indexOf('/') + 1), o)
    const found = [await repository.readManifest('v1'), await repository.referrers(await repository.resolve('v1'))]
    await transport.close()
    return [found, await collect(repository.tags()).catch(() => 'closed')]
  },
  'gantry/registry createTransport': async ({ name }, o) => {
    const transport = registry.createTransport({ registry: fixture.registry, plainHttp: true, ...o })
    const repository = new registry.Repository(transport, name.slice(name.indexOf('/') + 1))
    try {
      return await repository.resolve('v1')
    } finally {
      await transport.close()
    }
  },
  'gantry/registry readRegistryCertificates': ({ folder }, o) =>
    registry.readRegistryCertificates('localhost:5000', registry.certificateRootsOf(folder), o),
  'gantry/registry createCredentialLookup': (w, o) =>
    registry.createCredentialLookup({ ...settings(w), ...o })({ registry: 'localhost:5000' }),
  'gantry/registry credentialSettingsOf': ({ folder }, o) =>
    registry.credentialSettingsOf({ env: {}, homeFolder: folder, ...o }),
  'gantry/registry eraseCredential': (w, o) => registry.eraseCredential({ ...settings(w), ...o }, 'localhost:5000'),
  'gantry/registry storeCredential': (w, o) =>
    registry.storeCredential({ ...settings(w), ...o }, 'localhost:5000', secret),
  'gantry/registry readHttpHeaders': (w, o) => registry.readHttpHeaders({ ...settings(w), ...o }),
  'gantry/registry readRegistrySettings': ({ folder }, o) =>
    registry.readRegistrySettings(join(folder, 'registries.json'), o),
  'gantry/registry setRegistrySettings': ({ folder }, o) =>
    registry.setRegistrySettings(join(folder, 'registries.json'), 'localhost:5000', { concurrency: 3 }, o),
  'gantry/registry setRegistrySettings 2': ({ folder }, o) =>
    registry.setRegistrySettings(join(folder, 'registries.json'), 'localhost:5000', { mirrors: ['a'], ...o }),
  'gantry/registry unsetRegistrySettings': ({ folder }, o) =>
    registry.unsetRegistrySettings(join(folder, 'registries.json'), 'localhost:5000', [], o),
  'gantry/graph copy': ({ memory }, o) => graph.copy(memory, 'v1', new store.MemoryStore(), o),
  'gantry/graph copyGraph': ({ memory, subject }, o) => graph.copyGraph(memory, new store.MemoryStore(), subject, o),
  'gantry/graph planCopy': ({ memory }, o) => graph.planCopy(memory, 'v1', new store.MemoryStore(), o),
  'gantry/graph planGraph': ({ memory, subject }, o) =>
    graph.planGraph(memory, { descriptor: subject }, new store.MemoryStore(), o),
  'gantry/graph runCopy': async ({ memory }, o) => {
    const sink = new store.MemoryStore()
    return graph.runCopy(memory, sink, await graph.planCopy(memory, 'v1', sink), o)
  },
  'gantry/graph planDelete': ({ memory, subject }, o) => graph.planDelete(memory, subject, o),
  'gantry/graph deleteGraph': async ({ memory, subject }, o) => {
    await graph.deleteGraph(memory, await graph.planDelete(memory, subject), o)
    return collect(memory.tags())
  },
  'gantry/graph discover': ({ memory, subject }, o) => graph.discover(memory, subject, o),
  'gantry/graph readPlatformManifest': ({ memory }, o) => graph.readPlatformManifest(memory, 'v1', o),
  'gantry/graph resolvePlatform': ({ memory }, o) => graph.resolvePlatform(memory, 'v1', o),
  'gantry/graph attach': ({ memory, folder }, o) =>
    graph.attach(memory, 'v1', [{ path: join(folder, 'a.tar'), name: 'c.tar' }], { artifactType: 'a/b', ...o }),
  'gantry/graph pullFiles': ({ memory, folder }, o) => graph.pullFiles(memory, 'v1', join(folder, 'out'), o),
  'gantry/graph pushFiles': ({ memory, folder }, o) =>
    graph.pushFiles(memory, [{ path: join(folder, 'a.tar'), name: 'c.tar' }], o),
  'gantry/graph pushManifest': async ({ memory }, o) =>
    graph.pushManifest(new store.MemoryStore(), await memory.readManifest('v1'), o),
  'gantry/graph appendLayers': ({ memory, folder }, o) => graph.appendLayers(memory, [join(folder, 'a.tar')], o),
  'gantry/graph readImage': async ({ memory }, o) =>
    describeImage(await graph.readImage(memory, await image(memory), o)),
  'gantry/graph readImages': async ({ memory }, o) => {
    const found = await graph.readImages(memory, await image(memory), o)
    return graph.isImageIndex(found) ? 'an index' : describeImage(found)
  },
  'gantry/graph mutate': async ({ memory }, o) =>
    graph.mutate({ source: memory, reference: await image(memory) }, memory, { labels: { a: 'b' } }, o),
  'gantry/graph mutate 2': async ({ memory }, o) =>
    graph.mutate({ source: memory, reference: await image(memory) }, memory, o),
  'gantry/graph pushImage': async ({ memory }, o) =>
    graph.pushImage(new store.MemoryStore(), await graph.readImage(memory, await image(memory)), o),
  'gantry/graph backup': async ({ memory, folder }, o) => graph.backup(memory, join(folder, 'backup'), o),
  'gantry/graph restore': async ({ memory, folder }, o) => {
    await graph.backup(memory, join(folder, 'backup'))
    return graph.restore([join(folder, 'backup')], new store.MemoryStore(), o)
  },
  'gantry/graph createIndex': ({ memory }, o) => graph.createIndex(memory, ['v1'], o),
  'gantry/graph updateIndex': async ({ memory }, o) =>
    graph.updateIndex(memory, await withIndex(memory), { add: ['v1'] }, o),
  'gantry/graph updateIndex 2': async ({ memory }, o) => graph.updateIndex(memory, await withIndex(memory), o),
  'gantry/graph sign': async ({ memory, subject }, o) =>
    graph.sign(memory, subject, { key: await privateKey(), created: '2020-01-01T00:00:00Z', ...o }).then(formOf),
  'gantry/graph attest': async ({ memory, subject }, o) => {
    const statement = { key: await privateKey(), predicateType: 'https://example.com/a', predicate: {} }
    return formOf(await graph.attest(memory, subject, { ...statement, ...o }))
  },
  'gantry/graph verifySignatures': async ({ memory, subject }, o) =>
    graph.verifySignatures(memory, subject, { trusted: [await trusted()], ...o }),
  'gantry/graph verifyAttestations': async ({ memory, subject }, o) =>
    graph.verifyAttestations(memory, subject, {
      trusted: [await trusted()],
      predicateType: 'https://example.com/a',
      ...o,
    }),
  'gantry/graph copyVerified': async ({ memory, subject }, o) => {
    await graph.sign(memory, subject, { key: await privateKey() })
    const gate = { trusted: [await trusted()] }
    const { signatures } = await graph.copyVerified(memory, 'v1', new store.MemoryStore(), { gate, ...o })
    return signatures.map(({ signer }) => signer)
  },
  'gantry/testing startRegistryServer': async (_, o) => {
    const server = await testing.startRegistryServer(o)
    const answer = await fetch(`${server.url}/v2/`)
    await server.close()
    return [answer.status, await answer.text(), new URL(server.url).hostname]
  },
}

/** Options that a call cannot do without; they have a test of their own. */
const needed = new Set([
  'gantry/registry createTransport plainHttp',
  'gantry/store packManifest artifactType',
  'gantry/registry setRegistrySettings 2 mirrors',
])

/** Bases of the client and constructors that are not for callers. */
const covered = /^gantry (ContentClient|Opener)$|^gantry\/store (FileSink|LayoutTarWriter)$/

/** What came out of a call, in one form whatever it is called and wherever it is. */
async function outcomeOf(call: Call, options: Options): Promise<string> {
  const world = await createWorld()
  let outcome: unknown
  try {
    outcome = await call(world, options)
  } catch (error) {
    outcome = error instanceof Error ? `${error.name}: ${error.message}` : error
  }
  return withoutUndefined(inspect(outcome, { depth: 8, maxArrayLength: null, breakLength: Infinity, sorted: true }))
    .replaceAll(world.folder, 'FOLDER')
    .replaceAll(world.name, 'NAME')
    .replaceAll(world.name.slice(world.name.indexOf('/') + 1), 'REPOSITORY')
    .replace(/bytes: \d+/g, 'bytes: N')
}

/** A member that is undefined is the same as none, in what comes out as well. */
function withoutUndefined(text: string): string {
  return text
    .replace(/(?:, )?(?:'[^']*'|\w+): undefined/g, '')
    .replace(/\{\s*,\s*/g, '{ ')
    .replace(/\{\s*\}/g, '{}')
}

/** `{ limits: { depth: undefined } }` for `limits.depth`. */
function undefinedAt(option: string): Options {
  const [name = '', inner] = option.split('.')
  return { [name]: inner === undefined ? undefined : { [inner]: undefined } }
}

describe('an option that is undefined', () => {
  const functions = readPublicFunctions().filter(({ name }) => !covered.test(name))
  const keyOf = ({ name, index }: (typeof functions)[number]): string =>
    `${name} ${String(index)}` in calls ? `${name} ${String(index)}` : name

  test('is tried with every public function that takes options', () => {
    expect(functions.length).toBeGreaterThan(40)
    expect(functions.map(keyOf).filter((key) => !(key in calls))).toEqual([])
  })

  test.each(functions)('is the default for $name $index', async (one) => {
    const call = calls[keyOf(one)]
    if (call === undefined) throw new Error(`no call of ${one.name}`)
    const usual = await outcomeOf(call, {})
    const options = one.options.filter((option) => !needed.has(`${keyOf(one)} ${option}`))
    // One after the other: the calls read and write the same files.
    const outcomes: string[] = []
    for (const option of options) outcomes.push(await outcomeOf(call, undefinedAt(option)))
    expect(outcomes.flatMap((outcome, index) => (outcome === usual ? [] : [[options[index], outcome]]))).toEqual([])
    expect(usual).not.toMatch(/TypeError/)
  })

  test('is the default where the calls above cannot do without it', async () => {
    const transports = [{}, { plainHttp: undefined }].map((options) =>
      registry.createTransport({ registry: 'registry.example.com', ...options }),
    )
    expect(transports.map(({ origin }) => origin)).toEqual(Array(2).fill('https://registry.example.com'))
    await Promise.all(transports.map((transport) => transport.close()))
    const config = store.descriptorOf('example/config', blob)
    const packed = [{}, { artifactType: undefined }].map((options) =>
      store.packManifest({ imageSpec: 'v1.0', config, layers: [], ...options }),
    )
    expect(packed[1]).toEqual(packed[0])
    const path = join((await createWorld()).folder, 'registries.json')
    const set = await registry.setRegistrySettings(path, 'localhost:5000', { concurrency: 3, mirrors: undefined })
    expect(set).toEqual({ concurrency: 3 })
  })
})

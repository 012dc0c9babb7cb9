import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { expect } from 'vitest'
import { copy } from '../../src/graph/copy.js'
import { LayoutStore } from '../../src/store/layout.js'
import { pushFiles } from '../../src/artifact/push-files.js'
import { readContent } from '../../src/store/verify.js'
import type { Descriptor } from '../../src/oci/descriptor.js'
import type { Source } from '../../src/store/store.js'
import { someBytes } from '../registry/test-registry.js'
import { CANARY, type LocalBench } from './local-bench.js'

/** A command that can be stopped on its way. */
export interface KilledCommand {
  readonly words: (bench: LocalBench) => readonly string[]
  readonly stdin?: string
  /** Gets ready what the command works with. */
  readonly prepare: (bench: LocalBench) => Promise<void>
  /** Checks that the command has done its work. */
  readonly check: (bench: LocalBench) => Promise<void>
  /** Whether a line of a snapshot is about a whole file that may stay, such as a blob of a layout. */
  readonly mayStay?: (line: string) => boolean
}

const CONTENT = someBytes(2 * 1024 * 1024)
const OTHER = someBytes(300_000).reverse()

/** A file, of which there is an older one, and a folder. */
export const pull: KilledCommand = {
  words: (bench) => ['pull', bench.reference('v1'), '-o', bench.output, '--concurrency', '1', '--plain-http'],
  prepare: async (bench) => {
    await seedFileAndFolder(bench)
    await writeFile(bench.path('output/content.bin'), 'what was there before\n')
  },
  check: async (bench) => {
    expect((await readFile(bench.path('output/content.bin'))).equals(CONTENT)).toBe(true)
    expect((await readFile(bench.path('output/folder/other.bin'))).equals(OTHER)).toBe(true)
  },
}

export const push: KilledCommand = {
  words: (bench) => ['push', bench.reference('v1'), 'content.bin', 'folder', '--concurrency', '1', '--plain-http'],
  prepare: writeFileAndFolder,
  check: async (bench) => {
    await expectContent(bench.behind(), 'v1', CONTENT)
  },
}

/** A new tag in a layout that has one already. */
export const copyToLayout: KilledCommand = {
  words: (bench) => ['copy', bench.reference('v1'), '--to-oci-layout', 'layout:v1', '--from-plain-http'],
  prepare: async (bench) => {
    await bench.seed(CONTENT)
    await makeLayout(bench, OTHER, 'v0')
  },
  check: async (bench) => {
    const layout = await LayoutStore.open(bench.path('layout'))
    await expectContent(layout, 'v0', OTHER)
    await expectContent(layout, 'v1', CONTENT)
  },
  // Content that arrived whole is found again by its digest.
  mayStay: (line) => /^work\/layout\/blobs\/sha256\/([0-9a-f]{64}) 444 \d+ \1$/.test(line),
}

export const copyToRegistry: KilledCommand = {
  words: (bench) => ['copy', '--from-oci-layout', 'layout:v1', bench.reference('v1', PLACE), '--to-plain-http'],
  prepare: (bench) => makeLayout(bench, CONTENT, 'v1'),
  check: async (bench) => {
    await expectContent(bench.behind(PLACE), 'v1', CONTENT)
  },
}

export const copyWithinRegistry: KilledCommand = {
  words: (bench) => [
    ...['copy', bench.reference('v1'), bench.reference('v1', PLACE)],
    ...['--from-plain-http', '--to-plain-http'],
  ],
  prepare: async (bench) => {
    await bench.seed(CONTENT)
  },
  check: copyToRegistry.check,
}

export const login: KilledCommand = {
  words: (bench) => ['login', bench.wire.host, '-u', 'someone', '--password-stdin', '--plain-http'],
  stdin: CANARY,
  prepare: async (bench) => {
    await writeFile(bench.configFile, '{"auths":{"other.example":{}},"later":[1.0]}', { mode: 0o600 })
  },
  check: async (bench) => {
    expect(await readFile(bench.configFile, 'utf8')).toMatch(
      /^\{"auths":\{"other\.example":\{\},"[^"]+":\{.*"later":\[1\.0\]/s,
    )
  },
}

const PLACE = 'other/place'

async function writeFileAndFolder(bench: LocalBench): Promise<void> {
  await writeFile(bench.path('content.bin'), CONTENT)
  await mkdir(bench.path('folder'))
  await writeFile(bench.path('folder/other.bin'), OTHER)
}

async function seedFileAndFolder(bench: LocalBench): Promise<void> {
  await writeFileAndFolder(bench)
  const files = ['content.bin', 'folder'].map((name) => ({ name, path: bench.path(name) }))
  await pushFiles(bench.behind(), files, { tags: ['v1'], artifactType: 'test/file' })
}

async function makeLayout(bench: LocalBench, content: Uint8Array, tag: string): Promise<void> {
  await bench.seed(content, { tag })
  const layout = await LayoutStore.open(bench.path('layout'), { create: true })
  await copy(bench.behind(), tag, layout, { tags: [tag] })
}

async function expectContent(store: Source, tag: string, content: Uint8Array): Promise<void> {
  const { bytes } = await store.readManifest(tag)
  const [first] = (JSON.parse(Buffer.from(bytes).toString()) as { layers: Descriptor[] }).layers
  const found = await readContent(store, first!, {})
  expect(Buffer.from(found).equals(content), `content of ${tag}`).toBe(true)
}

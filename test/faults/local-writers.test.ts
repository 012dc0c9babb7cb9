import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { attach } from '../../src/artifact/attach.js'
import { createTransport } from '../../src/registry/http/create-transport.js'
import { LayoutStore } from '../../src/store/layout.js'
import { MediaType } from '../../src/oci/media-types.js'
import { packManifest } from '../../src/oci/pack.js'
import { Repository } from '../../src/registry/repository.js'
import type { Descriptor } from '../../src/oci/descriptor.js'
import { Emulator } from '../emulator/emulator.js'
import { listOf, someBytes } from '../registry/test-registry.js'
import { BLOB } from './fault-bench.js'
import { LocalBench } from './local-bench.js'

test('34: 24 processes copy into one layout and 8 are killed: every tag of the others is there', async () => {
  const bench = await LocalBench.open()
  for (let number = 0; number < 24; number++) {
    await bench.seed(someBytes(20_000 + number), { tag: `v${number}` })
  }
  const words = (number: number): string[] => [
    ...['copy', bench.reference(`v${number}`), '--to-oci-layout', `layout:v${number}`, '--from-plain-http'],
  ]
  const programs = Array.from({ length: 24 }, (_, number) => bench.start(words(number)))
  const watch = { isOver: false, readings: 0 }
  const watching = (async () => {
    while (!watch.isOver) {
      await sleep(2)
      if (!existsSync(bench.path('layout/index.json'))) continue
      JSON.parse(await readFile(bench.path('layout/index.json'), 'utf8'))
      watch.readings += 1
    }
  })()
  while (!existsSync(bench.path('layout/index.json'))) await sleep(2)
  for (const program of programs.filter((_, number) => number % 3 === 0)) {
    program.send('SIGKILL')
    await sleep(20)
  }
  const endings = await Promise.all(programs.map(({ ended }) => ended))
  watch.isOver = true
  await watching
  expect(watch.readings).toBeGreaterThan(5)

  const layout = await LayoutStore.open(bench.path('layout'))
  const tags = await listOf(layout.tags())
  for (const [number, { code, stderr }] of endings.entries()) {
    if (number % 3 !== 0) expect(code, stderr).toBe(0)
    if (code !== 0) continue
    expect(tags).toContain(`v${number}`)
    expect((await layout.resolve(`v${number}`)).digest).toBe((await bench.behind().resolve(`v${number}`)).digest)
  }
  // Whoever comes next finds no lock that nobody holds, and sweeps.
  await bench.succeeds(words(0))
})

test.each(['the first', 'the second'])(
  '35: two pulls of one file name at a time, %s ends last: one whole file',
  async (last) => {
    const bench = await LocalBench.open()
    const contents = [someBytes(600_000), someBytes(500_000).reverse()]
    for (const [index, content] of contents.entries()) await bench.seed(content, { tag: `v${index}` })
    const doors: (() => void)[] = []
    const held = new Promise<void>((resolve) => {
      bench.wire.on(
        'GET',
        BLOB,
        async (passage) => {
          const answer = await passage.ask()
          const opened = new Promise<void>((open) => (doors[answer.body.equals(contents[0]!) ? 0 : 1] = open))
          if (doors.filter(Boolean).length === 2) resolve()
          await opened
          passage.send(answer)
        },
        { times: 2 },
      )
    })
    const programs = contents.map((_, index) =>
      bench.start(['pull', bench.reference(`v${index}`), '-o', bench.output, '--plain-http']),
    )
    await held
    const order = last === 'the first' ? [1, 0] : [0, 1]
    for (const index of order) {
      doors[index]!()
      const { code, stderr } = await programs[index]!.ended
      expect(code, stderr).toBe(0)
      expect((await readFile(bench.path('output/content.bin'))).equals(contents[index]!)).toBe(true)
    }
    await bench.expectNothingUnfinished()
  },
)

test('35: two pulls of one file name that end together: one whole file', async () => {
  const bench = await LocalBench.open()
  const contents = [someBytes(600_000), someBytes(500_000).reverse()]
  for (const [index, content] of contents.entries()) await bench.seed(content, { tag: `v${index}` })
  for (let round = 0; round < 5; round++) {
    const pulls = contents.map((_, index) =>
      bench.run(['pull', bench.reference(`v${index}`), '-o', bench.output, '--plain-http']),
    )
    for (const { code, stderr } of await Promise.all(pulls)) expect(code, stderr).toBe(0)
    const found = await readFile(bench.path('output/content.bin'))
    expect(contents.some((content) => found.equals(content))).toBe(true)
    await bench.expectNothingUnfinished()
  }
})

const WRITERS = 16

describe('36: sixteen who attach at a time to a registry that keeps referrers under a tag', () => {
  test('36: as processes, on a registry with ETags: sixteen entries', async () => {
    const bench = await LocalBench.open()
    bench.hideReferrers()
    const subject = await bench.seed(Buffer.from('subject'))
    await bench.write('note.txt', 'attached\n')
    const programs = Array.from({ length: WRITERS }, (_, number) =>
      bench.run([
        ...['attach', bench.reference('v1'), 'note.txt', '--artifact-type', `test/number-${number}`],
        ...['--plain-http', '--distribution-spec', 'v1.1-referrers-tag'],
      ]),
    )
    for (const { code, stderr } of await Promise.all(programs)) expect(code, stderr).toBe(0)
    expect(await typesListedFor(bench.behind(), subject)).toEqual(typesOf(WRITERS))
  })

  test('36: on a registry without ETags: sixteen entries', async () => {
    const emulator = await Emulator.start({ referrers: { api: 404, ociSubject: 'absent' } })
    const transports = Array.from({ length: WRITERS }, () =>
      createTransport({ registry: emulator.registry, plainHttp: true }),
    )
    try {
      const repositories = transports.map((transport) => new Repository(transport, 'team/app'))
      const [first] = repositories
      const packed = packManifest({ artifactType: 'test/subject', layers: [] })
      for (const { descriptor, bytes } of packed.blobs) await first!.push(descriptor, openOf(bytes))
      await first!.push(packed.descriptor, openOf(packed.bytes), { tag: 'v1' })
      await Promise.all(
        repositories.map((repository, number) =>
          attach(repository, 'v1', [], {
            artifactType: `test/number-${number}`,
            annotations: { number: String(number) },
          }),
        ),
      )
      expect(await typesListedFor(first!, packed.descriptor)).toEqual(typesOf(WRITERS))
    } finally {
      for (const transport of transports) await transport.close()
      await emulator.close()
    }
  })
})

const INDEX = { schemaVersion: 2, mediaType: MediaType.imageIndex, manifests: [] as object[] }
const IMAGE = { schemaVersion: 2, mediaType: MediaType.imageManifest, config: {}, layers: [] }

describe('37: a tag for referrers that holds', () => {
  test.each<[string, string, string | object, { message: RegExp; code?: number }]>([
    ['an image', IMAGE.mediaType, IMAGE, { message: /instead of a list of referrers, and was left alone/, code: 4 }],
    ['garbage', INDEX.mediaType, 'this is no JSON', { message: /not valid JSON/ }],
    ['an index that is an image too', INDEX.mediaType, { ...INDEX, layers: [] }, { message: /ambiguous/ }],
    ['too much', INDEX.mediaType, { ...INDEX, long: 'x'.repeat(5 << 20) }, { message: /exceeds the limit of/ }],
  ])('37: %s is an error, and is not written', async (_what, mediaType, document, { message, code = 1 }) => {
    const bench = await LocalBench.open()
    bench.hideReferrers()
    await bench.seed(Buffer.from('subject'))
    await bench.write('note.txt', 'attached\n')
    const body = Buffer.from(typeof document === 'string' ? document : JSON.stringify(document))
    const tag = /\/manifests\/sha256-[0-9a-f]{64}$/
    for (const method of ['GET', 'HEAD']) {
      bench.wire.on(
        method,
        tag,
        ({ answer }) => {
          answer(200, { 'content-type': mediaType }, body)
        },
        { times: 99 },
      )
    }
    const words = ['attach', bench.reference('v1'), 'note.txt', '--artifact-type', 'test/note', '--plain-http']
    await bench.fails(words, message, { code })
    expect(bench.wire.find('PUT', tag)).toEqual([])
    expect(bench.wire.find('DELETE', tag)).toEqual([])
  })
})

function typesOf(count: number): string[] {
  return Array.from({ length: count }, (_, number) => `test/number-${number}`).sort()
}

async function typesListedFor(repository: Repository, { digest }: Descriptor): Promise<(string | undefined)[]> {
  const { bytes } = await repository.readManifest(digest.replace(':', '-'))
  const { manifests } = JSON.parse(Buffer.from(bytes).toString()) as { manifests: Descriptor[] }
  return manifests.map(({ artifactType }) => artifactType).sort()
}

function openOf(bytes: Uint8Array): () => AsyncGenerator<Uint8Array> {
  return async function* () {
    yield bytes
  }
}

import { describe, expect, test } from 'vitest'
import { descriptorOf, type Descriptor } from '../../src/oci/descriptor.js'
import { digestOf } from '../../src/oci/digest.js'
import { MediaType } from '../../src/oci/media-types.js'
import { openBytes } from '../../src/util/bytes.js'
import { packManifest } from '../../src/oci/pack.js'
import { MANIFEST } from './fault-bench.js'
import { LocalBench } from './local-bench.js'

const REFERRERS = /\/referrers\//

function indexOf(manifests: readonly object[]): Buffer {
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MediaType.imageIndex, manifests }))
}

/** Lets the registry list as referrers what a function says. */
function listReferrers(
  bench: LocalBench,
  listFor: (digest: string, page: number) => readonly object[],
  pages = 1,
): void {
  bench.wire.on(
    'GET',
    REFERRERS,
    ({ request, answer }) => {
      const url = new URL(request.url ?? '', 'http://registry')
      const digest = url.pathname.split('/').at(-1) ?? ''
      const page = Number(url.searchParams.get('page') ?? '0')
      const next = `<${url.pathname}?page=${page + 1}>; rel="next"`
      answer(
        200,
        { 'content-type': MediaType.imageIndex, ...(page + 1 < pages ? { link: next } : {}) },
        indexOf(listFor(digest, page)),
      )
    },
    { times: Number.POSITIVE_INFINITY },
  )
}

const listed = ({ mediaType, digest, size }: Descriptor): object => ({
  ...{ mediaType, digest, size },
  artifactType: 'test/listed',
})

describe('40: referrers that refer to each other', () => {
  async function circle(): Promise<{ bench: LocalBench; first: Descriptor; second: Descriptor }> {
    const bench = await LocalBench.open()
    const first = await bench.seed(Buffer.from('first'), { tag: 'v1' })
    const second = await bench.seedManifest({ artifactType: 'test/second', layers: [], subject: first }, 'v2')
    listReferrers(bench, (digest) => [listed(digest === first.digest ? second : first)])
    return { bench, first, second }
  }

  test('40: are shown once each', async () => {
    const { bench, first, second } = await circle()
    const { stdout } = await bench.succeeds(['discover', bench.reference('v1'), '--plain-http'])
    expect(stdout.split(second.digest)).toHaveLength(2)
    expect(stdout.split(first.digest).length).toBeLessThanOrEqual(3)
    const asked = bench.wire.find('GET', REFERRERS).map(({ url }) => url)
    expect(asked).toEqual([...new Set(asked)])
    expect(asked.length).toBeLessThanOrEqual(2)
  })

  test('40: are copied once each', async () => {
    const { bench, second } = await circle()
    const words = ['copy', '-r', bench.reference('v1'), '--to-oci-layout', 'layout:v1', '--from-plain-http']
    await bench.succeeds(words)
    expect(bench.wire.find('GET', new RegExp(second.digest)).length).toBeLessThanOrEqual(2)
  })
})

describe('40: a manifest with 20,000 referrers', () => {
  const digests = (page: number): readonly object[] =>
    Array.from({ length: 1000 }, (_, number) => {
      const bytes = Buffer.from(`${page}-${number}`)
      return listed(descriptorOf(MediaType.imageManifest, bytes))
    })

  test.each([
    ['discover', (bench: LocalBench) => ['discover', bench.reference('v1'), '--plain-http']],
    [
      'copy -r',
      (bench: LocalBench) => [
        ...['copy', '-r', bench.reference('v1'), '--to-oci-layout', 'layout:v1', '--from-plain-http'],
      ],
    ],
  ])('40: is refused by %s, with little memory', async (_what, words) => {
    const bench = await LocalBench.open()
    const root = await bench.seed(Buffer.from('first'))
    listReferrers(bench, (digest, page) => (digest === root.digest ? digests(page) : []), 20)
    const { code, stderr, memory } = await bench.measure(words(bench))
    expect(stderr).toMatch(/more than 10000/)
    expect(code).toBe(1)
    expect(memory).toBeLessThan(150)
    await bench.expectNothingUnfinished()
  })
})

describe('40: indexes', () => {
  test('40: a hundred levels deep are refused', async () => {
    const bench = await LocalBench.open()
    const { descriptor, bytes, blobs } = packManifest({ artifactType: 'test/leaf', layers: [] })
    const repository = bench.behind()
    for (const blob of blobs) await repository.push(blob.descriptor, openBytes(blob.bytes))
    await repository.push(descriptor, openBytes(bytes))
    let inner = descriptor
    for (let level = 0; level < 100; level++) {
      const index = indexOf([inner])
      inner = descriptorOf(MediaType.imageIndex, index)
      await repository.push(inner, openBytes(index), { tag: `level-${level}` })
    }
    const words = (tag: string): string[] => [
      ...['copy', bench.reference(tag), '--to-oci-layout', `layout:${tag}`, '--from-plain-http'],
    ]
    const { code, stderr } = await bench.run(words('level-99'))
    expect(stderr).toMatch(/the graph has more than 32 levels, down to sha256:/)
    expect(code).toBe(1)
    await bench.expectNothingUnfinished()
    await bench.succeeds(words('level-20'))
  })

  test('40: that list themselves are refused', async () => {
    const bench = await LocalBench.open()
    const digest = digestOf('made up')
    const index = indexOf([{ mediaType: MediaType.imageIndex, digest, size: 300 }])
    bench.wire.on(
      'GET',
      MANIFEST,
      ({ answer }) => {
        answer(200, { 'content-type': MediaType.imageIndex }, index)
      },
      { times: 99 },
    )
    const words = ['copy', bench.reference('v1'), '--to-oci-layout', 'layout:v1', '--from-plain-http']
    const { code, stderr } = await bench.run(words)
    expect(stderr).toMatch(/size|digest/)
    expect(code).toBe(1)
    expect(bench.wire.ledger.length).toBeLessThan(10)
  })
})

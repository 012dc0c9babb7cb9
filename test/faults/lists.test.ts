import { describe, expect, test } from 'vitest'
import { FaultBench, NAME } from './fault-bench.js'
import { reply } from './faults.js'
import type { Fault } from './faulty-wire.js'

const ALWAYS = { times: Number.POSITIVE_INFINITY }
const INDEX = 'application/vnd.oci.image.index.v1+json'
const SUBJECT = `sha256:${'a'.repeat(64)}`
const REFERRER = `sha256:${'b'.repeat(64)}`

/** A list that comes in pages, and the command that shows it. */
interface List {
  readonly name: string
  readonly path: string
  readonly page: object
  /** What the command shows of that page. */
  readonly shown: string
  /** A page without entries. */
  readonly empty: object
  readonly words: (bench: FaultBench) => readonly string[]
}

const LISTS: readonly List[] = [
  {
    name: 'tags',
    path: `/v2/${NAME}/tags/list`,
    page: { name: NAME, tags: ['v1'] },
    shown: 'v1',
    empty: { name: NAME, tags: [] },
    words: ({ wire }) => ['repo', 'tags', `${wire.host}/${NAME}`],
  },
  {
    name: 'repositories',
    path: '/v2/_catalog',
    page: { repositories: [NAME] },
    shown: NAME,
    empty: { repositories: [] },
    words: ({ wire }) => ['repo', 'ls', wire.host],
  },
  {
    name: 'referrers',
    path: `/v2/${NAME}/referrers/${SUBJECT}`,
    page: { schemaVersion: 2, mediaType: INDEX, manifests: [{ mediaType: INDEX, digest: REFERRER, size: 2 }] },
    shown: REFERRER,
    empty: { schemaVersion: 2, mediaType: INDEX, manifests: [] },
    words: ({ wire }) => ['discover', `${wire.host}/${NAME}@${SUBJECT}`],
  },
]

function pathPattern({ path }: List): RegExp {
  return new RegExp(`^${path}$`)
}

/** Opens a bench whose registry has such a list, with a Link header for each page by its number from 0. */
async function openWith(list: List, linkOf: (index: number) => string): Promise<FaultBench> {
  const bench = await FaultBench.open()
  const type = list.name === 'referrers' ? INDEX : 'application/json'
  let index = 0
  const answerPage: Fault = ({ answer }) => {
    // Headers travel as bytes.
    const link = Buffer.from(linkOf(index++)).toString('latin1')
    answer(200, { 'content-type': type, ...(link === '' ? {} : { link }) }, Buffer.from(JSON.stringify(list.page)))
  }
  const subject = { 'content-type': INDEX, 'docker-content-digest': SUBJECT, 'content-length': '2' }
  bench.wire.on('HEAD', /\/manifests\//, reply({ status: 200, headers: subject }), ALWAYS)
  bench.wire.on('GET', pathPattern(list), answerPage, ALWAYS)
  return bench
}

function pagesIn({ wire }: FaultBench, list: List): number {
  return wire.find('GET', pathPattern(list)).length
}

describe.each(LISTS)('31: a list of $name whose next page', (list) => {
  const next = (target: string): string => `<${target}>; rel="next"`

  test.each<[string, (index: number) => string, number]>([
    ['always is one and the same', () => next(`${list.path}?n=1&last=a`), 3],
    ['is the one that was asked for first', () => next(list.path), 3],
    ['is the one before it', (index) => next(`${list.path}?n=1&last=${index % 2 === 0 ? 'a' : 'b'}`), 4],
  ])('31: %s: an error as soon as a page comes twice', async (_name, linkOf, most) => {
    const bench = await openWith(list, linkOf)
    await bench.fails(list.words(bench), {
      message: /the registry repeated a page of the (tags|referrers|repositories)/,
    })
    expect(pagesIn(bench, list)).toBeLessThanOrEqual(most)
  })

  test.each<[string, (host: string) => string, RegExp]>([
    [
      'is on another port',
      (host) => next(`http://${host}/x`),
      /next page is on another host: 127\.0\.0\.1:\d+ instead of/,
    ],
    ['is on another port, without a scheme', (host) => next(`//${host}/x`), /next page is on another host/],
    ['is on another port, without a relation', (host) => `<http://${host}/x>`, /next page is on another host/],
    ['is behind backslashes', (host) => next(`\\\\${host}/x`), /next page ".*" is malformed/],
    ['is behind a slash and a backslash', (host) => next(`/\\${host}/x`), /next page ".*" is malformed/],
    [
      'is behind user information',
      (host) => next(`http://someone:secret@${host}/x`),
      /next page ".*" carries user information/,
    ],
    ['is in a file', () => next('file:///etc/passwd'), /next page ".*" is neither http nor https/],
    ['is in no place', () => next('http://%/'), /next page ".*" is malformed/],
    ['is not in brackets', (host) => `http://${host}/x; rel="next"`, /next page is on another host/],
    ['is no address', () => 'x; rel="next"', /malformed Link header/],
    ['has no end', (host) => `<http://${host}/x; rel="next"`, /malformed Link header/],
    ['has a relation without an end', (host) => `<http://${host}/x>; rel="next`, /malformed Link header/],
    ['comes a thousand times without a comma', () => '<x>'.repeat(1000), /malformed Link header/],
    [
      'has an address of 1 MiB',
      (host) => next(`http://${host}/${'x'.repeat(1024 * 1024)}`),
      /exceed the limit of 64 KiB/,
    ],
  ])('31: %s: refused, and nobody is asked for it', async (_name, linkOf, message) => {
    const place = { host: '' }
    const bench = await openWith(list, () => linkOf(place.host))
    const stranger = await bench.startStranger()
    place.host = stranger.host
    await bench.fails(list.words(bench), { message })
    expect(stranger.connections(), 'connections to the other host').toBe(0)
    expect(pagesIn(bench, list)).toBe(1)
  })

  test.each(['prev', 'last', 'next-archive', 'self'])(
    '31: is only related as "%s": there is none',
    async (relation) => {
      const bench = await openWith(list, () => `<${list.path}?n=1&last=a>; rel="${relation}"`)
      const { stdout } = await bench.succeeds(...list.words(bench))
      expect(stdout).toContain(list.shown)
      expect(pagesIn(bench, list)).toBe(1)
    },
  )

  test('31: is a new one each time, and empty: an error after a few', async () => {
    const empty = { ...list, page: list.empty }
    const bench = await openWith(empty, (index) => next(`${list.path}?n=1&last=${index}`))
    await bench.fails(list.words(bench), { message: /go on with empty pages/ })
    expect(pagesIn(bench, list)).toBe(4)
  })
})

import { expect } from 'vitest'
import { digestOf } from '../../../src/oci/digest.js'
import { MediaType } from '../../../src/oci/media-types.js'
import { imageManifest } from '../../server/test-registry.js'
import { basic, REPOSITORY, USER, type SwitchRow, type Wire } from './row.js'

const TAGS = `/v2/${REPOSITORY}/tags/list`

async function pushReferrers(
  wire: Wire,
  count: number,
): Promise<{ subject: string; path: string; ociSubject: unknown }> {
  const { digest, size } = await wire.pushImage(REPOSITORY, 'v1')
  const subject = { mediaType: MediaType.imageManifest, digest, size }
  let ociSubject: unknown
  for (let index = 0; index < count; index++) {
    const manifest = imageManifest({
      subject,
      artifactType: `test/${index % 2}`,
      annotations: { index: String(index) },
    })
    const answer = await wire.putManifest(REPOSITORY, digestOf(JSON.stringify(manifest)), manifest)
    ociSubject = answer.headers['oci-subject']
  }
  return { subject: digest, path: `/v2/${REPOSITORY}/referrers/${digest}`, ociSubject }
}

/** What is listed, deleted and referred to: 59 to 74. */
export const LIST_ROWS: readonly SwitchRow[] = [
  ...(
    [
      ['relative', (): string => `<${TAGS}?last=b&n=2>; rel="next"`],
      ['unquotedRel', (): string => `<${TAGS}?last=b&n=2>; rel=next`],
      ['absolute', (wire: Wire): string => `<${wire.url}${TAGS}?last=b&n=2>; rel="next"`],
      ['otherOrigin', (wire: Wire): string => `<${wire.emulator.origins.blobs.origin}${TAGS}?last=b&n=2>; rel="next"`],
      ['wrongPrefix', (wire: Wire): string => `<${wire.url}/repository/virtual${TAGS}?last=b&n=2>; rel="next"`],
      ['none', (): undefined => undefined],
    ] as const
  ).map(([link, expected]): SwitchRow => ({
    row: '59',
    name: `link ${link}`,
    options: { tags: { link } },
    check: async (wire) => {
      await wire.seed(['a', 'b', 'c'])
      const { json, headers } = await wire.get(`${TAGS}?n=2`)
      expect(json.tags).toEqual(['a', 'b'])
      expect(headers.link).toBe(expected(wire))
    },
  })),
  {
    row: '59',
    name: 'linkWhenFull',
    options: { tags: { linkWhenFull: true } },
    check: async (wire) => {
      await wire.seed(['a', 'b'])
      expect((await wire.get(`${TAGS}?n=2`)).headers.link).toBe(`<${TAGS}?last=b&n=2>; rel="next"`)
      const { json, headers } = await wire.get(`${TAGS}?n=2&last=b`)
      expect([json.tags, headers.link]).toEqual([[], undefined])
      expect((await wire.get(TAGS)).headers.link).toBeUndefined()
    },
  },
  {
    row: '60',
    name: 'ignoreN',
    options: { tags: { ignoreN: true } },
    check: async (wire) => {
      await wire.seed(['a', 'b', 'c'])
      const { json, headers } = await wire.get(`${TAGS}?n=1&last=b`)
      expect([json.tags, headers.link]).toEqual([['c', 'b', 'a'], undefined])
    },
  },
  {
    row: '61',
    name: 'maxN 405',
    options: { tags: { maxN: { count: 2, above: 405 }, defaultN: 1 } },
    check: async (wire) => {
      await wire.seed(['a', 'b', 'c'])
      expect((await wire.get(`${TAGS}?n=3`)).code).toBe('UNSUPPORTED')
      expect((await wire.get(`${TAGS}?n=2`)).json.tags).toEqual(['a', 'b'])
      expect((await wire.get(TAGS)).json.tags).toEqual(['a'])
    },
  },
  {
    row: '61',
    name: 'maxN capped',
    options: { tags: { maxN: { count: 2, above: 'capped' } } },
    check: async (wire) => {
      await wire.seed(['a', 'b', 'c'])
      expect((await wire.get(`${TAGS}?n=3`)).json.tags).toEqual(['a', 'b'])
    },
  },
  {
    row: '62',
    name: 'cursor opaque',
    options: { tags: { cursor: 'opaque' } },
    check: async (wire) => {
      await wire.seed(['a', 'b', 'c'])
      const { headers } = await wire.get(`${TAGS}?n=2`)
      expect(headers.link).toMatch(/next_page=/)
      expect((await wire.get(`${TAGS}?n=2&last=b`)).json.tags).toEqual(['a', 'b'])
      expect((await wire.get(/<(.+)>/.exec(String(headers.link))?.[1] ?? '')).json.tags).toEqual(['c'])
    },
  },
  ...([404, 400] as const).map((unknownLast): SwitchRow => ({
    row: '63',
    name: `unknownLast ${unknownLast}`,
    options: { tags: { unknownLast } },
    check: async (wire) => {
      await wire.seed(['a', 'c'])
      expect((await wire.get(`${TAGS}?last=b`)).status).toBe(unknownLast)
      expect((await wire.get(`${TAGS}?last=a`)).json.tags).toEqual(['c'])
    },
  })),
  {
    row: '64',
    name: 'null, extraMembers',
    options: { tags: { null: true, extraMembers: true } },
    check: async (wire) => {
      const digest = await wire.seed([])
      expect((await wire.get(TAGS)).json.tags).toBeNull()
      await wire.seed(['v1'])
      const { json } = await wire.get(TAGS)
      expect(json).toMatchObject({ tags: ['v1'], child: [], manifest: { [digest]: { tag: ['v1'] } } })
    },
  },
  {
    row: '65',
    name: 'linkLoop',
    options: { tags: { linkLoop: true } },
    check: async (wire) => {
      await wire.seed(['a', 'b'])
      const first = await wire.get(`${TAGS}?n=2`)
      const target = /<(.+)>/.exec(String(first.headers.link))?.[1] ?? ''
      const next = await wire.get(target)
      expect(/<(.+)>/.exec(String(next.headers.link))?.[1]).toBe(target)
    },
  },
  ...([401, 404] as const).map((catalog): SwitchRow => ({
    row: '66',
    name: `catalog ${catalog}`,
    options: { catalog },
    check: async (wire) => expect((await wire.get('/v2/_catalog')).status).toBe(catalog),
  })),
  {
    row: '66',
    name: 'catalogMaxN',
    options: { catalogMaxN: 1 },
    check: async (wire) => {
      expect((await wire.get('/v2/_catalog?n=2')).code).toBe('PAGINATION_NUMBER_INVALID')
      expect((await wire.get('/v2/_catalog?n=1')).status).toBe(200)
    },
  },
  {
    row: '66',
    name: 'catalog adminOnly',
    options: { catalog: 'adminOnly' },
    check: async (wire) => {
      expect((await wire.get('/v2/_catalog', basic(USER))).status).toBe(401)
      expect((await wire.get('/v2/_catalog', basic({ ...USER, username: 'admin' }))).status).toBe(200)
    },
  },
  ...(
    [
      [{ tag: 400 }, 400, 202],
      [{ tag: 'digest-invalid' }, 400, 202],
      [{ tag: 405, digest: 405 }, 405, 405],
    ] as const
  ).map(([manifest, byTag, byDigest]): SwitchRow => ({
    row: '67',
    name: `delete manifest ${JSON.stringify(manifest)}`,
    options: { delete: { manifest } },
    check: async (wire) => {
      const digest = await wire.seed(['v1'])
      expect((await wire.send('DELETE', `/v2/${REPOSITORY}/manifests/v1`)).status).toBe(byTag)
      expect((await wire.send('DELETE', `/v2/${REPOSITORY}/manifests/${digest}`)).status).toBe(byDigest)
    },
  })),
  {
    row: '67',
    name: 'delete by digest what has no tag: 404',
    options: { delete: { manifest: { digest: 404 } } },
    check: async (wire) => {
      const digest = await wire.seed([])
      expect((await wire.send('DELETE', `/v2/${REPOSITORY}/manifests/${digest}`)).status).toBe(404)
      await wire.seed(['v1'])
      expect((await wire.send('DELETE', `/v2/${REPOSITORY}/manifests/${digest}`)).status).toBe(202)
    },
  },
  {
    row: '68',
    name: 'danglingTag 400',
    options: { delete: { danglingTag: 400 } },
    check: async (wire) => {
      const digest = await wire.seed(['v1'])
      const path = `/v2/${REPOSITORY}/manifests/${digest}`
      expect((await wire.send('DELETE', path)).code).toBe('GOOGLE_MANIFEST_DANGLING_TAG')
      expect((await wire.send('DELETE', `/v2/${REPOSITORY}/manifests/v1`)).status).toBe(202)
      expect((await wire.send('DELETE', path)).status).toBe(202)
    },
  },
  {
    row: '68',
    name: 'danglingTag 409 for several tags',
    options: { delete: { danglingTag: 409 } },
    check: async (wire) => {
      const digest = await wire.seed(['v1', 'v2'])
      const path = `/v2/${REPOSITORY}/manifests/${digest}`
      expect((await wire.send('DELETE', path)).status).toBe(409)
      await wire.send('DELETE', `/v2/${REPOSITORY}/manifests/v1`)
      expect((await wire.send('DELETE', path)).status).toBe(202)
    },
  },
  {
    row: '69',
    name: 'delete blob 405',
    options: { delete: { blob: 405 } },
    check: async (wire) => {
      const digest = await wire.seedBlob('hello')
      expect((await wire.send('DELETE', `/v2/${REPOSITORY}/blobs/${digest}`)).code).toBe('UNSUPPORTED')
    },
  },
  ...(
    [
      [404, 404, /"NOT_FOUND"/],
      ['404text', 404, /^404 page not found\n$/],
      [400, 400, /"UNSUPPORTED"/],
      [406, 406, /"UNSUPPORTED"/],
      ['200html', 200, /^<html>/],
    ] as const
  ).map(([api, status, body]): SwitchRow => ({
    row: '70',
    name: `referrers ${api}`,
    options: { referrers: { api } },
    check: async (wire) => {
      const { path, ociSubject } = await pushReferrers(wire, 1)
      const answer = await wire.get(path)
      expect(answer.status).toBe(status)
      expect(answer.text).toMatch(body)
      expect(ociSubject).toBeUndefined()
    },
  })),
  {
    row: '71',
    name: 'missingSubject 400',
    options: { referrers: { missingSubject: 400 } },
    check: async (wire) => {
      const { path } = await pushReferrers(wire, 1)
      expect((await wire.get(path)).json.manifests).toHaveLength(1)
      const missing = `/v2/${REPOSITORY}/referrers/${digestOf('missing')}`
      expect((await wire.get(missing)).code).toBe('MANIFEST_INVALID')
    },
  },
  {
    row: '72',
    name: 'ociSubject absent',
    options: { referrers: { ociSubject: 'absent' } },
    check: async (wire) => {
      const { path, ociSubject } = await pushReferrers(wire, 1)
      expect([ociSubject, (await wire.get(path)).status]).toEqual([undefined, 200])
    },
  },
  {
    row: '72',
    name: 'ociSubject lying',
    options: { referrers: { ociSubject: 'lying', api: 404 } },
    check: async (wire) => {
      const { path, subject, ociSubject } = await pushReferrers(wire, 1)
      expect([ociSubject, (await wire.get(path)).status]).toEqual([subject, 404])
    },
  },
  ...(
    [
      ['applied', 2, 'artifactType'],
      ['notApplied', 4, undefined],
      ['headerOnly', 4, 'artifactType'],
    ] as const
  ).map(([filters, count, header]): SwitchRow => ({
    row: '73',
    name: `filters ${filters}`,
    options: { referrers: { filters } },
    check: async (wire) => {
      const { path } = await pushReferrers(wire, 4)
      const { json, headers } = await wire.get(`${path}?artifactType=test/0`)
      expect(json.manifests).toHaveLength(count)
      expect(headers['oci-filters-applied']).toBe(header)
    },
  })),
  {
    row: '73',
    name: 'page',
    options: { referrers: { page: 3 } },
    check: async (wire) => {
      const { path } = await pushReferrers(wire, 4)
      const { json, headers } = await wire.get(path)
      expect(json.manifests).toHaveLength(3)
      const next = await wire.get(/<(.+)>/.exec(String(headers.link))?.[1] ?? '')
      expect([next.json.manifests?.length, next.headers.link]).toEqual([1, undefined])
    },
  },
  {
    row: '74',
    name: 'tagResolvesToSubject',
    options: { referrers: { api: 404, tagResolvesToSubject: true } },
    check: async (wire) => {
      const digest = await wire.seed(['v1'])
      const tag = digest.replace(':', '-')
      await wire.seed([tag], { artifactType: 'test/other' })
      const { headers } = await wire.get(`/v2/${REPOSITORY}/manifests/${tag}`)
      expect(headers['docker-content-digest']).toBe(digest)
    },
  },
]

import { expect } from 'vitest'
import { digestOf } from '../../../src/oci/digest.js'
import { BEARER, challenge, REPOSITORY, type SwitchRow } from './row.js'

const UPLOADS = `/v2/${REPOSITORY}/blobs/uploads/`
const MISSING = `sha256:${'0'.repeat(64)}` as const

/** How blobs are taken: 23 to 40. */
export const UPLOAD_ROWS: readonly SwitchRow[] = [
  ...(
    [
      ['absolute', /^http:\/\/127\.0\.0\.1:\d+\/v2\/team\/app\/blobs\/uploads\/[^/?]+$/],
      ['relative', /^\/v2\/team\/app\/blobs\/uploads\/[^/?]+$/],
      ['pathless', /^[0-9a-f-]{36}$/],
      [
        'outsideV2',
        /^http:\/\/127\.0\.0\.1:\d+\/artifacts-uploads\/namespaces\/team\/repositories\/app\/uploads\/\S+$/,
      ],
    ] as const
  ).map(([location, expected]): SwitchRow => ({
    row: '23',
    name: `location ${location}`,
    options: { upload: { location } },
    check: async (wire) => {
      const opened = await wire.openUpload(REPOSITORY)
      expect(opened).toMatch(expected)
      expect((await wire.finish(opened, digestOf('hello'), 'hello')).status).toBe(201)
    },
  })),
  {
    row: '23',
    name: 'locationLength',
    options: { upload: { location: 'outsideV2', locationLength: 8192 } },
    check: async (wire) => expect((await wire.openUpload(REPOSITORY)).length).toBeGreaterThan(8192),
  },
  ...([404, 416] as const).map((staleState): SwitchRow => ({
    row: '24',
    name: `locationQuery, stale ${staleState}`,
    options: { upload: { locationQuery: 'cache-and-state', staleState } },
    check: async (wire) => {
      const opened = await wire.openUpload(REPOSITORY)
      expect(opened).toMatch(/\?_nouploadcache=false&_state=/)
      const next = (await wire.patch(opened, 'hello')).headers.location ?? ''
      expect(next).not.toBe(opened)
      expect((await wire.patch(opened, ' you')).status).toBe(staleState)
      expect((await wire.finish(next, digestOf('hello'))).status).toBe(201)
    },
  })),
  {
    row: '25',
    name: 'locationScheme, dropPort',
    options: { upload: { locationScheme: 'http', dropPort: true } },
    check: async (wire) => expect(await wire.openUpload(REPOSITORY)).toMatch(/^http:\/\/127\.0\.0\.1\/v2\//),
  },
  {
    row: '26',
    name: 'locationHost other',
    options: { upload: { locationHost: 'other' } },
    check: async (wire) => expect(await wire.openUpload(REPOSITORY)).toContain(wire.emulator.origins.blobs.origin),
  },
  {
    row: '26',
    name: 'locationHost private',
    options: { upload: { locationHost: 'private' } },
    check: async (wire) => expect(await wire.openUpload(REPOSITORY)).toContain('http://10.0.0.1/'),
  },
  {
    row: '27',
    name: 'noChunked',
    options: { upload: { noChunked: true } },
    check: async (wire) => {
      const opened = await wire.openUpload(REPOSITORY)
      expect((await wire.patch(opened, 'hello', 0)).status).toBe(400)
      expect((await wire.patch(opened, 'hello')).status).toBe(202)
    },
  },
  {
    row: '28',
    name: 'maxChunk',
    options: { upload: { maxChunk: 4 } },
    check: async (wire) => {
      const opened = await wire.openUpload(REPOSITORY)
      const { status, code } = await wire.patch(opened, 'hello', 0)
      expect([status, code]).toEqual([416, 'REQUESTED_RANGE_NOT_SATISFIABLE'])
      expect((await wire.patch(opened, 'hell', 0)).status).toBe(202)
    },
  },
  {
    row: '29',
    name: 'minChunk, announced',
    options: { upload: { minChunk: 5, announceMinChunk: true } },
    check: async (wire) => {
      const answer = await wire.post(UPLOADS)
      expect(answer.headers['oci-chunk-min-length']).toBe('5')
      const opened = answer.headers.location ?? ''
      expect((await wire.patch(opened, 'four', 0)).status).toBe(202)
      expect((await wire.patch(opened, 'more', 4)).status).toBe(400)
    },
  },
  {
    row: '29',
    name: 'minChunk, not announced',
    options: { upload: { minChunk: 5 } },
    check: async (wire) => expect((await wire.post(UPLOADS)).headers['oci-chunk-min-length']).toBeUndefined(),
  },
  {
    row: '30',
    name: 'rangeHeader of Quay',
    options: { upload: { rangeHeader: { post: 'bytes=0--1', status: 'bytes', refused: 'offByOne' } } },
    check: async (wire) => {
      const answer = await wire.post(UPLOADS)
      expect(answer.headers.range).toBe('bytes=0--1')
      const opened = wire.pathOf(answer.headers.location ?? '')
      expect((await wire.patch(opened, 'hello', 0)).headers.range).toBe('0-4')
      expect((await wire.get(opened)).headers.range).toBe('bytes=0-4')
      const refused = await wire.patch(opened, 'x', 9)
      expect([refused.status, refused.headers.range]).toEqual([416, '0-5'])
    },
  },
  {
    row: '30',
    name: 'rangeHeader stuck and missing',
    options: { upload: { rangeHeader: { patch: 'stuck', status: 'missing' } } },
    check: async (wire) => {
      const opened = wire.pathOf(await wire.openUpload(REPOSITORY))
      expect((await wire.patch(opened, 'hello', 0)).headers.range).toBe('0-4')
      expect((await wire.patch(opened, ' you', 5)).headers.range).toBe('0-4')
      expect((await wire.get(opened)).headers.range).toBeUndefined()
    },
  },
  {
    row: '30b',
    name: 'earlyAccept',
    options: { upload: { minChunk: 5, earlyAccept: true } },
    check: async (wire) => {
      const opened = wire.pathOf(await wire.openUpload(REPOSITORY))
      expect((await wire.patch(opened, 'hello', 0)).status).toBe(202)
      expect((await wire.patch(opened, 'you', 5)).status).toBe(201)
      const digest = digestOf('helloyou')
      expect((await wire.finish(opened, digest)).status).toBe(404)
      expect((await wire.send('HEAD', `/v2/${REPOSITORY}/blobs/${digest}`)).status).toBe(200)
    },
  },
  {
    row: '30c',
    name: 'chunkMax',
    options: { upload: { chunkMax: 4 } },
    check: async (wire) => {
      const answer = await wire.post(UPLOADS)
      expect(answer.headers['oci-chunk-max-length']).toBe('4')
      expect((await wire.patch(answer.headers.location ?? '', 'hello', 0)).status).toBe(413)
    },
  },
  {
    row: '31',
    name: 'contentRangeFormat strict',
    options: { upload: { contentRangeFormat: 500 } },
    check: async (wire) => {
      const opened = await wire.openUpload(REPOSITORY)
      const headers = { 'Content-Range': 'bytes 0-4/*' }
      expect((await wire.send('PATCH', opened, { headers, body: 'hello' })).status).toBe(500)
    },
  },
  {
    row: '32',
    name: 'streamOnce',
    options: { upload: { streamOnce: true } },
    check: async (wire) => {
      const opened = await wire.openUpload(REPOSITORY)
      expect((await wire.patch(opened, 'hello')).status).toBe(202)
      expect((await wire.patch(opened, ' you')).code).toBe('BLOB_UPLOAD_INVALID')
    },
  },
  ...([416, 202, 400] as const).map((outOfOrder): SwitchRow => ({
    row: '33',
    name: `outOfOrder ${outOfOrder}`,
    options: { upload: { outOfOrder } },
    check: async (wire) => {
      const opened = await wire.openUpload(REPOSITORY)
      expect((await wire.patch(opened, 'hello', 7)).status).toBe(outOfOrder)
    },
  })),
  {
    row: '34',
    name: 'statusNoLocation',
    options: { upload: { statusNoLocation: true } },
    check: async (wire) => {
      const { status, headers } = await wire.get(await wire.openUpload(REPOSITORY))
      expect([status, headers.location]).toEqual([204, undefined])
    },
  },
  ...([201, 202, 415] as const).map((singlePost): SwitchRow => ({
    row: '35',
    name: `singlePost ${singlePost}`,
    options: { upload: { singlePost } },
    check: async (wire) => {
      const path = `${UPLOADS}?digest=${digestOf('hello')}`
      expect((await wire.send('POST', path, { body: 'hello' })).status).toBe(singlePost)
      const headers = { 'Content-Type': 'application/octet-stream' }
      if (singlePost === 415) expect((await wire.send('POST', path, { headers, body: 'hello' })).status).toBe(201)
      const isThere = (await wire.send('HEAD', `/v2/${REPOSITORY}/blobs/${digestOf('hello')}`)).status === 200
      expect(isThere).toBe(singlePost !== 202)
    },
  })),
  {
    row: '36',
    name: 'unknownOnce',
    options: { upload: { unknownOnce: 1 } },
    check: async (wire) => {
      const opened = await wire.openUpload(REPOSITORY)
      expect((await wire.finish(opened, digestOf('hello'), 'hello')).code).toBe('BLOB_UPLOAD_UNKNOWN')
      const again = await wire.openUpload(REPOSITORY)
      expect((await wire.finish(again, digestOf('hello'), 'hello')).status).toBe(201)
    },
  },
  {
    row: '37',
    name: 'dropConnection POST',
    options: { upload: { dropConnection: 'POST' } },
    check: (wire) => expect(wire.post(UPLOADS)).rejects.toThrow(/socket hang up|ECONNRESET/),
  },
  {
    row: '37',
    name: 'dropConnection PATCH',
    options: { upload: { dropConnection: 'PATCH' } },
    check: async (wire) => {
      const opened = await wire.openUpload(REPOSITORY)
      await expect(wire.patch(opened, 'hello')).rejects.toThrow(/socket hang up|ECONNRESET/)
    },
  },
  {
    row: '37',
    name: 'unknown repositories: the connection is cut',
    options: { names: { made: /^made$/, unknownPush: 'drop' } },
    check: async (wire) => {
      await expect(wire.post(UPLOADS)).rejects.toThrow(/socket hang up|ECONNRESET/)
      expect((await wire.post('/v2/made/blobs/uploads/')).status).toBe(202)
    },
  },
  ...([201, 202, 401, 403, 404, 405] as const).map((status): SwitchRow => ({
    row: '38',
    name: `mount ${status}`,
    options: { mount: { status } },
    check: async (wire) => {
      const digest = await wire.seedBlob('hello')
      expect((await wire.post(`/v2/other/blobs/uploads/?mount=${digest}&from=${REPOSITORY}`)).status).toBe(status)
    },
  })),
  ...(
    [
      [201, 201],
      [202, 202],
      ['error', 405],
    ] as const
  ).map(([withoutFrom, status]): SwitchRow => ({
    row: '39',
    name: `mount without from: ${withoutFrom}`,
    options: { mount: { withoutFrom } },
    check: async (wire) => {
      const digest = await wire.seedBlob('hello')
      expect((await wire.post(`/v2/other/blobs/uploads/?mount=${digest}`)).status).toBe(status)
    },
  })),
  {
    row: '40',
    name: 'mount requires pull on the source',
    options: { auth: BEARER, mount: { requiresPullScope: true } },
    check: async (wire) => {
      const path = `${UPLOADS}?mount=${MISSING}&from=other`
      const push = `repository:${REPOSITORY}:pull,push`
      const refused = await wire.post(path, await wire.token(push))
      expect(challenge(refused)).toContain(`scope="${push} repository:other:pull"`)
      expect((await wire.post(path, await wire.token(push, 'repository:other:pull'))).status).toBe(202)
    },
  },
]

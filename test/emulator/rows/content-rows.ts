import { gunzipSync } from 'node:zlib'
import { expect } from 'vitest'
import { digestOf } from '../../../src/oci/digest.js'
import { MediaType } from '../../../src/oci/media-types.js'
import { imageManifest, indexManifest } from '../../server/test-registry.js'
import { basic, REPOSITORY, USER, type SwitchRow, type Wire } from './row.js'

const MANIFEST = `/v2/${REPOSITORY}/manifests/v1`
const OCI = { Accept: MediaType.imageManifest }
const TEXT = 'hello, hello, hello'

async function blobPath(wire: Wire, content = TEXT): Promise<string> {
  return `/v2/${REPOSITORY}/blobs/${await wire.seedBlob(content)}`
}

/** How blobs and manifests are taken and handed out: 41 to 58 and 81. */
export const CONTENT_ROWS: readonly SwitchRow[] = [
  ...([302, 303, 307, 308] as const).map((redirect): SwitchRow => ({
    row: '41',
    name: `redirect ${redirect} to an origin that refuses credentials`,
    options: { blob: { redirect } },
    check: async (wire) => {
      const { status, headers } = await wire.get(await blobPath(wire))
      expect(status).toBe(redirect)
      const target = headers.location ?? ''
      expect(new URL(target).origin).toBe(wire.emulator.origins.blobs.origin)
      expect((await wire.at(target)).text).toBe(TEXT)
      expect((await wire.at(target, { Range: 'bytes=7-11' })).text).toBe('hello')
      expect((await wire.at(target, basic(USER))).status).toBe(400)
      expect((await wire.at(target, { Cookie: 'a=b' })).status).toBe(400)
      expect((await wire.at(target.replace(/X-Signature=.*/, 'X-Signature=wrong'))).status).toBe(403)
    },
  })),
  {
    row: '42',
    name: 'redirectChain 3',
    options: { blob: { redirect: 307, redirectChain: 3 } },
    check: async (wire) => {
      let answer = await wire.get(await blobPath(wire))
      for (let hop = 0; hop < 3; hop++) {
        answer = await wire.at(answer.headers.location ?? '')
        expect(answer.status).toBe(307)
      }
      expect((await wire.at(answer.headers.location ?? '')).text).toBe(TEXT)
    },
  },
  {
    row: '42',
    name: 'redirectChain loop',
    options: { blob: { redirect: 307, redirectChain: 'loop' } },
    check: async (wire) => {
      let answer = await wire.get(await blobPath(wire))
      for (let hop = 0; hop < 12; hop++) answer = await wire.at(answer.headers.location ?? '')
      expect(answer.status).toBe(307)
    },
  },
  ...(['http', 'private'] as const).map((redirectChain): SwitchRow => ({
    row: '42',
    name: `redirectChain ${redirectChain}`,
    options: { blob: { redirect: 307, redirectChain } },
    check: async (wire) => {
      const { headers } = await wire.get(await blobPath(wire))
      expect(headers.location).toMatch(redirectChain === 'http' ? /^http:\/\/127/ : /^http:\/\/10\.0\.0\.1\//)
    },
  })),
  {
    row: '43',
    name: 'redirectExpiry',
    options: { blob: { redirect: 307, redirectExpiry: 60 } },
    check: async (wire) => {
      const path = await blobPath(wire)
      const { headers } = await wire.get(path)
      wire.emulator.time.advance(61)
      expect((await wire.at(headers.location ?? '')).status).toBe(403)
      expect((await wire.at((await wire.get(path)).headers.location ?? '')).status).toBe(200)
    },
  },
  ...(['none', 'ignore'] as const).map((ranges): SwitchRow => ({
    row: '44',
    name: `ranges ${ranges}`,
    options: { blob: { ranges } },
    check: async (wire) => {
      const { status, text, headers } = await wire.get(await blobPath(wire), { Range: 'bytes=7-' })
      expect([status, text]).toEqual([200, TEXT])
      expect(headers['accept-ranges']).toBe(ranges === 'none' ? undefined : 'bytes')
    },
  })),
  {
    row: '44',
    name: 'ranges wrongContentRange',
    options: { blob: { ranges: 'wrongContentRange' } },
    check: async (wire) => {
      const { status, headers } = await wire.get(await blobPath(wire), { Range: 'bytes=7-' })
      expect([status, headers['content-range']]).toEqual([206, 'bytes 0-18/19'])
    },
  },
  {
    row: '44',
    name: 'ranges brokenLength416',
    options: { blob: { ranges: 'brokenLength416' } },
    check: async (wire) => {
      const path = await blobPath(wire)
      await expect(wire.get(path, { Range: 'bytes=70-' })).rejects.toThrow(/aborted/)
      expect(wire.emulator.log.entries.at(-1)?.status).toBe(416)
    },
  },
  {
    row: '45',
    name: 'truncate, corrupt',
    options: { blob: { truncate: 1, corrupt: 1 } },
    check: async (wire) => {
      const path = await blobPath(wire)
      await expect(wire.get(path)).rejects.toThrow(/aborted/)
      const { bytes } = await wire.get(path)
      expect(bytes).toHaveLength(TEXT.length)
      expect(digestOf(bytes)).not.toBe(digestOf(TEXT))
      expect((await wire.get(path)).text).toBe(TEXT)
    },
  },
  ...(
    [
      ['missing', /^undefined$/],
      ['wrong', /^sha256:/],
      ['otherAlgorithm', /^sha512:/],
    ] as const
  ).map(([digestHeader, expected]): SwitchRow => ({
    row: '46',
    name: `digestHeader ${digestHeader}`,
    options: { manifest: { digestHeader } },
    check: async (wire) => {
      const digest = await wire.seed(['v1'])
      const header = (await wire.get(MANIFEST, OCI)).headers['docker-content-digest']
      expect(String(header)).toMatch(expected)
      expect(header).not.toBe(digest)
    },
  })),
  {
    row: '46',
    name: 'sha256Only',
    options: { blob: { sha256Only: true } },
    check: async (wire) => {
      const [long, own] = [digestOf(TEXT, 'sha512'), digestOf(TEXT)]
      const { headers } = await wire.post(`/v2/${REPOSITORY}/blobs/uploads/`)
      const put = await wire.finish(headers.location ?? '', long, TEXT)
      expect([put.status, put.headers['docker-content-digest']]).toEqual([201, own])
      expect(put.headers.location).toMatch(new RegExp(`/blobs/${own}$`))
      const read = await wire.get(`/v2/${REPOSITORY}/blobs/${long}`)
      expect([read.status, read.text, read.headers['docker-content-digest']]).toEqual([200, TEXT, own])
    },
  },
  {
    row: '47',
    name: 'head 405',
    options: { manifest: { head: 405 } },
    check: async (wire) => {
      await wire.seed(['v1'])
      expect((await wire.send('HEAD', MANIFEST, { headers: OCI })).status).toBe(405)
      expect((await wire.get(MANIFEST, OCI)).status).toBe(200)
    },
  },
  ...(
    [
      ['noLength', 'content-length', undefined],
      ['noContentType', 'content-type', undefined],
      ['gzipLength', 'content-encoding', 'gzip'],
    ] as const
  ).map(([head, name, expected]): SwitchRow => ({
    row: '47',
    name: `head ${head}`,
    options: { manifest: { head } },
    check: async (wire) => {
      await wire.seed(['v1'])
      const { headers } = await wire.send('HEAD', MANIFEST, { headers: OCI })
      expect(headers[name]).toBe(expected)
      const whole = await wire.get(MANIFEST, OCI)
      if (head === 'gzipLength') expect(headers['content-length']).not.toBe(whole.headers['content-length'])
    },
  })),
  {
    row: '48',
    name: 'acceptStrict 404',
    options: { manifest: { acceptStrict: 404 } },
    check: async (wire) => {
      await wire.seed(['v1'])
      expect((await wire.get(MANIFEST)).code).toBe('MANIFEST_UNKNOWN')
      expect((await wire.get(MANIFEST, { Accept: '*/*' })).status).toBe(404)
      expect((await wire.get(MANIFEST, { Accept: `text/plain, ${MediaType.imageManifest};q=1` })).status).toBe(200)
    },
  },
  {
    row: '48',
    name: 'acceptStrictTypes',
    options: { manifest: { acceptStrict: 404, acceptStrictTypes: /index/ } },
    check: async (wire) => {
      await wire.seed(['v1'])
      expect((await wire.get(MANIFEST)).status).toBe(200)
    },
  },
  {
    row: '48',
    name: 'acceptStrict convertSchema1',
    options: { manifest: { acceptStrict: 'convertSchema1' } },
    check: async (wire) => {
      const digest = await wire.seed(['v1'])
      const { status, headers, bytes } = await wire.get(MANIFEST)
      expect([status, headers['content-type']]).toEqual([
        200,
        'application/vnd.docker.distribution.manifest.v1+prettyjws',
      ])
      expect(headers['docker-content-digest']).toBe(digestOf(bytes))
      expect(digestOf(bytes)).not.toBe(digest)
      expect(digestOf((await wire.get(MANIFEST, OCI)).bytes)).toBe(digest)
    },
  },
  {
    row: '49',
    name: 'contentType with parameters',
    options: { manifest: { contentType: ';charset=ISO-8859-1' } },
    check: async (wire) => {
      await wire.seed(['v1'])
      const { headers } = await wire.get(MANIFEST, OCI)
      expect(headers['content-type']).toBe(`${MediaType.imageManifest};charset=ISO-8859-1`)
    },
  },
  ...([400, 413] as const).map((overStatus): SwitchRow => ({
    row: '50',
    name: `maxSize, ${overStatus} above`,
    options: { manifest: { maxSize: 1000, overStatus } },
    check: async (wire) => {
      await wire.pushBlob(REPOSITORY, '{}')
      const large = imageManifest({ annotations: { large: 'x'.repeat(1000) } })
      const { status, code } = await wire.putManifest(REPOSITORY, 'v1', large)
      expect([status, code]).toEqual([overStatus, 'MANIFEST_INVALID'])
      expect((await wire.putManifest(REPOSITORY, 'v1', imageManifest())).status).toBe(201)
    },
  })),
  {
    row: '51',
    name: 'rejectTypes of configs',
    options: { manifest: { rejectTypes: { types: /^application\/x-/, status: 415 } } },
    check: async (wire) => {
      await wire.pushBlob(REPOSITORY, '{}')
      const config = { mediaType: 'application/x-test', digest: digestOf('{}'), size: 2 }
      expect((await wire.putManifest(REPOSITORY, 'v1', imageManifest({ config }))).status).toBe(415)
      expect((await wire.putManifest(REPOSITORY, 'v1', imageManifest())).status).toBe(201)
    },
  },
  {
    row: '52',
    name: 'rejectSubject',
    options: { manifest: { rejectSubject: 400 } },
    check: async (wire) => {
      const digest = await wire.seed(['v1'])
      const subject = { mediaType: MediaType.imageManifest, digest, size: 2 }
      await wire.pushBlob(REPOSITORY, '{}')
      const { status, code } = await wire.putManifest(REPOSITORY, 'v2', imageManifest({ subject }))
      expect([status, code]).toEqual([400, 'MANIFEST_BLOB_UNKNOWN'])
    },
  },
  ...([200, 201, 202] as const).map((putStatus): SwitchRow => ({
    row: '53',
    name: `putStatus ${putStatus}`,
    options: { manifest: { putStatus } },
    check: async (wire) => {
      await wire.pushBlob(REPOSITORY, '{}')
      expect((await wire.putManifest(REPOSITORY, 'v1', imageManifest())).status).toBe(putStatus)
    },
  })),
  {
    row: '54',
    name: 'childrenFirst',
    options: { manifest: { childrenFirst: true, missingBlobStatus: 400 } },
    check: async (wire) => {
      const child = { mediaType: MediaType.imageManifest, digest: digestOf('absent'), size: 6 }
      const refused = await wire.putManifest(REPOSITORY, 'v1', indexManifest([child]))
      expect([refused.status, refused.code]).toEqual([400, 'MANIFEST_BLOB_UNKNOWN'])
      expect((await wire.putManifest(REPOSITORY, 'v1', imageManifest())).status).toBe(400)
      const { digest, size } = await wire.pushImage(REPOSITORY)
      const index = indexManifest([{ ...child, digest, size }])
      expect((await wire.putManifest(REPOSITORY, 'v1', index)).status).toBe(201)
    },
  },
  {
    row: '54b',
    name: 'missingIs403',
    options: { manifest: { missingIs403: true } },
    check: async (wire) => {
      expect((await wire.send('HEAD', MANIFEST)).status).toBe(403)
      expect((await wire.get(MANIFEST)).status).toBe(404)
    },
  },
  ...([400, 409, 412] as const).map((status): SwitchRow => ({
    row: '55',
    name: `immutable ${status}`,
    options: { policy: { immutable: { tags: /^v/, status } } },
    check: async (wire) => {
      await wire.pushImage(REPOSITORY, 'v1')
      const { status: refused, code } = await wire.putManifest(REPOSITORY, 'v1', imageManifest({ artifactType: 'a/b' }))
      expect([refused, code]).toEqual([status, 'TAG_IMMUTABLE'])
      expect((await wire.putManifest(REPOSITORY, 'next', imageManifest())).status).toBe(201)
    },
  })),
  {
    row: '56',
    name: 'pullDenied',
    options: { policy: { pullDenied: /^team\// } },
    check: async (wire) => {
      await wire.seed(['v1'])
      const { status, code } = await wire.get(MANIFEST, OCI)
      expect([status, code]).toEqual([412, 'PROJECTPOLICYVIOLATION'])
    },
  },
  {
    row: '57',
    name: 'depth 2',
    options: { names: { depth: 2 } },
    check: async (wire) => {
      expect((await wire.post('/v2/a/b/c/blobs/uploads/')).code).toBe('NAME_INVALID')
      expect((await wire.post('/v2/a/blobs/uploads/')).code).toBe('NAME_INVALID')
      expect((await wire.post('/v2/a/b/blobs/uploads/')).status).toBe(202)
    },
  },
  ...([401, 403] as const).map((missingRepo): SwitchRow => ({
    row: '58',
    name: `missingRepo ${missingRepo}`,
    options: { names: { missingRepo } },
    check: async (wire) => expect((await wire.get('/v2/no/such/tags/list')).status).toBe(missingRepo),
  })),
  {
    row: '81',
    name: 'contentEncoding of manifests',
    options: { http: { contentEncoding: 'manifests' } },
    check: async (wire) => {
      const digest = await wire.seed(['v1'])
      const { headers, bytes } = await wire.get(MANIFEST, OCI)
      expect(headers['content-encoding']).toBe('gzip')
      expect(digestOf(gunzipSync(bytes))).toBe(digest)
    },
  },
  {
    row: '81',
    name: 'contentEncoding of blobs',
    options: { http: { contentEncoding: 'blobs' } },
    check: async (wire) => {
      const { headers, bytes } = await wire.get(await blobPath(wire))
      expect(headers['content-encoding']).toBe('gzip')
      expect(gunzipSync(bytes).toString()).toBe(TEXT)
    },
  },
]

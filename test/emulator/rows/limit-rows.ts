import { expect } from 'vitest'
import { BEARER, REPOSITORY, timerOf, type SwitchRow } from './row.js'

const MANIFEST = `/v2/${REPOSITORY}/manifests/v1`

/** What holds for every request, and what goes wrong on the way: 75 to 82. */
export const LIMIT_ROWS: readonly SwitchRow[] = [
  {
    row: '75',
    name: 'rate limit with headers and seconds',
    options: { rateLimit: { allowed: 1, refused: 1, headers: true, retryAfter: 7 } },
    check: async (wire) => {
      await wire.seed(['v1'])
      expect((await wire.get(MANIFEST)).headers['ratelimit-remaining']).toBe('0;w=21600')
      expect((await wire.send('HEAD', MANIFEST)).status).toBe(200)
      const { status, code, headers } = await wire.get(MANIFEST)
      expect([status, code, headers['retry-after']]).toEqual([429, 'TOOMANYREQUESTS', '7'])
      expect(headers['docker-ratelimit-source']).toBe('203.0.113.7')
      expect((await wire.get(MANIFEST)).status).toBe(200)
    },
  },
  {
    row: '75',
    name: 'rate limit with a date',
    options: { rateLimit: { allowed: 0, retryAfter: { dateIn: 60 }, code: 'TOO_MANY_REQUEST' } },
    check: async (wire) => {
      const earliest = Date.now() + 59_000
      const { code, headers } = await wire.get(MANIFEST)
      const date = Date.parse(String(headers['retry-after']))
      expect([code, date > earliest && date <= Date.now() + 60_000]).toEqual(['TOO_MANY_REQUEST', true])
    },
  },
  ...(['html', 'text'] as const).map((body): SwitchRow => ({
    row: '75',
    name: `rate limit without Retry-After, ${body}`,
    options: { rateLimit: { allowed: 0, body } },
    check: async (wire) => {
      const { status, headers } = await wire.get(MANIFEST)
      expect([status, headers['retry-after']]).toEqual([429, undefined])
      expect(headers['content-type']).toContain(body === 'html' ? 'text/html' : 'text/plain')
    },
  })),
  ...(
    [
      ['single', 404, /^\{"code":"NAME_UNKNOWN",/],
      ['details', 404, /^\{"details":/],
      ['text', 404, /^there is no such repository\n$/],
      ['html', 404, /^<html>/],
      ['escaped', 404, /^\{&quot;errors&quot;:/],
      ['empty', 404, /^$/],
      ['huge', 404, /x{200000}/],
      ['wrongStatus', 400, /"NAME_UNKNOWN"/],
    ] as const
  ).map(([errorShape, expected, body]): SwitchRow => ({
    row: '76',
    name: `errorShape ${errorShape}`,
    options: { general: { errorShape }, auth: {} },
    check: async (wire) => {
      const { status, text } = await wire.get(`/v2/${REPOSITORY}/tags/list`)
      expect(status).toBe(expected)
      expect(text).toMatch(body)
    },
  })),
  {
    row: '76',
    name: 'errorShape keeps challenges',
    options: { general: { errorShape: 'single' }, auth: BEARER },
    check: async (wire) => {
      const { status, headers, text } = await wire.get('/v2/')
      expect([status, headers['www-authenticate'] !== undefined]).toEqual([401, true])
      expect(text).toMatch(/^\{"code":"UNAUTHORIZED"/)
    },
  },
  {
    row: '76',
    name: 'strictRouter',
    options: { names: { strictRouter: true } },
    check: async (wire) => {
      for (const path of ['Upper/tags/list', 'a/manifests/.tag', 'a/blobs/sha256', 'a_/blobs/uploads/']) {
        const { status, text } = await wire.get(`/v2/${path}`)
        expect([path, status, text]).toEqual([path, 404, '404 page not found\n'])
      }
      expect((await wire.get(`/v2/${REPOSITORY}/tags/list`)).code).toBe('NAME_UNKNOWN')
    },
  },
  {
    row: '77',
    name: 'flaky',
    options: { http: { flaky: { times: 2, status: 503 } } },
    check: async (wire) => {
      const statuses = []
      for (let count = 0; count < 3; count++) statuses.push((await wire.get('/v2/')).status)
      expect(statuses).toEqual([503, 503, 200])
    },
  },
  {
    row: '77',
    name: 'reset',
    options: { http: { reset: 1 } },
    check: async (wire) => {
      await expect(wire.get('/v2/')).rejects.toThrow(/socket hang up|ECONNRESET/)
      expect((await wire.get('/v2/')).status).toBe(200)
    },
  },
  {
    row: '77',
    name: 'slow',
    options: { http: { slow: 60 } },
    check: async (wire) => {
      const earlier = timerOf(50)
      await wire.get('/v2/')
      expect(earlier.hasFired()).toBe(true)
    },
  },
  ...([401, 404] as const).map((ping): SwitchRow => ({
    row: '78',
    name: `ping ${ping}`,
    options: { general: { ping } },
    check: async (wire) => expect((await wire.get('/v2/')).status).toBe(ping),
  })),
  {
    row: '78',
    name: 'ping: 200 to everything',
    options: { general: { ping: 'everything' } },
    check: async (wire) => {
      for (const path of ['/v2/', MANIFEST, '/anything']) {
        const { status, headers } = await wire.get(path)
        expect([status, headers['content-type']]).toEqual([200, 'text/html'])
      }
    },
  },
  {
    row: '79',
    name: 'warning',
    options: { general: { warning: 'this repository moves' } },
    check: async (wire) => expect((await wire.get('/v2/')).headers.warning).toBe('299 - "this repository moves"'),
  },
  {
    row: '80',
    name: 'requiredHeaders',
    options: { general: { requiredHeaders: ['X-Meta-Source-Client'] }, blob: { redirect: 307 } },
    check: async (wire) => {
      const path = `/v2/${REPOSITORY}/blobs/${await wire.seedBlob('hello')}`
      const headers = { 'X-Meta-Source-Client': 'test' }
      expect((await wire.get(path)).status).toBe(403)
      const { status, headers: answered } = await wire.get(path, headers)
      expect(status).toBe(307)
      expect((await wire.at(answered.location ?? '', headers)).status).toBe(400)
      expect((await wire.at(answered.location ?? '')).status).toBe(200)
    },
  },
  ...[8, 15].map((kilobytes): SwitchRow => ({
    row: '82',
    name: `hugeHeaders ${kilobytes} KiB`,
    options: { http: { hugeHeaders: kilobytes * 1024 } },
    check: async (wire) => expect((await wire.get('/v2/')).headers['x-padding']).toHaveLength(kilobytes * 1024),
  })),
  {
    row: '82',
    name: 'hugeHeaders 17 KiB, more than clients take by default',
    options: { http: { hugeHeaders: 17 * 1024 } },
    check: (wire) => expect(wire.get('/v2/')).rejects.toThrow(/Header overflow/),
  },
]

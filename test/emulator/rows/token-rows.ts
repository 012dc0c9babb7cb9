import { expect } from 'vitest'
import { basic, BEARER, challenge, REPOSITORY, USER, type SwitchRow } from './row.js'

const PULL = `repository:${REPOSITORY}:pull`
const TAGS = `/v2/${REPOSITORY}/tags/list`
const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' }

/** How tokens are handed out: 9 to 14 and 22. */
export const TOKEN_ROWS: readonly SwitchRow[] = [
  ...(['both', 'token', 'access_token', 'emptyAccessToken'] as const).map((field): SwitchRow => ({
    row: '9',
    name: `field ${field}`,
    options: { auth: BEARER, token: { field } },
    check: async (wire) => {
      const { json } = await wire.askToken([PULL])
      const { token, access_token: access } = json
      if (field === 'both') expect(token).toBe(access)
      if (field === 'token') expect(access).toBeUndefined()
      if (field === 'access_token') expect(token).toBeUndefined()
      if (field === 'emptyAccessToken') expect(access).toBe('')
      expect(token ?? access).toBeTypeOf('string')
    },
  })),
  ...(['missing', 'zero', 'future'] as const).map((issuedAt): SwitchRow => ({
    row: '10',
    name: `omitExpiresIn, issuedAt ${issuedAt}`,
    options: { auth: BEARER, token: { omitExpiresIn: true, issuedAt } },
    check: async (wire) => {
      const { json } = await wire.askToken([PULL])
      expect(json.expires_in).toBeUndefined()
      if (issuedAt === 'missing') expect(json.issued_at).toBeUndefined()
      if (issuedAt === 'zero') expect(json.issued_at).toBe('0001-01-01T00:00:00.000Z')
      if (issuedAt === 'future') expect(Date.parse(String(json.issued_at))).toBeGreaterThan(Date.now() + 3_600_000)
    },
  })),
  {
    row: '11',
    name: 'ttl in requests',
    options: { auth: BEARER, token: { ttl: { requests: 2 } } },
    check: async (wire) => {
      await wire.seed(['v1'])
      const headers = await wire.token(PULL)
      expect([(await wire.get(TAGS, headers)).status, (await wire.get(TAGS, headers)).status]).toEqual([200, 200])
      expect(challenge(await wire.get(TAGS, headers))).toContain('error="invalid_token"')
    },
  },
  {
    row: '11',
    name: 'ttl in seconds',
    options: { auth: BEARER, token: { ttl: { seconds: 90 } } },
    check: async (wire) => {
      await wire.seed(['v1'])
      const headers = await wire.token(PULL)
      wire.emulator.time.advance(80)
      expect((await wire.get(TAGS, headers)).status).toBe(200)
      wire.emulator.time.advance(11)
      expect((await wire.get(TAGS, headers)).status).toBe(401)
    },
  },
  ...(['ok', 404, 405] as const).map((post): SwitchRow => ({
    row: '12',
    name: `post ${post}`,
    options: { auth: BEARER, token: { post } },
    check: async (wire) => {
      const body = new URLSearchParams({ grant_type: 'password', ...USER }).toString()
      const { status } = await wire.send('POST', '/token', { headers: FORM, body })
      expect(status).toBe(post === 'ok' ? 200 : post)
    },
  })),
  {
    row: '13',
    name: 'refreshOnly',
    options: { auth: BEARER, token: { refreshOnly: true } },
    check: async (wire) => {
      const send = (path: string, form: Record<string, string>) =>
        wire.send('POST', path, { headers: FORM, body: new URLSearchParams(form).toString() })
      expect((await send('/token', { grant_type: 'password', ...USER })).status).toBe(401)
      const exchange = { grant_type: 'access_token', service: 's', access_token: USER.password }
      const { json } = await send('/oauth2/exchange', exchange)
      const refresh = { grant_type: 'refresh_token', refresh_token: String(json.refresh_token), scope: PULL }
      expect((await send('/token', refresh)).status).toBe(200)
      expect((await send('/token', { ...refresh, refresh_token: 'wrong' })).status).toBe(401)
    },
  },
  {
    row: '14',
    name: 'rejectActions',
    options: { auth: BEARER, token: { rejectActions: ['delete', 'catalog'] } },
    check: async (wire) => {
      for (const scope of [`repository:${REPOSITORY}:pull,delete`, 'registry:catalog:*']) {
        const { status, code } = await wire.askToken([scope])
        expect([status, code]).toEqual([400, 'INVALID_REQUEST'])
      }
      expect((await wire.askToken([`repository:${REPOSITORY}:*`])).status).toBe(200)
    },
  },
  ...(
    [
      ['details', /^\{"details":/],
      ['text', /^incorrect username or password\n$/],
      ['empty', /^$/],
      ['html', /^<html>/],
    ] as const
  ).map(([errorBody, expected]): SwitchRow => ({
    row: '22',
    name: `errorBody ${errorBody}`,
    options: { auth: BEARER, token: { errorBody } },
    check: async (wire) => {
      const { status, text } = await wire.get('/token', basic({ username: 'user', password: 'wrong' }))
      expect(status).toBe(401)
      expect(text).toMatch(expected)
    },
  })),
]

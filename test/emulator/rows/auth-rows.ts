import { expect } from 'vitest'
import { basic, BEARER, challenge, REPOSITORY, timerOf, USER, type SwitchRow } from './row.js'

const TAGS = `/v2/${REPOSITORY}/tags/list`
const PULL = `repository:${REPOSITORY}:pull`
const PUSH = `repository:${REPOSITORY}:pull,push`
const UPLOADS = `/v2/${REPOSITORY}/blobs/uploads/`

/** How the registry asks who is there: 1 to 21 and 83. */
export const AUTH_ROWS: readonly SwitchRow[] = [
  {
    row: '1',
    name: 'challengeStyle lower-unquoted',
    options: { auth: { ...BEARER, challengeStyle: 'lower-unquoted', service: 'zot' } },
    check: async (wire) => {
      expect(challenge(await wire.get(TAGS))).toBe(`bearer realm=${wire.url}/token,service=zot,scope=${PULL}`)
    },
  },
  {
    row: '2',
    name: 'challengeStyle upper',
    options: { auth: { type: 'basic', accounts: [USER], challengeStyle: 'upper', basicRealm: 'Nexus' } },
    check: async (wire) => {
      expect(challenge(await wire.get(TAGS))).toBe('BASIC realm="Nexus"')
      expect((await wire.get('/v2/', basic(USER))).status).toBe(200)
    },
  },
  ...(['headers', 'joined'] as const).map((multiChallenge): SwitchRow => ({
    row: '3',
    name: `multiChallenge ${multiChallenge}`,
    options: { auth: { ...BEARER, multiChallenge, service: 's', omitScope: true } },
    check: async (wire) => {
      const bearer = `Bearer realm="${wire.url}/token",service="s"`
      const both = `Basic realm="${wire.url}/token",service="s",scope="*"`
      expect(challenge(await wire.get(TAGS))).toBe(`${bearer},${multiChallenge === 'joined' ? '' : ' '}${both}`)
    },
  })),
  {
    row: '4',
    name: 'omitService, omitScope',
    options: { auth: { ...BEARER, omitService: true, omitScope: true } },
    check: async (wire) => expect(challenge(await wire.get(TAGS))).toBe(`Bearer realm="${wire.url}/token"`),
  },
  {
    row: '4',
    name: 'omitScope on HEAD and ping',
    options: { auth: { ...BEARER, omitScope: 'on-head-and-ping' } },
    check: async (wire) => {
      expect(challenge(await wire.send('HEAD', `/v2/${REPOSITORY}/manifests/v1`))).not.toContain('scope')
      expect(challenge(await wire.get('/v2/'))).not.toContain('scope')
      expect(challenge(await wire.get(TAGS))).toContain(`scope="${PULL}"`)
    },
  },
  {
    row: '5',
    name: 'scopeValue empty',
    options: { auth: { ...BEARER, scopeValue: '' } },
    check: async (wire) => {
      expect(challenge(await wire.get('/v2/'))).toContain('scope=""')
      expect(challenge(await wire.get(TAGS))).toContain(`scope="${PULL}"`)
    },
  },
  {
    row: '5',
    name: 'scopeValue *',
    options: { auth: { ...BEARER, scopeValue: '*' } },
    check: async (wire) => expect(challenge(await wire.get(TAGS))).toContain('scope="*"'),
  },
  {
    row: '5',
    name: 'scopeValue placeholder',
    options: { auth: { ...BEARER, scopeValue: 'placeholder' } },
    check: async (wire) => {
      expect(challenge(await wire.get('/v2/'))).toContain('scope="repository:user/image:pull"')
      expect(challenge(await wire.get(TAGS))).toContain(`scope="${PULL}"`)
    },
  },
  {
    row: '6',
    name: 'noChallengeOnRequest',
    options: { auth: { ...BEARER, noChallengeOnRequest: true } },
    check: async (wire) => {
      const refused = await wire.get(TAGS)
      expect([refused.status, refused.headers['www-authenticate']]).toEqual([401, undefined])
      expect(challenge(await wire.get('/v2/'))).toContain('Bearer realm=')
    },
  },
  {
    row: '7',
    name: 'basicAfterBearer',
    options: { auth: { ...BEARER, basicAfterBearer: 'realm="harbor"' } },
    check: async (wire) => {
      expect(challenge(await wire.get(TAGS))).toMatch(/^Bearer /)
      expect(challenge(await wire.get(TAGS, await wire.token('repository:other:pull')))).toBe('Basic realm="harbor"')
    },
  },
  {
    row: '8',
    name: 'anonymousTokenRequired',
    options: { auth: { ...BEARER, anonymousActions: ['pull'], anonymousTokenRequired: true } },
    check: async (wire) => {
      await wire.seed(['v1'])
      expect((await wire.get(TAGS)).status).toBe(401)
      expect((await wire.askToken([PULL], { username: '', password: '' })).status).toBe(401)
      const { json } = await wire.askToken([PULL], 'nobody')
      expect((await wire.get(TAGS, { Authorization: `Bearer ${String(json.token)}` })).status).toBe(200)
    },
  },
  {
    row: '15',
    name: 'deleteScope',
    options: { auth: { ...BEARER, deleteScope: '*' } },
    check: async (wire) => {
      const digest = await wire.seed(['v1'])
      const path = `/v2/${REPOSITORY}/manifests/${digest}`
      expect(challenge(await wire.send('DELETE', path))).toContain(`scope="repository:${REPOSITORY}:*"`)
      const weak = await wire.token(`repository:${REPOSITORY}:pull,push,delete`)
      expect((await wire.send('DELETE', path, { headers: weak })).status).toBe(401)
      const strong = await wire.token(`repository:${REPOSITORY}:*`)
      expect((await wire.send('DELETE', path, { headers: strong })).status).toBe(202)
    },
  },
  {
    row: '16',
    name: 'firstScopeOnly',
    options: { auth: { ...BEARER, firstScopeOnly: true } },
    check: async (wire) => {
      await wire.seed(['v1'])
      expect((await wire.get(TAGS, await wire.token('repository:other:pull', PULL))).status).toBe(401)
      expect((await wire.get(TAGS, await wire.token(PULL, 'repository:other:pull'))).status).toBe(200)
    },
  },
  {
    row: '16b',
    name: 'scopeOrder random',
    options: { auth: { ...BEARER, scopeOrder: 'random' }, mount: { requiresPullScope: true } },
    check: async (wire) => {
      const path = `${UPLOADS}?mount=sha256:${'0'.repeat(64)}&from=other`
      const seen = new Set<string>()
      for (let count = 0; count < 12; count++) seen.add(challenge(await wire.post(path)))
      expect(seen.size).toBeGreaterThan(2)
    },
  },
  {
    row: '16c',
    name: 'tokenWithoutRight',
    options: {
      auth: { ...BEARER, accounts: [{ ...USER, actions: ['pull'] }], tokenWithoutRight: 403 },
    },
    check: async (wire) => {
      expect((await wire.post(UPLOADS, await wire.token(PUSH))).status).toBe(403)
    },
  },
  {
    row: '17',
    name: 'insufficientScopeOnce',
    options: { auth: { ...BEARER, insufficientScopeOnce: true } },
    check: async (wire) => {
      await wire.seed(['v1'])
      const refused = await wire.get(TAGS, await wire.token(PULL))
      const more = `repository:${REPOSITORY}/cache:pull`
      expect(challenge(refused)).toContain(`scope="${PULL} ${more}",error="insufficient_scope"`)
      expect((await wire.get(TAGS, await wire.token(PULL, more))).status).toBe(200)
      expect((await wire.get(TAGS, await wire.token(PULL))).status).toBe(200)
    },
  },
  {
    row: '18',
    name: 'expiredStatus 400',
    options: { auth: { ...BEARER, expiredStatus: 400 } },
    check: async (wire) => {
      const headers = await wire.token(PULL)
      wire.emulator.time.advance(301)
      const { status, code } = await wire.get(TAGS, headers)
      expect([status, code]).toEqual([400, 'DENIED'])
    },
  },
  {
    row: '19',
    name: 'basic only, with a service and a realm that looks like an address',
    options: {
      auth: { type: 'basic', accounts: [USER], basicRealm: 'https://ecr/', basicService: 'ecr.amazonaws.com' },
    },
    check: async (wire) => {
      expect(challenge(await wire.get(TAGS))).toBe('Basic realm="https://ecr/",service="ecr.amazonaws.com"')
      expect((await wire.get('/token')).status).toBe(401)
    },
  },
  ...(['otherHost', 'relative', 'withQuery', 'private', 'http'] as const).map((realm): SwitchRow => ({
    row: '20',
    name: `realm ${realm}`,
    options: { auth: { ...BEARER, realm } },
    check: async (wire) => {
      const tokens = wire.emulator.origins.tokens
      const expected = {
        otherHost: `${tokens.origin}/token`,
        relative: '/token',
        withQuery: `${wire.url}/token?tenant=one`,
        private: 'http://10.0.0.1/token',
        http: `http://${tokens.host}/token`,
      }[realm]
      expect(challenge(await wire.get(TAGS))).toContain(`realm="${expected}"`)
      if (realm === 'otherHost')
        expect((await wire.at(`${expected}?scope=${PULL}`, basic(USER))).json.token).toBeTypeOf('string')
    },
  })),
  {
    row: '21',
    name: 'loop',
    options: { auth: { ...BEARER, loop: true } },
    check: async (wire) => {
      for (let count = 0; count < 3; count++) expect((await wire.get(TAGS, await wire.token(PULL))).status).toBe(401)
    },
  },
  {
    row: '83',
    name: 'failDelay',
    options: { auth: { ...BEARER, failDelay: 60 } },
    check: async (wire) => {
      const earlier = timerOf(50)
      expect((await wire.askToken([PULL], { username: 'user', password: 'wrong' })).status).toBe(401)
      expect(earlier.hasFired()).toBe(true)
    },
  },
]

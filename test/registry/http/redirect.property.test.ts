import { afterAll, beforeAll, expect, test } from 'vitest'
import { isGantryError } from '../../../src/errors.js'
import type { Credential } from '../../../src/registry/auth/credential.js'
import { createTransport } from '../../../src/registry/http/create-transport.js'
import { fc, runs } from '../../properties.js'
import { startScriptedServer, type LedgerEntry, type Script, type ScriptedServer } from './scripted-server.js'
import { get, textOf } from './transport-fixture.js'

const BASIC: Credential = { type: 'basic', username: 'me', password: 'CANARY' }
const SECRETS = ['authorization', 'cookie', 'x-api-key', 'proxy-authorization']

/** The registry and two others; each goes on where the way leads, by its number in the query. */
const ORIGINS = ['registry', 'store', 'cache'] as const
type Place = (typeof ORIGINS)[number]
let servers: Readonly<Record<Place, ScriptedServer>>
let way: readonly Hop[] = []

interface Hop {
  readonly to: Place
  readonly status: 301 | 302 | 303 | 307 | 308
  readonly form: 'absolute' | 'relative' | 'userinfo' | 'protocol-relative'
  /** The host asks who is there, by one of the schemes, instead of going on. */
  readonly challenges: boolean
}

function script(place: Place): Script {
  return ({ entry, answer }) => {
    const step = Number(new URLSearchParams(entry.url.split('?')[1]).get('step') ?? 0)
    const hop = way[step]
    const isKnown = entry.headers.authorization !== undefined
    const isLogin = step === 0 || hop?.challenges === true
    if (place === 'registry' && !isKnown && isLogin) answer(401, { 'www-authenticate': 'Basic realm="r"' })
    else if (hop === undefined) answer(200, {}, 'content')
    else if (hop.challenges && place !== 'registry')
      answer(401, { 'www-authenticate': `Bearer realm="${servers.store.url}/token"` })
    else answer(hop.status, { location: addressOf(hop, step + 1, place) })
  }
}

function addressOf({ to, form }: Hop, step: number, from: Place): string {
  const { host } = servers[to]
  const path = `/blob?step=${step}`
  if (form === 'relative' && from === to) return path
  if (form === 'userinfo') return `http://me:CANARY@${host}${path}`
  return form === 'protocol-relative' ? `//${host}${path}` : `http://${host}${path}`
}

beforeAll(async () => {
  const [registry, store, cache] = await Promise.all(ORIGINS.map((place) => startScriptedServer(script(place))))
  servers = { registry: registry!, store: store!, cache: cache! }
})
afterAll(async () => {
  await Promise.all(Object.values(servers).map((server) => server.close()))
})

const hop: fc.Arbitrary<Hop> = fc.record({
  to: fc.constantFrom(...ORIGINS),
  status: fc.constantFrom(301 as const, 302 as const, 303 as const, 307 as const, 308 as const),
  form: fc.constantFrom(
    'absolute' as const,
    'absolute' as const,
    'relative' as const,
    'protocol-relative' as const,
    'userinfo' as const,
  ),
  challenges: fc.boolean(),
})

const secretsOf = ({ headers, url }: LedgerEntry): string[] => [
  ...SECRETS.filter((name) => headers[name] !== undefined),
  ...(url.includes('CANARY') ? ['address'] : []),
]

test('on no way through other hosts does a secret leave the registry, or come back to it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(hop, { maxLength: 7 }),
      fc.constantFrom('GET' as const, 'HEAD' as const),
      async (hops, method) => {
        way = hops
        for (const server of Object.values(servers)) server.ledger.length = 0
        const headers = { 'X-Api-Key': 'CANARY', Cookie: 'a=CANARY' }
        const transport = createTransport({
          registry: servers.registry.host,
          plainHttp: true,
          credentials: async () => BASIC,
          headers,
          retry: { attempts: 1 },
        })
        try {
          const answer = await transport.request(get('/blob', { method }))
          expect(await textOf(answer)).toBe(method === 'GET' ? 'content' : '')
          expect(answer.status).toBe(200)
        } catch (error) {
          expect(isGantryError(error, 'untrusted-destination', 'limit-exceeded', 'unauthorized'), String(error)).toBe(
            true,
          )
          expect(String(error)).not.toContain('CANARY')
        } finally {
          await transport.close()
        }
        for (const place of ['store', 'cache'] as const) expect(servers[place].ledger.flatMap(secretsOf)).toEqual([])
        expect(servers.store.ledger.filter(({ url }) => url.startsWith('/token'))).toEqual([])
        // The registry itself sees them only as long as nobody else has been asked.
        const left = hops.findIndex(({ to }) => to !== 'registry')
        for (const entry of servers.registry.ledger) {
          const step = Number(new URLSearchParams(entry.url.split('?')[1]).get('step') ?? 0)
          if (left !== -1 && step > left) expect(secretsOf(entry)).toEqual([])
          else if (step > 0) expect(entry.headers.authorization).toBeDefined()
        }
      },
    ),
    runs(0.5),
  )
})

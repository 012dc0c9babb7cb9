import { onTestFinished, describe, expect, test } from 'vitest'
import { isGantryError } from '../../src/errors.js'
import { digestOf } from '../../src/oci/digest.js'
import { createTransport } from '../../src/registry/http/create-transport.js'
import type { TransportEvent } from '../../src/registry/http/transport-event.js'
import type { TransportOptions } from '../../src/registry/http/transport-options.js'
import { Repository } from '../../src/registry/repository.js'
import { openBytes } from '../../src/util/bytes.js'
import { formatTrace } from '../../src/cli/output/trace.js'
import { fc, runs } from '../properties.js'
import { startScriptedServer, type ScriptedExchange, type ScriptedServer } from './http/scripted-server.js'

/** A server that repeats what it was sent; `place` says where. */
interface Echo {
  readonly place: Place
  readonly encode: (secret: string) => string
}

type Place = (typeof PLACES)[number]
const PLACES = [
  'error message',
  'error code',
  'error detail',
  'name in an error detail',
  'plain text',
  'warning',
  'header',
  'content type',
  'digest header',
  'redirect path',
  'redirect host',
  'redirect to nowhere',
  'upload location',
  'next page',
  'realm',
  'token error',
] as const

const SPECIAL = ['', '/', '+', '=', '"', '\\', 'ä', '&x', '?', '#', '@', ':', ' ', '%41', '<', '😀']
const secretText = fc
  .tuple(fc.stringMatching(/^[A-Za-z0-9]{6,12}$/), fc.constantFrom(...SPECIAL))
  .map(([start, special]) => `CANARY${start}${special}9x`)

const ENCODINGS: Readonly<Record<string, (secret: string) => string>> = {
  plain: (secret) => secret,
  percent: encodeURIComponent,
  'percent in lower case': (secret) => encodeURIComponent(secret).replace(/%../g, (code) => code.toLowerCase()),
  'percent for some': (secret) => encodeURI(secret),
  'percent twice': (secret) => encodeURIComponent(encodeURIComponent(secret)),
  form: (secret) => new URLSearchParams([['', secret]]).toString().slice(1),
  base64: (secret) => Buffer.from(secret).toString('base64'),
  'base64 for addresses': (secret) => Buffer.from(secret).toString('base64url'),
  'base64 in an address': (secret) => encodeURIComponent(Buffer.from(secret).toString('base64')),
  'base64 of more': (secret) => Buffer.from(`a${secret}bc`).toString('base64'),
  'base64 of a header': (secret) => Buffer.from(`Authorization: ${secret}, more`).toString('base64'),
  JSON: (secret) => JSON.stringify(secret).slice(1, -1),
  'JSON without letters beyond ASCII': (secret) =>
    JSON.stringify(secret)
      .slice(1, -1)
      .replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  HTML: (secret) => secret.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`),
}

/** What cannot stand there as it is, is percent-encoded. */
const without = (text: string, unfit: RegExp): string => text.replace(unfit, (part) => encodeURIComponent(part))
const inHeader = (text: string): string => without(text, /[^\x20-\x7e]+/g)
const inHost = (text: string): string => (/^[A-Za-z0-9]+$/.test(text) ? text : 'host')

function answerWith({ place, encode }: Echo, secret: string, exchange: ScriptedExchange, server: ScriptedServer): void {
  const { answer, request } = exchange
  const text = `you sent ${encode(secret)}, really`
  const header = inHeader(encode(secret))
  const path = without(header, /[ ?#"<>\\^`{|}]+/g)
  const fail = (error: object): void => answer(400, {}, { errors: [{ code: 'UNKNOWN', ...error }] })
  const replies: Readonly<Record<Place, () => void>> = {
    'error message': () => fail({ message: text }),
    'error code': () => fail({ code: text }),
    'error detail': () => fail({ message: 'no', detail: { request: [text] } }),
    'name in an error detail': () => fail({ message: 'no', detail: { [text]: 1 } }),
    'plain text': () => answer(400, { 'content-type': 'text/plain' }, text),
    warning: () => answer(400, { warning: [`299 - "${header}"`, `299 - "${header.replace(/["\\]/g, '\\$&')}"`] }),
    header: () => answer(400, { 'x-echo': header, link: `<${server.url}/${path}>`, 'x-id': `a ${header} b` }),
    'content type': () =>
      answer(200, { 'content-type': `application/${header}` }, { mediaType: `application/${header}x` }),
    'digest header': () => answer(200, { 'docker-content-digest': header }, {}),
    'redirect path': () =>
      request.url?.startsWith('/echo') === true ? fail({}) : answer(307, { location: `/echo/${path}` }),
    'redirect host': () => answer(307, { location: `https://${inHost(header)}.invalid/` }),
    'redirect to nowhere': () => answer(307, { location: `http://[${header}` }),
    'upload location': () =>
      request.method === 'POST' ? answer(202, { location: `https://other.invalid:1/${path}` }) : fail({}),
    'next page': () =>
      answer(200, { link: `<https://${inHost(header)}.invalid/${path}>; rel="next"` }, { name: 'a', tags: [] }),
    realm: () => answer(401, { 'www-authenticate': `Bearer realm="ftp://h/${without(header, /["\\]+/g)}"` }),
    'token error': () => fail({}),
  }
  replies[place]()
}

interface Sent {
  readonly secret: string
  readonly options: Partial<TransportOptions>
  /** Whether the registry asks for a token instead of a password. */
  readonly bearer?: boolean
}

/** How a secret gets to a server: as a password, a token of the registry, an own header, or a refresh token. */
const WAYS: Readonly<Record<string, (secret: string) => Sent>> = {
  password: (secret) => ({
    secret,
    options: { credentials: async () => ({ type: 'basic', username: 'user', password: secret }) },
  }),
  'header with a password': (secret) => ({
    secret: Buffer.from(`user:${secret}`).toString('base64'),
    options: { credentials: async () => ({ type: 'basic', username: 'user', password: secret }) },
  }),
  'identity token': (secret) => ({
    secret,
    bearer: true,
    options: { credentials: async () => ({ type: 'identity-token', token: secret }) },
  }),
  'registry token': (secret) => {
    const token = Buffer.from(secret).toString('base64url')
    return { secret: token, options: { credentials: async () => ({ type: 'registry-token', token }) } }
  },
  'own header': (secret) => {
    const value = inHeader(secret)
    return { secret: value, options: { headers: { 'X-Own': value } } }
  },
}

/** Everything that the commands print, and that a library's caller can log. */
async function everythingShown({ secret, options, bearer = false }: Sent, echo: Echo): Promise<string> {
  const events: TransportEvent[] = []
  const server: ScriptedServer = await startScriptedServer((exchange) => {
    const { request, answer } = exchange
    const { authorization } = request.headers
    if (request.url?.startsWith('/token') === true) {
      if (echo.place !== 'token error') {
        answer(200, {}, { token: 'a-token-of-no-interest' })
        return
      }
      answer(401, {}, { errors: [{ code: 'DENIED', message: `no: ${echo.encode(secret)}` }] })
      return
    }
    if (options.credentials !== undefined && authorization === undefined) {
      const challenge =
        bearer || echo.place === 'token error' ? `Bearer realm="${server.url}/token"` : 'Basic realm="x"'
      answer(401, { 'www-authenticate': challenge })
      return
    }
    answerWith(echo, secret, exchange, server)
  })
  const transport = createTransport({
    registry: server.host,
    plainHttp: true,
    retry: { attempts: 1 },
    onEvent: (event) => events.push(event),
    ...options,
  })
  const repository = new Repository(transport, 'basic/app')
  const errors: unknown[] = []
  const attempt = (work: Promise<unknown>): Promise<void> =>
    work.then(
      () => undefined,
      (error: unknown) => void errors.push(error),
    )
  try {
    await attempt(repository.readManifest('v1'))
    if (echo.place === 'upload location') {
      const content = Buffer.from('blob')
      const descriptor = { mediaType: 'a/b', digest: digestOf(content), size: content.length }
      await attempt(repository.push(descriptor, openBytes(content)))
    }
    if (echo.place === 'next page') {
      await attempt(
        (async () => {
          for await (const tag of repository.tags()) expect(tag).toBeDefined()
        })(),
      )
    }
  } finally {
    await transport.close()
    await server.close()
  }
  expect(errors.filter((error) => !isGantryError(error))).toEqual([])
  const traces = events.map((event) => formatTrace(event, { debug: true, quiet: false, isForMachine: false }))
  return [...traces, JSON.stringify(events), ...errors.map(describeError)].join('\n')
}

function describeError(error: unknown): string {
  if (!isGantryError(error)) return ''
  const { message, hint, response, details } = error
  return [message, hint, JSON.stringify(response), JSON.stringify(details), describeError(error.cause)].join('\n')
}

/** What of a secret must not be found: itself, and its base64 and percent-encoded forms. */
function tracesOf(secret: string): readonly string[] {
  const base64 = Buffer.from(secret).toString('base64')
  return [
    secret,
    encodeURIComponent(secret),
    base64,
    base64.replace(/=+$/, ''),
    Buffer.from(secret).toString('base64url'),
  ]
}

describe('a secret that a registry repeats is not shown', () => {
  test.each(PLACES)('%s', async (place) => {
    await fc.assert(
      fc.asyncProperty(
        secretText,
        fc.constantFrom(...Object.keys(WAYS)),
        fc.constantFrom(...Object.keys(ENCODINGS)),
        async (text, way, encoding) => {
          const sent = WAYS[way]!(text)
          const shown = await everythingShown(sent, { place, encode: ENCODINGS[encoding]! })
          expect(shown.length).toBeGreaterThan(0)
          const lower = shown.toLowerCase()
          for (const form of tracesOf(sent.secret)) expect(shown).not.toContain(form)
          expect(lower).not.toContain('canary')
          expect(shown).not.toContain(Buffer.from('CANARY').toString('base64').slice(0, 8))
        },
      ),
      runs(0.1),
    )
  })
})

test('the words of our own stay, whatever the password is', async () => {
  const password = 'pass'
  const credentials = async () => ({ type: 'basic' as const, username: 'user', password })
  const server = await startScriptedServer(({ request, answer }) => {
    if (request.headers.authorization === undefined) answer(401, { 'www-authenticate': 'Basic realm="x"' })
    else answer(401, {}, { errors: [{ code: 'UNAUTHORIZED', message: 'wrong: pass' }] })
  })
  const transport = createTransport({ registry: server.host, plainHttp: true, credentials })
  onTestFinished(async () => {
    await transport.close()
    await server.close()
  })
  await expect(transport.login()).rejects.toMatchObject({ hint: 'check user and password' })
  await expect(new Repository(transport, 'a').readManifest('v1')).rejects.toMatchObject({
    message: expect.stringContaining('wrong: *****') as unknown,
  })
})

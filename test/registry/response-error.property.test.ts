import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { isGantryError } from '../../src/errors.js'
import { Answer } from '../../src/registry/http/answer.js'
import { tokenServiceError } from '../../src/registry/auth/token-error.js'
import { responseError } from '../../src/registry/response-error.js'
import { SecretMask } from '../../src/util/redact.js'
import { fc } from '../properties.js'

const SECRET = 'CANARY+/s3cret"ä'
const base64 = Buffer.from(SECRET).toString('base64')
const forms = [
  SECRET,
  encodeURIComponent(SECRET),
  base64,
  encodeURIComponent(base64),
  JSON.stringify(SECRET).slice(1, -1),
]

function answer(body: string | Uint8Array, more: { status?: number; url?: string; type?: string } = {}): Answer {
  const { status = 400, url = 'https://h/v2/a/manifests/v1', type = 'application/json' } = more
  const sent = new SecretMask([SECRET])
  return new Answer(status, 'GET', url, {
    headers: { 'content-type': type },
    body: Readable.from([Buffer.from(body)]),
    shown: (text) => sent.mask(text),
  })
}

/** Everything that could be printed of an error, or written to a log. */
function everythingOf(error: unknown): string {
  if (!isGantryError(error)) throw new Error('no GantryError', { cause: error })
  return [error.message, error.hint, String(error), JSON.stringify(error.response)].join('\n')
}

function expectNoSecret(shown: string): void {
  for (const form of forms) expect(shown).not.toContain(form)
  expect(shown).not.toContain('CANARY')
}

/** Text of a registry that shows a secret where secrets can be told from the rest. */
const leakyText = fc.constantFrom(
  `see https://h/x?sig=${encodeURIComponent(SECRET)} for more`,
  `GET https://user:${encodeURIComponent(SECRET)}@h/v2/ failed`,
  `Authorization: Basic ${base64}`,
  `bearer ${Buffer.from(SECRET).toString('base64url')} is not valid`,
)
const secretName = fc.constantFrom(
  'token',
  'access_token',
  'Password',
  'client_secret',
  'Authorization',
  'Set-Cookie',
  'apiKey',
  'X-Amz-Signature',
)
const secretMember = fc
  .tuple(secretName, fc.constantFrom<unknown>(...forms, [SECRET], { value: SECRET }, [[{ deep: base64 }]]))
  .map(([name, value]) => ({ [name]: value }))
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    secretMember,
    leakyText,
    fc.array(tie('tree'), { maxLength: 2 }),
    fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), tie('tree'), { maxKeys: 2 }),
    fc.tuple(secretMember, fc.record({ request: tie('tree') })).map(([one, other]) => ({ ...one, ...other })),
  ),
}))
const entry = fc.record(
  { code: fc.constantFrom<unknown>('DENIED', 'UNKNOWN', 17), message: leakyText, detail: tree },
  { requiredKeys: [] },
)
const body = fc.oneof(
  fc.array(entry, { maxLength: 3 }).map((errors) => JSON.stringify({ errors })),
  entry.map((errors) => JSON.stringify({ errors })),
  entry.map((one) => JSON.stringify(one)),
  leakyText.map((details) => JSON.stringify({ details })),
)

test('the error of an answer holds no secret, wherever the registry puts it', async () => {
  const url = `https://h/v2/a/blobs/uploads/1?_state=${encodeURIComponent(SECRET)}`
  await fc.assert(
    fc.asyncProperty(body, fc.constantFrom(400, 401, 403, 404, 429, 500), async (text, status) => {
      expectNoSecret(everythingOf(await responseError(answer(text, { status, url }))))
    }),
  )
  await fc.assert(
    fc.asyncProperty(leakyText, async (text) => {
      expectNoSecret(everythingOf(await responseError(answer(text, { url, type: 'text/plain' }))))
    }),
  )
})

test('an answer of any bytes becomes an error with the status', async () => {
  const hostile = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.json().map((text) => Buffer.from(text)),
    fc.json().map((text) => Buffer.from(`{"errors":[{"code":"X","message":"m","detail":${text}}]}`)),
    fc.constant(Buffer.from(`{"errors":[{"code":"X","detail":${'['.repeat(200)}`)),
  )
  await fc.assert(
    fc.asyncProperty(hostile, fc.integer({ min: 400, max: 599 }), async (bytes, status) => {
      const error = await responseError(answer(bytes, { status }))
      expect(isGantryError(error)).toBe(true)
      expect(error.response?.status).toBe(status)
      // eslint-disable-next-line no-control-regex -- finding control characters is the job
      expect(error.message).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/)
      expect(error.message.length).toBeLessThan(20_000)
    }),
  )
})

test('a token service that repeats what it was sent is not quoted', async () => {
  const echo = fc.constantFrom(...forms, Buffer.from(SECRET).toString('base64url'))
  const shapes = fc.constantFrom<(text: string) => string>(
    (text) => JSON.stringify({ error: 'invalid_grant', error_description: `bad token ${text}` }),
    (text) => JSON.stringify({ errors: [{ code: 'UNAUTHORIZED', message: `no: ${text}` }] }),
    (text) => JSON.stringify({ message: text }),
    (text) => JSON.stringify({ details: text, code: text }),
    (text) => `refused: ${text}`,
  )
  const context = { registry: 'h', anonymous: false, timeLimit: 1000 }
  await fc.assert(
    fc.asyncProperty(echo, shapes, fc.constantFrom(400, 401, 403, 429, 500), async (text, shape, status) => {
      const error = await tokenServiceError(answer(shape(text), { status, url: 'https://auth.h/token' }), context)
      expectNoSecret(everythingOf(error))
    }),
  )
})

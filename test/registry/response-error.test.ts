import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import type { Method, RegistryAnswer } from '../../src/registry/http/transport.js'
import { responseError } from '../../src/registry/response-error.js'

interface Options {
  readonly method?: Method
  readonly contentType?: string
  readonly url?: string
}

function answerOf(status: number, body: string | Uint8Array | Readable, options: Options = {}): RegistryAnswer {
  const { method = 'GET', contentType = 'application/json', url = 'http://r.example/v2/a/manifests/v1' } = options
  return {
    status,
    method,
    url,
    header: (name) => (name === 'content-type' ? contentType : undefined),
    headerList: () => undefined,
    body: body instanceof Readable ? body : Readable.from([Buffer.from(body)]),
    discard: async () => undefined,
  }
}

const plain = 'GET "http://r.example/v2/a/manifests/v1": response status code'

describe('the message', () => {
  test.each([
    [
      404,
      {
        errors: [
          { code: 'NAME_UNKNOWN', message: 'repository name not known to registry', detail: { name: 'nosuch' } },
        ],
      },
      'name unknown: repository name not known to registry: name: nosuch',
    ],
    [
      401,
      {
        errors: [
          {
            code: 'UNAUTHORIZED',
            message: 'authentication required',
            detail: [{ Type: 'repository', Class: '', Name: 'golden', Action: 'pull' }],
          },
        ],
      },
      'unauthorized: authentication required: Action: pull, Name: golden, Type: repository',
    ],
    [
      400,
      { errors: [{ code: 'MANIFEST_INVALID', message: 'manifest invalid', detail: {} }] },
      'manifest invalid: manifest invalid',
    ],
    [400, { errors: [{ code: 'X' }, { code: 'Y_Z', message: 'm' }] }, 'x; y z: m'],
    [400, { errors: [{ message: 'only this' }] }, 'only this'],
    [400, { errors: ['text'] }, 'text'],
    [400, { errors: [{ code: 'A', message: 'b', detail: null }] }, 'a: b'],
    [400, { errors: [null, 5, [], {}] }, `${plain} 400: Bad Request`],
    [401, { code: 'UNAUTHORIZED', message: 'one bare object' }, 'unauthorized: one bare object'],
    [401, { details: 'a token service' }, 'a token service'],
    [500, { errors: {} }, `${plain} 500: Internal Server Error`],
    [500, { other: 1 }, `${plain} 500: Internal Server Error`],
  ])('of %i %j', async (status, body, message) => {
    const error = await responseError(answerOf(status, JSON.stringify(body)))
    expect(error.message).toBe(message)
    expect(error.response?.status).toBe(status)
  })

  test.each([
    ['true', 'application/json'],
    ['', 'application/json'],
    ['<html>no</html>', 'text/html'],
    ['404 page not found', 'text/plain'],
    ['{"errors": [', 'application/json'],
    [new Uint8Array([0xff, 0xfe]), 'application/json'],
  ])('of a body like %s names the request', async (body, contentType) => {
    const error = await responseError(answerOf(404, body, { contentType }))
    expect(error.message).toBe(`${plain} 404: Not Found`)
  })

  test('of a HEAD', async () => {
    const error = await responseError(answerOf(401, '', { method: 'HEAD' }))
    expect(error.message).toBe('HEAD "http://r.example/v2/a/manifests/v1": response status code 401: Unauthorized')
  })

  test('of an unknown status', async () => {
    expect((await responseError(answerOf(599, ''))).message).toBe(`${plain} 599`)
  })

  test('of JSON that a proxy has escaped', async () => {
    const body =
      '{&quot;errors&quot;:[{&quot;code&quot;:&quot;UNAUTHORIZED&quot;,&quot;message&quot;:&quot;a &amp; b&quot;}]}'
    const error = await responseError(answerOf(400, body))
    expect(error.message).toBe('unauthorized: a & b')
    expect(error.code).toBe('unauthorized')
  })

  test('holds no control characters', async () => {
    const body = JSON.stringify({
      errors: [{ code: 'A\u001b[2J', message: '\u001b]0;pwn\u0007\u009b31m\u202e', detail: '\u001b' }],
    })
    // eslint-disable-next-line no-control-regex -- they are what must not be there
    expect((await responseError(answerOf(400, body))).message).not.toMatch(/[\u0000-\u001f\u0080-\u009f\u202e]/)
  })

  test('holds no secrets of the address', async () => {
    const error = await responseError(answerOf(500, '', { url: 'http://r.example/u/1?_state=CANARY' }))
    expect(error.message).not.toContain('CANARY')
    expect(error.response?.url).not.toContain('CANARY')
  })

  test('holds no secrets of the details', async () => {
    const detail = [
      { name: 'golden', Authorization: 'x CANARY', nested: { 'X-Token': 'CANARY', password: ['CANARY'] } },
    ]
    const error = await responseError(answerOf(400, JSON.stringify({ errors: [{ code: 'A', message: 'b', detail }] })))
    expect(error.message).toBe(
      'a: b: Authorization: *****, name: golden, nested: {"X-Token":"*****","password":"*****"}',
    )
    expect(JSON.stringify(error.response)).not.toContain('CANARY')
  })

  test('holds no secrets of what the registry says', async () => {
    const text = 'see https://h/x?sig=CANARY'
    const errors = [{ code: 'A', message: text, detail: [{ url: text }] }, text]
    const error = await responseError(answerOf(400, JSON.stringify({ errors })))
    expect(error.message).toContain('see https://h/x?sig=*****')
    expect(JSON.stringify(error.response)).not.toContain('CANARY')
  })

  test('is bounded', async () => {
    const body = JSON.stringify({ errors: [{ code: 'A', message: 'x'.repeat(50_000) }] })
    expect((await responseError(answerOf(400, body))).message.length).toBeLessThan(1100)
  })
})

test('plain text becomes the hint', async () => {
  const error = await responseError(
    answerOf(429, ' Too many\n requests ', { contentType: 'text/plain; charset=utf-8' }),
  )
  expect(error.hint).toBe('the registry says: Too many requests')
})

test('reads no more than 64 KiB of an endless body', async () => {
  let sent = 0
  const body = Readable.from(
    (async function* () {
      for (;;) {
        sent += 16_384
        yield Buffer.alloc(16_384, 'x')
      }
    })(),
    { objectMode: false, highWaterMark: 16_384 },
  )
  expect((await responseError(answerOf(500, body))).response?.status).toBe(500)
  expect(sent).toBeLessThan(200_000)
})

test('a body that breaks off does not hide the status', async () => {
  const body = Readable.from(
    (async function* () {
      yield Buffer.from('{"errors":')
      throw new Error('reset')
    })(),
  )
  const error = await responseError(answerOf(416, body))
  expect(error.message).toBe(`${plain} 416: Range Not Satisfiable`)
})

describe('the code', () => {
  const entry = (code: string): string => JSON.stringify({ errors: [{ code }] })
  test.each([
    [401, '', 'unauthorized'],
    [403, '', 'denied'],
    [404, '', 'not-found'],
    [405, '', 'unsupported'],
    [408, '', 'timeout'],
    [409, '', 'conflict'],
    [413, '', 'limit-exceeded'],
    [429, '', 'rate-limited'],
    [500, '', 'registry-error'],
    [400, '', 'registry-error'],
    [400, entry('UNSUPPORTED'), 'unsupported'],
    [400, entry('DENIED'), 'denied'],
    [400, entry('TAG_IMMUTABLE'), 'conflict'],
    [400, entry('constructor'), 'registry-error'],
    [405, entry('DENIED'), 'unsupported'],
    [202, '', 'registry-error'],
  ] as const)('of %i %s is %s', async (status, body, code) => {
    expect((await responseError(answerOf(status, body))).code).toBe(code)
  })

  test('of 412 is a policy on reading, and a conflict on writing', async () => {
    expect((await responseError(answerOf(412, ''))).code).toBe('denied')
    expect((await responseError(answerOf(412, '', { method: 'PUT' }))).code).toBe('conflict')
  })
})

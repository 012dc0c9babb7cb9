import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { descriptorOf, type Descriptor } from '../../src/oci/descriptor.js'
import { MediaType } from '../../src/oci/media-types.js'
import { copy } from '../../src/graph/copy.js'
import type { ManifestContent } from '../../src/oci/manifest.js'
import { MemoryStore } from '../../src/store/memory.js'
import {
  answers,
  collect,
  cut,
  EMPTY_CONFIG,
  manifestHeaders,
  manifestWith,
  NAME,
  someBytes,
  startTestRegistry,
} from './test-registry.js'
import type { Script, ScriptedExchange } from './http/scripted-server.js'

const MIB = 1024 * 1024
const bytes = someBytes(3 * MIB)
const descriptor = descriptorOf('application/octet-stream', bytes)
const ROUTE = `GET /v2/${NAME}/blobs/${descriptor.digest}`

function startOf({ request }: ScriptedExchange): number {
  return Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
}

/** Sends the blob from where it is asked for, and ends the connection after some bytes. */
function sends(options: { breakAfter?: number; reset?: boolean; total?: number } = {}): Script {
  return (exchange) => {
    const { response, socket } = exchange
    const start = startOf(exchange)
    const rest = bytes.subarray(start)
    const range = { 'content-range': `bytes ${start}-${bytes.length - 1}/${options.total ?? bytes.length}` }
    const isRange = exchange.request.headers.range !== undefined
    response.writeHead(isRange ? 206 : 200, { 'content-length': rest.length, ...(isRange ? range : {}) })
    if (options.breakAfter === undefined) return response.end(rest)
    response.write(rest.subarray(0, options.breakAfter), () => {
      setTimeout(() => (options.reset === true ? socket.resetAndDestroy() : socket.destroy()), 10)
    })
  }
}

async function ranges(registry: {
  ledger: readonly { headers: { range?: string | undefined } }[]
}): Promise<unknown[]> {
  return registry.ledger.map(({ headers }) => headers.range)
}

describe('fetch of a blob', () => {
  test('asks when it is read, follows redirects and yields the bytes', async () => {
    const registry = await startTestRegistry({
      [ROUTE]: answers(307, { location: '/elsewhere' }),
      'GET /elsewhere': sends(),
    })
    const opened = registry.repository().fetch(descriptor)
    expect(registry.requests()).toEqual([])
    expect((await collect(opened)).equals(bytes)).toBe(true)
    expect(registry.ledger[0]?.headers['accept-encoding']).toBe('identity')
  })

  test('begins at an offset', async () => {
    const registry = await startTestRegistry({ [ROUTE]: sends() })
    expect(
      (await collect(registry.repository().fetch(descriptor, { offset: 1000 }))).equals(bytes.subarray(1000)),
    ).toBe(true)
    expect(await ranges(registry)).toEqual(['bytes=1000-'])
  })

  test('that the host behind a redirect refuses says that it is not the registry', async () => {
    const store = await startTestRegistry({
      'GET /blob': answers(403, { 'content-type': 'application/xml' }, '<Error/>'),
    })
    const registry = await startTestRegistry({ [ROUTE]: answers(307, { location: `${store.url}/blob?sig=secret` }) })
    await expect(collect(registry.repository().fetch(descriptor))).rejects.toMatchObject({
      code: 'denied',
      message: `GET "${store.url}/blob?sig=*****": response status code 403: Forbidden`,
      hint: `${store.host} is not the registry itself: ${registry.host} keeps content there and redirects to it`,
    })
  })

  test('at the end asks nothing', async () => {
    const registry = await startTestRegistry({})
    expect(await collect(registry.repository().fetch(descriptor, { offset: bytes.length }))).toHaveLength(0)
    expect(registry.requests()).toEqual([])
  })

  test('past all caches says so', async () => {
    const registry = await startTestRegistry({ [ROUTE]: sends() })
    await collect(registry.repository().fetch(descriptor, { noCache: true }))
    expect(registry.ledger[0]?.headers['cache-control']).toBe('no-cache')
  })

  test('of nothing is not found', async () => {
    const registry = await startTestRegistry({})
    await expect(collect(registry.repository().fetch(descriptor))).rejects.toMatchObject({
      code: 'not-found',
      message: `${registry.host}/${NAME}@${descriptor.digest}: not found`,
    })
  })

  test('of an empty blob still asks whether it is there', async () => {
    const empty = descriptorOf('application/octet-stream', new Uint8Array())
    const registry = await startTestRegistry({
      [`GET /v2/${NAME}/blobs/${empty.digest}`]: [answers(200), answers(404)],
    })
    expect(await collect(registry.repository().fetch(empty))).toHaveLength(0)
    await expect(collect(registry.repository().fetch(empty))).rejects.toMatchObject({ code: 'not-found' })
  })

  test('closes the connection when it is left early', async () => {
    let isClosed = false
    const registry = await startTestRegistry({
      [ROUTE]: ({ response }) => {
        response.once('close', () => (isClosed = true))
        response.writeHead(200, { 'content-length': bytes.length })
        response.write(bytes.subarray(0, MIB))
      },
    })
    for await (const chunk of registry.repository().fetch(descriptor)) {
      expect(chunk.length).toBeGreaterThan(0)
      break
    }
    await expect.poll(() => isClosed).toBe(true)
  })

  test('ends when the signal fires', async () => {
    const controller = new AbortController()
    const registry = await startTestRegistry({
      [ROUTE]: ({ response }) => {
        response.writeHead(200, { 'content-length': bytes.length })
        response.write(bytes.subarray(0, 1000), () => setTimeout(() => controller.abort(), 20))
      },
    })
    await expect(collect(registry.repository().fetch(descriptor, { signal: controller.signal }))).rejects.toMatchObject(
      { code: 'aborted' },
    )
    expect(registry.requests()).toHaveLength(1)
  })
})

describe('a download that breaks off', () => {
  test.each([
    ['by a reset', true],
    ['by an end', false],
  ])('%s is resumed where it stopped', async (_, reset) => {
    const registry = await startTestRegistry({ [ROUTE]: [sends({ breakAfter: 2 * MIB, reset }), sends()] })
    expect((await collect(registry.repository().fetch(descriptor))).equals(bytes)).toBe(true)
    const [first, second] = (await ranges(registry)) as string[]
    expect(first).toBeUndefined()
    expect(second).toMatch(/^bytes=\d+-$/)
    expect(Number(second!.slice(6, -1))).toBeLessThanOrEqual(2 * MIB)
  })

  test('from an offset is resumed too', async () => {
    const registry = await startTestRegistry({ [ROUTE]: [sends({ breakAfter: MIB }), sends()] })
    const content = await collect(registry.repository().fetch(descriptor, { offset: 777 }))
    expect(content.equals(bytes.subarray(777))).toBe(true)
  })

  test('is asked for at the registry again, and not where it was redirected to', async () => {
    const registry = await startTestRegistry({
      [ROUTE]: ({ answer, index }) => answer(307, { location: `/signed/${index}` }),
      'GET /signed/0': sends({ breakAfter: MIB }),
      'GET /signed/2': sends(),
    })
    expect((await collect(registry.repository().fetch(descriptor))).equals(bytes)).toBe(true)
    expect(registry.requests()).toEqual([ROUTE, 'GET /signed/0', ROUTE, 'GET /signed/2'])
  })

  test('again and again is resumed as long as it gets ahead', async () => {
    const large = someBytes(12 * MIB)
    const blob = descriptorOf('application/octet-stream', large)
    const registry = await startTestRegistry((exchange) => {
      const start = startOf(exchange)
      const { response, socket } = exchange
      response.writeHead(start === 0 ? 200 : 206, {
        'content-length': large.length - start,
        ...(start === 0 ? {} : { 'content-range': `bytes ${start}-${large.length - 1}/${large.length}` }),
      })
      const part = large.subarray(start, start + 1.25 * MIB)
      response.write(part, () => setTimeout(() => (part.length < 1.25 * MIB ? response.end() : socket.destroy()), 10))
    })
    expect((await collect(registry.repository().fetch(blob))).equals(large)).toBe(true)
    expect(registry.ledger.length).toBeGreaterThan(8)
  })

  test('and then stalls is counted from its beginning', async () => {
    const stalls: Script = (exchange) => {
      const rest = bytes.subarray(startOf(exchange))
      const range = `bytes ${bytes.length - rest.length}-${bytes.length - 1}/${bytes.length}`
      exchange.response.writeHead(206, { 'content-length': rest.length, 'content-range': range })
      exchange.response.write(rest.subarray(0, 500))
    }
    const registry = await startTestRegistry(
      { [ROUTE]: [sends({ breakAfter: 2 * MIB }), stalls] },
      { transport: { retry: { attempts: 2 }, timeouts: { body: 50 } } },
    )
    const failure = collect(registry.repository().fetch(descriptor))
    await expect(failure).rejects.toThrow(/ sent no data for 0\.05 s after \d{7} of 3145728 bytes \(2 attempts\)$/)
  })

  test('without getting ahead is given up', async () => {
    const registry = await startTestRegistry({ [ROUTE]: sends({ breakAfter: 1000 }) })
    await expect(collect(registry.repository().fetch(descriptor))).rejects.toMatchObject({ code: 'network-error' })
    expect(registry.ledger).toHaveLength(5)
  })

  test('without an answer is left to the transport', async () => {
    const registry = await startTestRegistry(
      { [ROUTE]: [sends({ breakAfter: MIB }), cut] },
      { transport: { retry: { attempts: 2, firstDelay: 1 } } },
    )
    await expect(collect(registry.repository().fetch(descriptor))).rejects.toMatchObject({ code: 'network-error' })
    expect(registry.ledger).toHaveLength(3)
  })

  test('by an end without a length is resumed', async () => {
    const registry = await startTestRegistry({
      [ROUTE]: [
        ({ socket }) => {
          socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n')
          socket.end(bytes.subarray(0, MIB))
        },
        sends(),
      ],
    })
    expect((await collect(registry.repository().fetch(descriptor))).equals(bytes)).toBe(true)
    expect(await ranges(registry)).toEqual([undefined, `bytes=${MIB}-`])
  })

  test('by an end without a length every time says how far it got', async () => {
    const registry = await startTestRegistry(({ socket }) => {
      socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n')
      socket.end(bytes.subarray(0, 1000))
    })
    await expect(collect(registry.repository().fetch(descriptor))).rejects.toMatchObject({
      code: 'size-mismatch',
      message: expect.stringContaining(`ended early: got 1000 of ${bytes.length} bytes`),
    })
  })
})

describe('a registry that cannot resume', () => {
  const broken = sends({ breakAfter: MIB })
  const whole: Script = ({ answer }) => answer(200, {}, bytes)
  const part =
    (start: number, end: number, total: number, from = start): Script =>
    ({ answer }) =>
      answer(206, { 'content-range': `bytes ${start}-${end}/${total}` }, bytes.subarray(from, from + end - start + 1))

  test('and sends all of it again is read past what is there', async () => {
    const registry = await startTestRegistry({ [ROUTE]: [broken, whole] })
    expect((await collect(registry.repository().fetch(descriptor))).equals(bytes)).toBe(true)
    expect(registry.ledger).toHaveLength(2)
  })

  test.each<[string, Script]>([
    ['another start', part(5, bytes.length - 1, bytes.length)],
    ['another total', part(MIB, bytes.length - 1, bytes.length + 1)],
    ['an unknown total', ({ answer }) => answer(206, { 'content-range': `bytes ${MIB}-${bytes.length - 1}/*` }, 'x')],
    ['no Content-Range', ({ answer }) => answer(206, {}, bytes.subarray(MIB))],
    ['several parts', ({ answer }) => answer(206, { 'content-type': 'multipart/byteranges; boundary=x' }, '--x')],
    [
      'a length that does not fit',
      ({ response }) => {
        response.writeHead(206, {
          'content-range': `bytes ${MIB}-${bytes.length - 1}/${bytes.length}`,
          'content-length': 5,
        })
        response.end('12345')
      },
    ],
    ['416', answers(416)],
    [
      '416 with the length of the whole',
      ({ response, socket }) => {
        response.writeHead(416, { 'content-length': bytes.length })
        response.flushHeaders()
        setTimeout(() => socket.destroy(), 10)
      },
    ],
  ])('and answers with %s is asked for all of it', async (_, script) => {
    const registry = await startTestRegistry({ [ROUTE]: [broken, script, whole] })
    expect((await collect(registry.repository().fetch(descriptor))).equals(bytes)).toBe(true)
    expect((await ranges(registry)).at(-1)).toBeUndefined()
    expect(registry.ledger).toHaveLength(3)
  })

  test('is not asked for ranges again and again', async () => {
    const again: Script = ({ response, socket }) => {
      response.writeHead(200, { 'content-length': bytes.length })
      response.write(bytes.subarray(0, 2 * MIB), () => setTimeout(() => socket.destroy(), 10))
    }
    const registry = await startTestRegistry({ [ROUTE]: [broken, answers(416), again, whole] })
    expect((await collect(registry.repository().fetch(descriptor))).equals(bytes)).toBe(true)
    expect(await ranges(registry)).toEqual([undefined, expect.stringMatching(/^bytes=/), undefined, undefined])
  })

  test('and sends a part of what was to be all is refused', async () => {
    const registry = await startTestRegistry({ [ROUTE]: [broken, part(5, 9, bytes.length)] })
    await expect(collect(registry.repository().fetch(descriptor))).rejects.toMatchObject({ response: { status: 206 } })
    expect(registry.ledger).toHaveLength(3)
  })

  test('and sends less than asked for is asked for the rest', async () => {
    const registry = await startTestRegistry({
      [ROUTE]: [broken, part(MIB, 2 * MIB - 1, bytes.length), part(2 * MIB, bytes.length - 1, bytes.length)],
    })
    expect((await collect(registry.repository().fetch(descriptor))).equals(bytes)).toBe(true)
    expect(registry.ledger).toHaveLength(3)
  })
})

describe('a body that is not the blob', () => {
  test.each([bytes.length - 1, bytes.length + 1])('with a length of %i is refused unread', async (length) => {
    const registry = await startTestRegistry({
      [ROUTE]: ({ response }) => {
        response.writeHead(200, { 'content-length': length })
        response.write(bytes.subarray(0, 1000))
      },
    })
    const chunks: Uint8Array[] = []
    const read = async (): Promise<void> => {
      for await (const chunk of registry.repository().fetch(descriptor)) chunks.push(chunk)
    }
    await expect(read()).rejects.toMatchObject({ code: 'size-mismatch' })
    expect(chunks).toEqual([])
    expect(registry.ledger).toHaveLength(1)
  })

  test('with more bytes than declared is refused', async () => {
    const registry = await startTestRegistry({
      [ROUTE]: ({ response }) => {
        response.write(bytes)
        response.end('x')
      },
    })
    await expect(collect(registry.repository().fetch(descriptor))).rejects.toMatchObject({ code: 'size-mismatch' })
    expect(registry.ledger).toHaveLength(1)
  })

  const layer = gzipSync(someBytes(100_000))
  const layerDescriptor = descriptorOf(MediaType.imageLayerGzip, layer)
  const streamed =
    (content: Uint8Array, encoding: string): Script =>
    ({ response }) => {
      response.writeHead(200, { 'content-encoding': encoding, 'transfer-encoding': 'chunked' })
      response.end(content)
    }

  test.each<[string, Descriptor, Uint8Array, (content: Uint8Array) => Script]>([
    [
      'aws-chunked and is not',
      descriptor,
      bytes,
      (content) => answers(200, { 'content-encoding': 'aws-chunked' }, Buffer.from(content)),
    ],
    [
      'gzip and is not',
      descriptor,
      bytes,
      (content) => answers(200, { 'content-encoding': 'gzip' }, Buffer.from(content)),
    ],
    [
      'gzip, for the layer that it is',
      layerDescriptor,
      layer,
      (content) => answers(200, { 'content-encoding': 'gzip' }, Buffer.from(content)),
    ],
    [
      'gzip, for the layer that it is, without a length',
      layerDescriptor,
      layer,
      (content) => streamed(content, 'gzip'),
    ],
    ['x-gzip, without a length, and is not', descriptor, bytes, (content) => streamed(content, 'x-gzip')],
    ['gzip and is', descriptor, bytes, (content) => answers(200, { 'content-encoding': 'gzip' }, gzipSync(content))],
    ['gzip and is, without a length', descriptor, bytes, (content) => streamed(gzipSync(content), 'gzip')],
    [
      'gzip and is, around a layer that is gzip',
      layerDescriptor,
      layer,
      (content) => streamed(gzipSync(content), 'gzip'),
    ],
  ])('that is labelled %s', async (_, wanted, content, script) => {
    const registry = await startTestRegistry({ [`GET /v2/${NAME}/blobs/${wanted.digest}`]: script(content) })
    expect((await collect(registry.repository().fetch(wanted, { transient: true }))).equals(content)).toBe(true)
  })

  test('that is wrong and labelled mentions the label', async () => {
    const wrong = Buffer.alloc(bytes.length, 'x')
    const registry = await startTestRegistry({ [ROUTE]: answers(200, { 'content-encoding': 'br' }, wrong) })
    await expect(collect(registry.repository().fetch(descriptor))).rejects.toMatchObject({
      code: 'digest-mismatch',
      hint: expect.stringContaining('"Content-Encoding: br"'),
    })
  })

  test('that is decoded stops at its size', async () => {
    const bomb = gzipSync(Buffer.alloc(bytes.length + 10 * MIB))
    const registry = await startTestRegistry({ [ROUTE]: answers(200, { 'content-encoding': 'gzip' }, bomb) })
    await expect(collect(registry.repository().fetch(descriptor))).rejects.toMatchObject({ code: 'size-mismatch' })
  })

  test('that says it is not encoded is fine', async () => {
    const registry = await startTestRegistry({ [ROUTE]: answers(200, { 'content-encoding': 'identity' }, bytes) })
    expect((await collect(registry.repository().fetch(descriptor))).equals(bytes)).toBe(true)
  })
})

describe('a layer that lives elsewhere', () => {
  const foreign = { ...descriptor, urls: ['http://127.0.0.1:9/layer', 'http://127.0.0.1:9/other'] }

  test('is not looked for there', async () => {
    const registry = await startTestRegistry({})
    await expect(collect(registry.repository().fetch(foreign))).rejects.toMatchObject({
      code: 'not-found',
      hint: 'the descriptor names addresses outside the registry, which are not used',
    })
  })

  test('comes from the first of its addresses that has it, for calls that ask for that, and anonymously', async () => {
    const registry = await startTestRegistry({}, { transport: { headers: { authorization: 'Basic c2VjcmV0' } } })
    const elsewhere = await startTestRegistry({ 'GET /layer': answers(200, {}, bytes) })
    const layer = { ...descriptor, urls: [`${elsewhere.url}/gone`, `${elsewhere.url}/layer`] }
    const repository = registry.repository()
    expect((await collect(repository.fetch(layer, { foreign: true }))).equals(bytes)).toBe(true)
    const rest = await collect(repository.fetch(layer, { foreign: true, offset: MIB }))
    expect(rest.equals(bytes.subarray(MIB))).toBe(true)
    expect(elsewhere.ledger.map(({ headers }) => headers.authorization).filter(Boolean)).toEqual([])
    expect(registry.ledger.every(({ headers }) => headers.authorization !== undefined)).toBe(true)
  })

  test.each<[string, string]>([
    ['file:///etc/passwd', 'untrusted-destination'],
    ['http://user:secret@127.0.0.1:9/layer', 'untrusted-destination'],
    ['http://127.0.0.1:9/layer', 'network-error'],
  ])('is not had from %s', async (url, code) => {
    const registry = await startTestRegistry({}, { transport: { retry: { attempts: 1 } } })
    const fetched = collect(registry.repository().fetch({ ...descriptor, urls: [url] }, { foreign: true }))
    await expect(fetched).rejects.toMatchObject({ code, message: expect.stringContaining('layer address') })
  })

  test('of another size is refused before it is read', async () => {
    const elsewhere = await startTestRegistry({ 'GET /layer': answers(200, {}, 'short') })
    const registry = await startTestRegistry({})
    const layer = { ...descriptor, urls: [`${elsewhere.url}/layer`] }
    await expect(collect(registry.repository().fetch(layer, { foreign: true }))).rejects.toMatchObject({
      code: 'size-mismatch',
    })
  })

  test('is copied, checked by its digest', async () => {
    const content = Buffer.from('a foreign layer')
    const elsewhere = await startTestRegistry({
      'GET /right': answers(200, {}, content),
      'GET /wrong': answers(200, {}, 'a foreign lawyer'.slice(0, content.length)),
    })
    const mediaType = MediaType.imageLayerNonDistributableGzip
    const pushed = (path: string): ManifestContent =>
      manifestWith({ layers: [{ ...descriptorOf(mediaType, content), urls: [`${elsewhere.url}/${path}`] }] })
    const copied = async (path: string): Promise<MemoryStore> => {
      const manifest = pushed(path)
      const registry = await startTestRegistry({
        [`GET /v2/${NAME}/manifests/v1`]: answers(200, manifestHeaders(manifest), manifest.bytes),
        [`GET /v2/${NAME}/blobs/${EMPTY_CONFIG.digest}`]: answers(200, {}, '{}'),
      })
      const sink = new MemoryStore()
      await copy(registry.repository(), 'v1', sink, { nonDistributable: true, tags: ['v1'] })
      return sink
    }
    expect(await (await copied('right')).has(descriptorOf(mediaType, content))).toBe(true)
    await expect(copied('wrong')).rejects.toMatchObject({ code: 'digest-mismatch', side: 'source' })
  })

  test('is opened by whoever says how', async () => {
    const registry = await startTestRegistry({})
    const asked: unknown[] = []
    const repository = registry.repository({
      openForeign: (urls, { offset }) => {
        asked.push(urls, offset)
        return (async function* () {
          yield bytes.subarray(offset)
        })()
      },
    })
    expect((await collect(repository.fetch(foreign, { offset: 10 }))).equals(bytes.subarray(10))).toBe(true)
    expect(asked).toEqual([foreign.urls, 10])
  })

  test('is taken from the registry where that has it', async () => {
    const registry = await startTestRegistry({ [ROUTE]: sends() })
    const repository = registry.repository({
      openForeign: () => {
        throw new Error('not wanted')
      },
    })
    expect((await collect(repository.fetch(foreign))).equals(bytes)).toBe(true)
  })
})

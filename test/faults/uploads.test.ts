import { describe, expect, test } from 'vitest'
import { descriptorOf, type Descriptor } from '../../src/oci/descriptor.js'
import { digestOf } from '../../src/oci/digest.js'
import { MediaType } from '../../src/oci/media-types.js'
import { openBytes } from '../../src/util/bytes.js'
import type { Repository } from '../../src/registry/repository.js'
import type { ScriptedExchange } from '../registry/http/scripted-server.js'
import { someBytes } from '../registry/test-registry.js'
import { BLOB, FaultBench, MANIFEST, UPLOAD } from './fault-bench.js'
import { cutAfterwards, cutRequest, edit, editHeaders, reply, replyEarly, type RestOfBody } from './faults.js'
import type { Fault } from './faulty-wire.js'

const MIB = 1024 * 1024
const CONTENT = someBytes(3 * MIB)
const CONTENT_DIGEST = digestOf(CONTENT)
const RESTS: readonly RestOfBody[] = ['is read', 'is left', 'is cut off']
const ALWAYS = { times: Number.POSITIVE_INFINITY }
/** The config is uploaded too, and is not meant. */
const LARGE = { when: hasLargeBody }

function hasLargeBody({ request }: ScriptedExchange): boolean {
  return Number(request.headers['content-length']) > 1024
}

/** Requests with content of the file, each as its method and what it holds. */
function contentsIn({ wire }: FaultBench): readonly string[] {
  return wire.ledger
    .filter(({ method, headers }) => ['PUT', 'PATCH'].includes(method) && Number(headers['content-length']) > 1024)
    .map(({ method, headers }) => `${method} ${headers['content-range'] ?? 'all'}`)
}

/** Uploads that the registry has opened. */
function sessionsIn({ wire }: FaultBench): number {
  return wire.uploads.size
}

/** How many uploads pushing takes when nothing goes wrong: the file and the config. */
const UPLOADS_OF_A_PUSH = 2

async function pushInChunks(bench: FaultBench, chunkSize = MIB): Promise<Descriptor> {
  const descriptor = descriptorOf(MediaType.octetStream, CONTENT)
  const repository: Repository = bench.connect({ uploadChunkSize: chunkSize })
  await repository.push(descriptor, openBytes(CONTENT))
  expect(await bench.behind.has(descriptor)).toBe(true)
  await bench.expectNoUploads()
  return descriptor
}

describe('21: a connection that is reset in the middle of an upload', () => {
  test('21: of the whole blob: the upload goes on where the registry says that it stands', async () => {
    const bench = await FaultBench.open()
    bench.wire.on('PUT', UPLOAD, cutRequest(2 * MIB), LARGE)
    await bench.pushes(CONTENT)
    expect(contentsIn(bench)).toEqual(['PUT all', `PATCH ${2 * MIB}-${3 * MIB - 1}`])
    expect(sessionsIn(bench)).toBe(UPLOADS_OF_A_PUSH)
  })

  test('21: of the whole blob, with next to nothing sent: it begins anew', async () => {
    const bench = await FaultBench.open()
    const content = CONTENT.subarray(0, 256 * 1024)
    bench.wire.on('PUT', UPLOAD, cutRequest(1000), LARGE)
    await bench.pushes(content)
    expect(contentsIn(bench)).toEqual(['PUT all', 'PUT all'])
    expect(sessionsIn(bench)).toBe(UPLOADS_OF_A_PUSH + 1)
  })

  test('21: of a chunk: the upload goes on where the registry says that it stands', async () => {
    const bench = await FaultBench.open()
    bench.wire.on('PATCH', UPLOAD, cutRequest(MIB / 2), { skip: 1 })
    await pushInChunks(bench)
    const [first, second, third, ...rest] = contentsIn(bench)
    expect([first, second]).toEqual([`PATCH 0-${MIB - 1}`, `PATCH ${MIB}-${2 * MIB - 1}`])
    expect(third).toBe(`PATCH ${1.5 * MIB}-${2.5 * MIB - 1}`)
    expect(rest).toEqual([`PATCH ${2.5 * MIB}-${3 * MIB - 1}`])
    expect(sessionsIn(bench)).toBe(1)
  })

  test('21: every time: given up, and nothing is left of it at the registry', async () => {
    const bench = await FaultBench.open()
    bench.wire.on('PUT', UPLOAD, cutRequest(1000), { ...ALWAYS, ...LARGE })
    const content = CONTENT.subarray(0, 256 * 1024)
    await bench.failsToPush(content, {
      message: /^Error from destination: 127\.0\.0\.1:\d+: connection (reset|closed)/m,
    })
    expect(contentsIn(bench)).toHaveLength(5)
    expect(bench.wire.find('PUT', MANIFEST)).toHaveLength(0)
  })
})

describe('22: a registry that says where a broken upload stands', () => {
  async function pushBroken(range: string | undefined): Promise<FaultBench> {
    const bench = await FaultBench.open()
    bench.wire.on('PUT', UPLOAD, cutRequest(2 * MIB), LARGE)
    bench.wire.on('GET', UPLOAD, editHeaders({ range }))
    await bench.pushes(CONTENT)
    return bench
  }

  test('22: at fewer bytes than were sent: it goes on there', async () => {
    const bench = await FaultBench.open()
    // It lost what came last.
    bench.wire.on('PUT', UPLOAD, cutRequest(1.5 * MIB), LARGE)
    await bench.pushes(CONTENT)
    expect(contentsIn(bench)).toEqual(['PUT all', `PATCH ${1.5 * MIB}-${3 * MIB - 1}`])
  })

  test.each([
    ['at more bytes than were sent', `0-${3 * MIB}`],
    ['nowhere, without a Range', undefined],
    ['nowhere, with a Range that makes no sense', 'bytes=0--1'],
  ])('22: %s: it is not believed, and the upload begins anew', async (_name, range) => {
    const bench = await pushBroken(range)
    expect(contentsIn(bench)).toEqual(['PUT all', 'PUT all'])
    expect(sessionsIn(bench)).toBe(UPLOADS_OF_A_PUSH + 1)
    // Nothing was finished that could not be complete.
    expect(bench.wire.find('PUT', UPLOAD)).toHaveLength(UPLOADS_OF_A_PUSH + 1)
  })

  test('22: wrongly: what the registry then refuses begins anew', async () => {
    const bench = await pushBroken(`0-${MIB - 1}`)
    expect(contentsIn(bench)[1]).toBe(`PATCH ${MIB}-${3 * MIB - 1}`)
    expect(contentsIn(bench).length).toBeLessThanOrEqual(4)
  })
})

describe('23: a registry that has the blob and fails to say so', () => {
  const statusAfterwards: Fault = edit(() => ({ status: 500, headers: {}, body: Buffer.alloc(0) }))

  test.each([
    ['the connection is reset', cutAfterwards],
    ['it answers with status 500', statusAfterwards],
  ])('23: %s: it is asked whether the blob is there, and nothing is sent again', async (_name, fault) => {
    const bench = await FaultBench.open()
    bench.wire.on('PUT', UPLOAD, fault, LARGE)
    await bench.pushes(CONTENT)
    expect(contentsIn(bench)).toEqual(['PUT all'])
    const heads = bench.wire.find('HEAD', BLOB).filter(({ url }) => url.endsWith(CONTENT_DIGEST))
    expect(heads).toHaveLength(2)
    expect(sessionsIn(bench)).toBe(UPLOADS_OF_A_PUSH)
  })
})

describe('24: what a registry says about a blob that it has taken', () => {
  test('24: with another digest it is an error', async () => {
    const bench = await FaultBench.open()
    const other = digestOf('something else')
    bench.wire.on('PUT', UPLOAD, editHeaders({ 'docker-content-digest': other }), { ...ALWAYS, ...LARGE })
    const message = new RegExp(`digest mismatch: sent ${CONTENT_DIGEST}, the registry stored ${other}`)
    await bench.failsToPush(CONTENT, { message })
    expect(bench.wire.find('PUT', MANIFEST)).toHaveLength(0)
  })

  test('24: with status 202 it has not taken it, which is an error', async () => {
    const bench = await FaultBench.open()
    bench.wire.on('PUT', UPLOAD, reply({ status: 202 }), { ...ALWAYS, ...LARGE })
    await bench.failsToPush(CONTENT, { message: /PUT ".*": response status code 202/ })
    expect(bench.wire.find('PUT', MANIFEST)).toHaveLength(0)
  })

  test('24: with status 204 it is believed', async () => {
    const bench = await FaultBench.open()
    bench.wire.on(
      'PUT',
      UPLOAD,
      edit(() => ({ status: 204, headers: {}, body: Buffer.alloc(0) })),
      LARGE,
    )
    await bench.pushes(CONTENT)
    expect(contentsIn(bench)).toEqual(['PUT all'])
  })
})

describe('25: a registry that refuses to go on with an upload', () => {
  const unknown = reply({ status: 404, body: { errors: [{ code: 'BLOB_UPLOAD_UNKNOWN', message: 'unknown' }] } })

  test('25: because it has forgotten it: the upload begins anew', async () => {
    const bench = await FaultBench.open()
    bench.wire.on('PATCH', UPLOAD, unknown, { skip: 1 })
    await pushInChunks(bench)
    expect(sessionsIn(bench)).toBe(2)
    expect(contentsIn(bench).slice(2)).toEqual([
      `PATCH 0-${MIB - 1}`,
      `PATCH ${MIB}-${2 * MIB - 1}`,
      `PATCH ${2 * MIB}-${3 * MIB - 1}`,
    ])
  })

  test('25: because it has forgotten it, before anything was sent in chunks', async () => {
    const bench = await FaultBench.open()
    bench.wire.on('PUT', UPLOAD, unknown, LARGE)
    await bench.pushes(CONTENT)
    expect(contentsIn(bench)).toEqual(['PUT all', 'PUT all'])
  })

  test('25: because the blob is too large: an error that says so', async () => {
    const bench = await FaultBench.open()
    const body = { errors: [{ code: 'SIZE_INVALID', message: 'a blob may have 1048576 bytes' }] }
    bench.wire.on('PUT', UPLOAD, reply({ status: 413, body }), { ...ALWAYS, ...LARGE })
    await bench.failsToPush(CONTENT, { message: /^Error.*: size invalid: a blob may have 1048576 bytes$/m })
    expect(contentsIn(bench)).toEqual(['PUT all'])
  })

  test('25: because a chunk begins at the wrong place: it is asked where the upload stands', async () => {
    const bench = await FaultBench.open()
    // The answer to a chunk was lost on the way, and the client asked to send it once more.
    bench.wire.on(
      'PATCH',
      UPLOAD,
      edit(({ headers }) => ({ status: 416, headers, body: Buffer.alloc(0) })),
      { skip: 1 },
    )
    await pushInChunks(bench)
    expect(bench.wire.find('GET', UPLOAD)).toHaveLength(1)
    expect(contentsIn(bench)).toEqual([
      `PATCH 0-${MIB - 1}`,
      `PATCH ${MIB}-${2 * MIB - 1}`,
      `PATCH ${2 * MIB}-${3 * MIB - 1}`,
    ])
    expect(sessionsIn(bench)).toBe(1)
  })
})

describe('26: an answer that comes while the body is still being sent', () => {
  const large = someBytes(24 * MIB)

  const refusals = [
    { status: 401, code: 'UNAUTHORIZED', message: 'who are you', exit: 5 },
    { status: 413, code: 'SIZE_INVALID', message: 'too much', exit: 1 },
  ]
  const cases = refusals.flatMap((refusal) => RESTS.map((rest) => ({ ...refusal, rest })))

  test.each(cases)(
    '26: status $status, and the rest $rest: this is the error that is reported',
    async ({ status, code, message, exit, rest }) => {
      const bench = await FaultBench.open({ debug: false })
      const refusal = { status, body: { errors: [{ code, message }] } }
      bench.wire.on('PUT', UPLOAD, replyEarly(refusal, rest), { ...ALWAYS, ...LARGE })
      const shown = `^Error.*: ${code.toLowerCase().replace('_', ' ')}: ${message}(?:$|:)`
      const { stderr } = await bench.failsToPush(large, { code: exit, message: new RegExp(shown, 'm') })
      expect(stderr).not.toMatch(/EPIPE|ECONNRESET|connection (reset|closed)|retrying/)
      const sent = bench.wire.find('PUT', UPLOAD).filter(({ headers }) => Number(headers['content-length']) > 1024)
      expect(sent).toHaveLength(1)
      expect(sent[0]!.complete).toBe(false)
      expect(sent[0]!.bodySize).toBeLessThan(large.length / 2)
      expect(bench.wire.find('PUT', MANIFEST)).toHaveLength(0)
    },
  )
})

describe('27: a registry that has the manifest and fails to say so', () => {
  test.each([
    ['once', 1],
    ['every time', Number.POSITIVE_INFINITY],
  ])('27: because the connection is reset, %s: the push has worked', async (_name, times) => {
    const bench = await FaultBench.open()
    bench.wire.on('PUT', MANIFEST, cutAfterwards, { times })
    await bench.pushes(CONTENT)
    expect(contentsIn(bench)).toEqual(['PUT all'])
    const puts = bench.wire.find('PUT', MANIFEST)
    expect(new Set(puts.map(({ bodySha256 }) => bodySha256)).size).toBe(1)
    expect(puts.length).toBeLessThanOrEqual(5)
  })
})

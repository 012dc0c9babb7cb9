import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { isGantryError } from '../../src/errors.js'
import { descriptorOf } from '../../src/oci/descriptor.js'
import { LayoutStore } from '../../src/store/layout.js'
import { fc, isThorough, runs } from '../properties.js'
import { blobFile } from '../store/layout-folder.js'
import { temporaryFolder } from '../util/temporary-folder.js'
import type { ScriptedExchange } from './http/scripted-server.js'
import { NAME, openPieces, someBytes, startTestRegistry } from './test-registry.js'
import { receive, startUploadRegistry, type UploadStep } from './upload-registry.js'

const MIB = 1024 * 1024

/** What can go wrong with one request that carries content. */
type UploadFault =
  | { readonly kind: 'fine' | 'commit-then-cut' | 'lose-session' | 'forget-bytes' }
  | { readonly kind: 'cut'; readonly after: number }
  | { readonly kind: 'refuse'; readonly status: number; readonly after: number }

const uploadFault: fc.Arbitrary<UploadFault> = fc.oneof(
  { weight: 2, arbitrary: fc.constant<UploadFault>({ kind: 'fine' }) },
  fc.constantFrom<UploadFault>({ kind: 'commit-then-cut' }, { kind: 'lose-session' }, { kind: 'forget-bytes' }),
  fc.nat(3 * MIB).map((after): UploadFault => ({ kind: 'cut', after })),
  fc
    .tuple(fc.constantFrom(400, 403, 404, 413, 416, 429, 500, 502, 503), fc.nat(2 * MIB))
    .map(([status, after]): UploadFault => ({ kind: 'refuse', status, after })),
)

/** @returns whether the request has been answered, or has no answer */
async function play(fault: UploadFault, { exchange, session, method, registry }: UploadStep): Promise<boolean> {
  const { request, answer, socket } = exchange
  const wanted = new URLSearchParams(request.url?.split('?')[1]).get('digest')
  switch (fault.kind) {
    case 'fine':
      return false
    case 'cut':
      await receive(exchange, session, fault.after)
      socket.resetAndDestroy()
      return true
    case 'commit-then-cut':
      await receive(exchange, session)
      if (method === 'PUT' && wanted === descriptorOf('x/y', session.received).digest) {
        registry.blobs.set(wanted, session.received)
        registry.sessions.delete(session.id)
      }
      socket.resetAndDestroy()
      return true
    case 'lose-session':
      registry.sessions.delete(session.id)
      request.resume()
      answer(404, {}, { errors: [{ code: 'BLOB_UPLOAD_UNKNOWN' }] })
      return true
    case 'forget-bytes':
      await receive(exchange, session)
      session.received = session.received.subarray(0, Math.floor(session.received.length / 2))
      answer(500)
      return true
    case 'refuse':
      await receive(exchange, session, fault.after)
      request.resume()
      answer(fault.status, { connection: 'close' })
      return true
  }
}

test('an upload ends with the exact bytes or with an error, and leaves no session open', async () => {
  let faults: readonly UploadFault[] = []
  const registry = await startUploadRegistry({
    intercept: (step) =>
      play(faults[registry.steps.filter((text) => /^(PUT|PATCH)/.test(text)).length - 1] ?? { kind: 'fine' }, step),
  })
  const outcomes = { stored: 0, failed: 0 }
  const size = fc.constantFrom(0, 1, 1000, 70_000, MIB, 2 * MIB + 17)
  const chunkSize = fc.constantFrom(undefined, 100_000, MIB)
  await fc.assert(
    fc.asyncProperty(size, chunkSize, fc.array(uploadFault, { maxLength: 7 }), async (length, chunk, script) => {
      faults = script
      registry.blobs.clear()
      registry.sessions.clear()
      registry.steps.length = 0
      const bytes = someBytes(length)
      const descriptor = descriptorOf('application/octet-stream', bytes)
      const repository = registry.repository(chunk === undefined ? {} : { uploadChunkSize: chunk })
      let last = 0
      try {
        await repository.push(descriptor, openPieces(bytes), { onProgress: (offset) => (last = offset) })
        outcomes.stored++
        expect(registry.blobs.get(descriptor.digest)?.equals(bytes)).toBe(true)
        expect(last).toBe(length)
      } catch (error) {
        expect(isGantryError(error), String(error)).toBe(true)
        outcomes.failed++
      }
      for (const [digest, stored] of registry.blobs) expect(descriptorOf('x/y', stored).digest).toBe(digest)
      expect([...registry.sessions.keys()]).toEqual([])
      // One attempt, four more without getting ahead, and as many for each mebibyte that arrived.
      expect(registry.steps.filter((text) => text === 'POST').length).toBeLessThanOrEqual(6 + length / MIB)
    }),
    runs(0.5),
  )
  expect(outcomes.stored).toBeGreaterThan(0)
  if (isThorough) expect(outcomes.failed).toBeGreaterThan(0)
})

/** What can go wrong with one answer that carries a blob. */
type DownloadFault =
  | {
      readonly kind:
        | 'fine'
        | 'whole'
        | 'flipped'
        | 'flipped-whole'
        | 'longer'
        | 'multipart'
        | 'no-range'
        | 'wrong-total'
        | 'wrong-length'
    }
  | { readonly kind: 'cut' | 'ends'; readonly after: number }
  | { readonly kind: 'shifted'; readonly by: number }
  | { readonly kind: 'status'; readonly status: number }

const downloadFault: fc.Arbitrary<DownloadFault> = fc.oneof(
  { weight: 2, arbitrary: fc.constant<DownloadFault>({ kind: 'fine' }) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.constantFrom('cut' as const, 'ends' as const), fc.nat(3 * MIB))
      .map(([kind, after]): DownloadFault => ({ kind, after })),
  },
  fc
    .constantFrom<DownloadFault['kind']>(
      'whole',
      'flipped',
      'flipped-whole',
      'longer',
      'multipart',
      'no-range',
      'wrong-total',
      'wrong-length',
    )
    .map((kind) => ({ kind }) as DownloadFault),
  fc.constantFrom(-1, 1, 5000).map((by): DownloadFault => ({ kind: 'shifted', by })),
  fc.constantFrom(401, 403, 404, 416, 429, 500, 503).map((status): DownloadFault => ({ kind: 'status', status })),
)

function flipped(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes)
  const place = Math.floor(copy.length / 2)
  if (copy.length > 0) copy[place] = (copy[place] ?? 0) ^ 1
  return copy
}

function serve(fault: DownloadFault, { request, response, answer, socket }: ScriptedExchange, bytes: Uint8Array): void {
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? []
  const isPart = from !== undefined && !['whole', 'flipped-whole'].includes(fault.kind)
  const start = isPart ? Number(from) : 0
  const end = isPart && to !== undefined && to !== '' ? Math.min(bytes.length, Number(to) + 1) : bytes.length
  const range = (first = start, total = bytes.length): Record<string, string> =>
    isPart ? { 'content-range': `bytes ${first}-${first + end - start - 1}/${total}` } : {}
  const status = isPart ? 206 : 200
  const part = bytes.subarray(start, end)
  switch (fault.kind) {
    case 'cut':
    case 'ends': {
      const sent = part.subarray(0, fault.after)
      response.writeHead(status, {
        ...range(),
        ...(fault.kind === 'cut'
          ? { 'content-length': String(part.length) }
          : { connection: 'close', 'transfer-encoding': 'chunked' }),
      })
      if (fault.kind === 'ends') response.end(sent)
      else response.write(sent, () => socket.destroy())
      return
    }
    case 'flipped':
    case 'flipped-whole': {
      answer(status, range(), flipped(part))
      return
    }
    case 'longer':
      response.writeHead(status, { ...range(), 'transfer-encoding': 'chunked' })
      response.end(Buffer.concat([part, Buffer.from('more')]))
      return
    case 'multipart': {
      answer(status, { ...range(), 'content-type': 'multipart/byteranges; boundary=x' }, part)
      return
    }
    case 'no-range': {
      answer(status, {}, part)
      return
    }
    case 'wrong-total': {
      answer(status, range(start, bytes.length + 1), part)
      return
    }
    case 'wrong-length': {
      answer(200, {}, bytes.subarray(0, Math.max(0, bytes.length - 1)))
      return
    }
    case 'shifted': {
      answer(status, range(Math.max(0, start + fault.by)), part)
      return
    }
    case 'status': {
      answer(fault.status)
      return
    }
    case 'fine':
    case 'whole': {
      answer(status, range(), part)
      return
    }
  }
}

test('a download ends with the exact bytes or with an error, and publishes nothing else', async () => {
  let faults: readonly DownloadFault[] = []
  let bytes: Uint8Array = new Uint8Array()
  let count = 0
  const registry = await startTestRegistry((exchange) => {
    if (exchange.request.url === '/v2/') exchange.answer(200)
    else serve(faults[count++] ?? { kind: 'fine' }, exchange, bytes)
  })
  const root = temporaryFolder()
  let folders = 0
  const outcomes = { stored: 0, failed: 0 }
  const size = fc.constantFrom(0, 1, 1000, 70_000, MIB, 2 * MIB + 17)
  await fc.assert(
    fc.asyncProperty(size, fc.array(downloadFault, { maxLength: 8 }), async (length, script) => {
      faults = script
      bytes = someBytes(length)
      count = 0
      const descriptor = descriptorOf('application/octet-stream', bytes)
      const repository = registry.repository()
      const folder = join(root, String(folders++))
      mkdirSync(folder)
      const store = await LayoutStore.open(folder, { create: true })
      const file = blobFile(folder, descriptor)
      try {
        await store.push(descriptor, (offset) => repository.fetch(descriptor, offset === undefined ? {} : { offset }))
        outcomes.stored++
        expect(readFileSync(file).equals(bytes)).toBe(true)
      } catch (error) {
        expect(isGantryError(error), String(error)).toBe(true)
        expect(existsSync(file)).toBe(false)
        outcomes.failed++
      }
      const left = existsSync(join(folder, 'blobs/sha256')) ? readdirSync(join(folder, 'blobs/sha256')) : []
      expect(left.filter((name) => name !== descriptor.digest.slice('sha256:'.length))).toEqual([])
      expect(
        registry.ledger.every(
          ({ url }) => url === '/v2/' || url === `/v2/${NAME}/blobs/${descriptor.digest}` || url.includes('/blobs/'),
        ),
      ).toBe(true)
      rmSync(folder, { recursive: true })
    }),
    runs(0.5),
  )
  expect(outcomes.stored).toBeGreaterThan(0)
  if (isThorough) expect(outcomes.failed).toBeGreaterThan(0)
})

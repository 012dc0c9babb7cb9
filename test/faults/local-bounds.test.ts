import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { descriptorOf } from '../../src/oci/descriptor.js'
import { digestOf } from '../../src/oci/digest.js'
import { MediaType } from '../../src/oci/media-types.js'
import { openBytes } from '../../src/util/bytes.js'
import { archive, file } from '../store/tar/build-tar.js'
import { BLOB, MANIFEST, TOKEN } from './fault-bench.js'
import type { Fault } from './faulty-wire.js'
import { LocalBench } from './local-bench.js'

const MIB = 1024 * 1024
/** Most memory that a command may need for what a hostile registry sends, in MiB. */
const MEMORY = 150
/** Most that is on its way when a command hangs up, in bytes. */
const ON_THE_WAY = 16 * MIB

/** Sends an answer without an end, until the other side hangs up; counts what went out. */
function endless(status: number, mediaType: string, start = '{"a":"'): { fault: Fault; sent: () => Promise<number> } {
  const piece = Buffer.alloc(64 * 1024, 'x')
  let finish: (bytes: number) => void = () => undefined
  const sent = new Promise<number>((resolve) => (finish = resolve))
  const fault: Fault = async ({ response, socket }) => {
    response.writeHead(status, { 'content-type': mediaType })
    response.write(start)
    while (!socket.destroyed && socket.bytesWritten < 64 * MIB) {
      if (response.write(piece)) await new Promise(setImmediate)
      else
        await new Promise<void>((resolve) => {
          response.once('drain', resolve)
          socket.once('close', () => {
            resolve()
          })
        })
    }
    finish(socket.bytesWritten)
  }
  return { fault, sent: () => sent }
}

async function seedConfig(bench: LocalBench): Promise<void> {
  const bytes = Buffer.from('{"some":"config"}')
  const config = descriptorOf('test/config', bytes)
  await bench.behind().push(config, openBytes(bytes))
  await bench.seedManifest({ artifactType: 'test/file', config, layers: [] })
}

interface Endless {
  readonly what: string
  readonly path: RegExp
  readonly words: (bench: LocalBench) => readonly string[]
  readonly message: RegExp
  readonly status?: number
  readonly start?: string
  readonly code?: number
}

describe('39: an answer without an end is not read to the end:', () => {
  test.each<Endless>([
    {
      what: 'a manifest',
      path: MANIFEST,
      words: (bench) => ['pull', bench.reference('v1'), '-o', bench.output],
      message: /exceeds the limit of 4194304 bytes/,
    },
    {
      what: 'a token',
      path: TOKEN,
      words: (bench) => ['pull', bench.reference('v1'), '-o', bench.output],
      message: /exceeds the limit of 1048576 bytes/,
    },
    {
      what: 'an error',
      path: MANIFEST,
      status: 400,
      start: '{"errors":[{"code":"MANIFEST_INVALID","message":"',
      words: (bench) => ['pull', bench.reference('v1'), '-o', bench.output],
      message: /400/,
    },
    {
      what: 'a list of tags',
      path: /\/tags\/list$/,
      words: (bench) => ['repo', 'tags', bench.reference('v1').replace(/:v1$/, '')],
      message: /exceeds the limit of 4194304 bytes/,
    },
    {
      what: 'a list of repositories',
      path: /\/_catalog$/,
      words: (bench) => ['repo', 'ls', bench.wire.host],
      message: /exceeds the limit of 4194304 bytes/,
    },
    {
      what: 'a list of referrers',
      path: /\/referrers\//,
      words: (bench) => ['discover', bench.reference('v1')],
      message: /exceeds the limit of 4194304 bytes/,
    },
    {
      what: 'a config',
      path: BLOB,
      words: (bench) => ['manifest', 'fetch-config', bench.reference('v1')],
      message: /longer than|more than|too long/,
    },
    {
      what: 'a blob',
      path: BLOB,
      words: (bench) => ['pull', bench.reference('v1'), '-o', bench.output],
      message: /longer than|more than|too long/,
    },
  ])('39: $what', async ({ what, path, words, message, status = 200, start, code = 1 }) => {
    const bench = await LocalBench.open(what === 'a token' ? { auth: 'bearer' } : {})
    await bench.seed(Buffer.from('some content'))
    if (what === 'a config') await seedConfig(bench)
    const mediaType = path === MANIFEST && status === 200 ? MediaType.imageManifest : 'application/json'
    const { fault, sent } = endless(status, mediaType, start)
    bench.wire.on('GET', path, fault, { times: 99 })
    const before = await bench.snapshot()
    const ending = await bench.measure([...words(bench), '--plain-http'])
    expect(ending.stderr).toMatch(message)
    expect(ending.stderr.length).toBeLessThan(4096)
    expect(ending.code, ending.stderr).toBe(code)
    expect(ending.memory).toBeLessThan(MEMORY)
    expect(await sent()).toBeLessThan(ON_THE_WAY)
    expect(await bench.snapshot()).toEqual(before)
    await bench.expectNothingUnfinished()
  })
})

describe('39: a manifest that is small on the wire', () => {
  const config = { mediaType: MediaType.empty, digest: digestOf('{}'), size: 2 }
  const start = { schemaVersion: 2, mediaType: MediaType.imageManifest, artifactType: 'a/b', config, layers: [config] }
  const textOf = (fields: object): string => JSON.stringify({ ...start, ...fields })
  const layerOf = (number: number): object => ({
    mediaType: 'a/b',
    digest: digestOf(String(number)),
    size: 10,
    annotations: { 'org.opencontainers.image.title': `file-${number}` },
  })
  test.each<[string, () => string, RegExp]>([
    [
      'a million levels deep',
      () => textOf({ x: 0 }).replace('"x":0', `"x":${'['.repeat(1e6)}${']'.repeat(1e6)}`),
      /deeper than 64 levels/,
    ],
    [
      '300,000 annotations',
      () => textOf({ annotations: Object.fromEntries(Array.from({ length: 3e5 }, (_, i) => [`k${i}`, ''])) }),
      /more than 200000 objects, lists and names/,
    ],
    [
      'a million objects',
      () => textOf({ x: 0 }).replace('"x":0', `"x":[${'{},'.repeat(1e6)}{}]`),
      /more than 200000 objects, lists and names/,
    ],
    [
      '20,000 files that are not there',
      () => textOf({ layers: Array.from({ length: 2e4 }, (_, number) => layerOf(number)) }),
      /not found/,
    ],
    ['names that come twice', () => textOf({}).replace('{', '{"layers":[],'), /has the key "layers" twice/],
  ])('39: with %s is refused with little memory', async (_what, make, message) => {
    const bench = await LocalBench.open()
    const body = Buffer.from(make())
    expect(body.length).toBeLessThan(4 * MIB)
    bench.wire.on('GET', MANIFEST, ({ answer }) => answer(200, { 'content-type': MediaType.imageManifest }, body), {
      times: 99,
    })
    const before = await bench.snapshot()
    const ending = await bench.measure(['pull', bench.reference('v1'), '-o', bench.output, '--plain-http'])
    expect(ending.stderr).toMatch(message)
    expect(ending.code).toBe(String(message) === '/not found/' ? 6 : 1)
    expect(ending.memory).toBeLessThan(MEMORY)
    expect(await bench.snapshot()).toEqual(before)
  })
})

describe('42: what is larger than it looks', () => {
  test('42: a folder that unpacks to more than is allowed is not unpacked', async () => {
    const bench = await LocalBench.open()
    const zeros = '\0'.repeat(64 * MIB)
    await bench.seedFolder(gzipSync(archive(file('d/a'), file('d/zeros', zeros))))
    const words = ['pull', bench.reference('v1'), '-o', bench.output, '--plain-http', '--max-unpacked-size', '8M']
    await bench.fails(words, /unpacks to more than 8388608 bytes|--max-unpacked-size/)
  })

  test.each(['gzip', 'identity, gzip', Array.from({ length: 5000 }, () => 'gzip').join(', ')])(
    '42: a blob that is labelled %.20s, and is as it was stored, is taken',
    async (encoding) => {
      const bench = await LocalBench.open()
      await bench.seed(gzipSync('some content'))
      bench.wire.on(
        'GET',
        BLOB,
        async (passage) => {
          const answer = await passage.ask()
          passage.send({ ...answer, headers: { ...answer.headers, 'content-encoding': encoding } })
        },
        { times: 99 },
      )
      await bench.succeeds(['pull', bench.reference('v1'), '-o', bench.output, '--plain-http'])
    },
  )

  test.each<[string, (body: Buffer) => Buffer, RegExp | undefined]>([
    ['is pulled', (body) => body, undefined],
    ['and too large is refused', () => Buffer.alloc(64 * MIB, ' '), /exceeds the limit of 4194304 bytes/],
    ['and another one is refused', (body) => Buffer.concat([body, Buffer.from(' ')]), /digest mismatch/],
  ])('42: a manifest that is sent compressed %s', async (_what, change, message) => {
    const bench = await LocalBench.open()
    await bench.seed(Buffer.from('some content'))
    bench.wire.on(
      'GET',
      MANIFEST,
      async (passage) => {
        const answer = await passage.ask()
        const body = gzipSync(change(answer.body))
        const headers = { ...answer.headers, 'content-encoding': 'gzip', 'content-length': String(body.length) }
        passage.send({ ...answer, headers, body })
      },
      { times: 99 },
    )
    const words = ['pull', bench.reference('v1'), '-o', bench.output, '--plain-http']
    await (message === undefined ? bench.succeeds(words) : bench.fails(words, message))
    for (const { headers } of bench.wire.ledger) expect(headers['accept-encoding']).toBe('identity')
  })
})

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startScriptedServer, type Script, type ScriptedServer } from '../registry/http/scripted-server.js'
import { BLOB, MANIFEST } from './fault-bench.js'
import { LocalBench } from './local-bench.js'

/** Addresses that are public, and lead to this machine here. */
const REGISTRY = '93.184.216.34'
const STORE = '93.184.216.35'
const CONTENT = Buffer.from('some content')

/** Loaded into the program: names have the addresses of a table, and two public addresses are those of this machine. */
const internet = (names: Readonly<Record<string, readonly string[]>>): string => `
  const dns = require('node:dns')
  const { syncBuiltinESMExports } = require('node:module')
  const names = ${JSON.stringify(names)}
  const lookups = new Map()
  dns.lookup = (name, options, callback) => {
    const count = lookups.get(name) ?? 0
    lookups.set(name, count + 1)
    const addresses = names[name]
    if (addresses === undefined) return callback(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }))
    const address = addresses[Math.min(count, addresses.length - 1)]
    process.nextTick(callback, null, [{ address, family: 4 }])
  }
  syncBuiltinESMExports()
  const { TCP } = process.binding('tcp_wrap')
  const { connect, getpeername } = TCP.prototype
  TCP.prototype.connect = function (request, address, ...rest) {
    const isHere = ['${REGISTRY}', '${STORE}'].includes(address)
    if (isHere) this.publicAddress = address
    return connect.call(this, request, isHere ? '127.0.0.1' : address, ...rest)
  }
  TCP.prototype.getpeername = function (out) {
    const result = getpeername.call(this, out)
    if (this.publicAddress !== undefined) out.address = this.publicAddress
    return result
  }
`

interface Internet {
  readonly bench: LocalBench
  /** Another host, which the registry points at. */
  readonly store: ScriptedServer
  readonly words: readonly string[]
  readonly environment: Readonly<Record<string, string>>
}

async function connectTo(names: Readonly<Record<string, readonly string[]>>, script: Script): Promise<Internet> {
  const bench = await LocalBench.open()
  await bench.seed(CONTENT)
  const store = await startScriptedServer(script)
  onTestFinished(() => store.close())
  const preload = join(bench.programs, 'internet.cjs')
  await writeFile(preload, internet({ 'registry.example': [REGISTRY], ...names }))
  const reference = `registry.example:${bench.wire.host.split(':')[1] ?? ''}/team/app:v1`
  return {
    bench,
    store,
    words: ['pull', reference, '-o', bench.output, '--plain-http'],
    environment: { NODE_OPTIONS: `--no-deprecation --require ${preload}` },
  }
}

const serveContent: Script = ({ answer }) => {
  answer(200, {}, CONTENT)
}

function redirectBlobs({ bench, store }: Internet): void {
  bench.wire.on(
    'GET',
    BLOB,
    ({ answer }) => {
      answer(307, { location: `http://store.example:${store.port}/content` })
    },
    { times: 99 },
  )
}

describe('46: a public registry that points at a name', () => {
  test('46: with a public address is followed', async () => {
    const place = await connectTo({ 'store.example': [STORE] }, serveContent)
    redirectBlobs(place)
    await place.bench.succeeds(place.words, place)
    expect(place.store.ledger).toHaveLength(1)
  })

  test.each([
    ['of this machine', '127.0.0.1', 'loopback'],
    ['of a private network', '10.0.0.1', 'private'],
    ["of a cloud's metadata", '169.254.169.254', 'link-local'],
    ['of nothing', '0.0.0.0', 'reserved'],
  ])('46: with an address %s is refused when it would be connected to', async (_what, address, hostClass) => {
    const place = await connectTo({ 'store.example': [address] }, serveContent)
    redirectBlobs(place)
    const message = new RegExp(`connection to store\\.example \\(by its name\\) refused: an? ${hostClass} address`)
    await place.bench.fails(place.words, message, place)
    expect(place.store.connections()).toBe(0)
  })

  test('46: that moves to this machine after it was looked at is refused', async () => {
    const place = await connectTo({ 'store.example': [STORE, '127.0.0.1'] }, ({ answer }) => {
      answer(503, { connection: 'close' })
    })
    redirectBlobs(place)
    await place.bench.fails(place.words, /store\.example \(by its name\) refused: a loopback address/, place)
    expect(place.store.connections()).toBe(1)
  })

  test('46: for tokens is refused in the same way', async () => {
    const place = await connectTo({ 'tokens.example': ['127.0.0.1'] }, serveContent)
    place.bench.wire.on(
      'GET',
      MANIFEST,
      ({ answer }) => {
        answer(401, { 'www-authenticate': `Bearer realm="http://tokens.example:${place.store.port}/token"` })
      },
      { times: 99 },
    )
    await place.bench.fails(place.words, /tokens\.example.*refused: a loopback address/, { ...place, code: 1 })
    expect(place.store.connections()).toBe(0)
  })
})

test('46: a registry that moves to this machine while it is used is refused', async () => {
  const place = await connectTo({ 'registry.example': [REGISTRY, '127.0.0.1'] }, serveContent)
  place.bench.wire.on('GET', MANIFEST, ({ answer }) => {
    answer(503, { connection: 'close' })
  })
  await place.bench.fails(place.words, /registry\.example.*refused: a loopback address/, place)
  expect(place.bench.wire.ledger).toHaveLength(1)
})

import { describe, expect, onTestFinished, test } from 'vitest'
import { createAuthority, createCertificate, type TestCertificate } from '../registry/http/certificates.js'
import { startScriptedServer, type Script, type ScriptedServer } from '../registry/http/scripted-server.js'
import { CANARY, LocalBench } from './local-bench.js'

const authority = createAuthority('Test Authority')
const good = createCertificate({ name: 'registry', hosts: ['127.0.0.1'], issuer: authority })
const expired = createCertificate({
  ...{ name: 'registry', hosts: ['127.0.0.1'], issuer: authority },
  ...{ notBefore: -10, notAfter: -1 },
})
const early = createCertificate({ name: 'registry', hosts: ['127.0.0.1'], issuer: authority, notBefore: 5 })
const wrongName = createCertificate({ name: 'registry', hosts: ['other.example'], issuer: authority })
const selfSigned = createCertificate({ name: 'registry', hosts: ['127.0.0.1'] })

async function serve(tls: TestCertificate, script: Script): Promise<ScriptedServer> {
  const server = await startScriptedServer(script, { tls })
  onTestFinished(() => server.close())
  return server
}

const nothing: Script = ({ answer }) => {
  answer(404, {}, { errors: [{ code: 'MANIFEST_UNKNOWN', message: 'unknown' }] })
}

describe('47: a certificate', () => {
  test.each([
    ['that has expired', expired, /certificate has expired/],
    ['that is not valid yet', early, /certificate is not valid yet/],
    ['for another name', wrongName, /certificate is for another host/],
    ['that signed itself', selfSigned, /certificate signed by unknown authority/],
  ])('47: %s is refused before anything is said, and without another try', async (_what, certificate, message) => {
    const bench = await LocalBench.open()
    const server = await serve(certificate, nothing)
    const ca = await bench.write('ca.pem', authority.cert)
    const words = ['login', server.host, '-u', 'someone', '--password-stdin', '--ca-file', ca]
    const { stderr } = await bench.fails(words, message, { stdin: CANARY })
    expect(stderr).not.toContain('retrying')
    expect(server.ledger).toEqual([])
    expect(server.connections()).toBeLessThanOrEqual(1)
  })

  test('47: that is good is taken', async () => {
    const bench = await LocalBench.open()
    const server = await serve(good, nothing)
    const ca = await bench.write('ca.pem', authority.cert)
    await bench.fails(['resolve', `${server.host}/team/app:v1`, '--ca-file', ca], /not found/, { code: 6 })
    expect(server.ledger).not.toEqual([])
  })
})

describe('47: taking any certificate', () => {
  test('47: of one registry does not extend to the other one of a copy', async () => {
    const bench = await LocalBench.open()
    const from = await serve(selfSigned, nothing)
    const insecure = await serve(selfSigned, nothing)
    const words = ['copy', `${from.host}/team/app:v1`, `${insecure.host}/team/app:v1`]
    await bench.fails([...words, '--to-insecure'], /Error from source.*signed by unknown authority/)
    expect(from.ledger).toEqual([])
    const to = await serve(selfSigned, nothing)
    await bench.seed(Buffer.from('some content'))
    const copy = ['copy', bench.reference('v1'), `${to.host}/team/app:v1`, '--from-plain-http', '--from-insecure']
    await bench.fails(copy, /Error from destination.*signed by unknown authority/)
    expect(to.ledger).toEqual([])
  })

  test('47: does not extend to where its answers point', async () => {
    const bench = await LocalBench.open()
    const store = await serve(selfSigned, nothing)
    const registry = await serve(selfSigned, ({ answer }) => {
      answer(307, { location: `${store.url}/somewhere` })
    })
    const words = ['resolve', `${registry.host}/team/app:v1`, '--insecure']
    await bench.fails(words, /redirect target .*signed by unknown authority/)
    expect(store.ledger).toEqual([])
  })

  test('47: does not extend to a token service, which gets no password', async () => {
    const bench = await LocalBench.open()
    const tokens = await serve(selfSigned, nothing)
    const registry = await serve(selfSigned, ({ answer }) => {
      answer(401, { 'www-authenticate': `Bearer realm="${tokens.url}/token"` })
    })
    const words = ['login', registry.host, '-u', 'someone', '--password-stdin', '--insecure']
    await bench.fails([...words, '--auth-host', tokens.host], /signed by unknown authority/, { stdin: CANARY })
    expect(tokens.ledger).toEqual([])
  })

  test('47: does not make plain HTTP of it', async () => {
    const bench = await LocalBench.open()
    await bench.fails(['resolve', bench.reference('v1'), '--insecure'], /gave an HTTP response to an HTTPS client/)
    expect(bench.wire.ledger).toEqual([])
  })
})

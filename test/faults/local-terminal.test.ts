import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { descriptorOf } from '../../src/oci/descriptor.js'
import { MediaType } from '../../src/oci/media-types.js'
import { openBytes } from '../../src/util/bytes.js'
import { gantryProgram } from '../scenarios/harness/program.js'
import { BLOB, MANIFEST } from './fault-bench.js'
import { reply, sendRaw } from './faults.js'
import { LocalBench, type Ending } from './local-bench.js'

/** Sets a title, clears the screen, colours it by an older code, and writes to the left. */
const NASTY = '\u001b]0;pwn\u0007\u001b[2J\u009b31m\u202eevil\u2028\u0085'
/** What of it can stand in a header. */
const NASTY_HEADER = 'old \u009b31m evil'

/** What a terminal may act upon. */
// eslint-disable-next-line no-control-regex -- these are what is looked for
const FORBIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u

function expectHarmless({ stdout, stderr }: Pick<Ending, 'stdout' | 'stderr'>): void {
  expect(FORBIDDEN.exec(stdout)?.[0].codePointAt(0), stdout).toBeUndefined()
  expect(FORBIDDEN.exec(stderr)?.[0].codePointAt(0), stderr).toBeUndefined()
}

/** An artifact and its referrer with something nasty wherever text may stand. */
async function nastyBench(): Promise<LocalBench> {
  const bench = await LocalBench.open()
  const content = Buffer.from('some content')
  const annotations = { [`key-${NASTY}`]: `value-${NASTY}` }
  const layer = { ...descriptorOf(`test/${NASTY}`, content), annotations }
  const repository = bench.behind()
  await repository.push(layer, openBytes(content))
  const subject = await bench.seedManifest({ artifactType: 'test/file', layers: [layer], annotations })
  await bench.seedManifest({ artifactType: 'test/referrer', layers: [], annotations, subject }, 'referrer')
  return bench
}

type Words = (bench: LocalBench) => readonly string[]

describe('43: text that would act on a terminal is made visible', () => {
  test.each<[string, Words]>([
    ['the tree of discover', (bench) => ['discover', '-v', bench.reference('v1')]],
    ['the table of discover', (bench) => ['discover', '--format', 'table', bench.reference('v1')]],
    ['the JSON of discover', (bench) => ['discover', '--format', 'json', bench.reference('v1')]],
    ['the JSON of a manifest', (bench) => ['manifest', 'fetch', '--format', 'json', bench.reference('v1')]],
    ['the result of a pull', (bench) => ['pull', '-o', bench.output, '--format', 'json', bench.reference('v1')]],
    ['a pull', (bench) => ['pull', '-o', bench.output, bench.reference('v1')]],
    ['a copy', (bench) => ['copy', '-r', bench.reference('v1'), '--to-oci-layout', 'layout:v1', '--from-plain-http']],
    ['a template', (bench) => ['discover', '--format', 'go-template={{.}}', bench.reference('v1')]],
  ])('43: in %s', async (_what, words) => {
    const bench = await nastyBench()
    const way = words(bench).includes('--from-plain-http') ? [] : ['--plain-http']
    const ending = await bench.run([...words(bench), ...way])
    expect(ending.stderr).not.toContain('This is a bug')
    expectHarmless(ending)
  })

  test('43: and JSON still says what it said', async () => {
    const bench = await nastyBench()
    const words = ['manifest', 'fetch', '--format', 'json', bench.reference('v1'), '--plain-http']
    const { stdout } = await bench.succeeds(words)
    const { content } = JSON.parse(stdout) as { content: { annotations: Record<string, string> } }
    expect(content.annotations[`key-${NASTY}`]).toBe(`value-${NASTY}`)
  })

  test.each<[string, RegExp, object, Words]>([
    ['tags', /tags\/list$/, { name: 'team/app', tags: [`v-${NASTY}`] }, (bench) => ['repo', 'tags', name(bench)]],
    ['names', /_catalog$/, { repositories: [`r-${NASTY}`] }, (bench) => ['repo', 'ls', bench.wire.host]],
  ])('43: in %s that a registry lists', async (_what, path, body, words) => {
    const bench = await LocalBench.open()
    bench.wire.on('GET', path, reply({ status: 200, headers: { 'content-type': 'application/json' }, body }))
    expectHarmless(await bench.run([...words(bench), '--plain-http']))
  })

  test.each<[string, number, string | object]>([
    ['an error', 400, { errors: [{ code: `CODE${NASTY}`, message: `message ${NASTY}`, detail: { text: NASTY } }] }],
    ['an error that is plain text', 400, `text ${NASTY}`],
    ['a refusal', 403, { errors: [{ code: 'DENIED', message: NASTY }] }],
    ['an error of a server', 404, { errors: [{ code: NASTY, message: NASTY }] }],
  ])('43: in %s of a registry', async (_what, status, body) => {
    const bench = await LocalBench.open()
    bench.wire.on('GET', MANIFEST, reply({ status, headers: { 'content-type': 'application/json' }, body }), {
      times: 99,
    })
    const ending = await bench.run(['pull', bench.reference('v1'), '-o', bench.output, '--plain-http', '--debug'])
    expect(ending.code).not.toBe(0)
    expectHarmless(ending)
  })

  test.each<[string, Readonly<Record<string, string>>]>([
    ['a warning', { warning: `299 - "${NASTY_HEADER}"` }],
    ['the address of a redirect', { location: `http://127.0.0.1:1/${NASTY_HEADER}` }],
    ['a media type', { 'content-type': `application/${NASTY_HEADER}` }],
    ['a digest', { 'docker-content-digest': `sha256:${NASTY_HEADER}` }],
    [
      'a challenge',
      { 'www-authenticate': `Bearer realm="http://127.0.0.1:1/${NASTY_HEADER}",service="${NASTY_HEADER}"` },
    ],
  ])('43: in the header of %s', async (_what, headers) => {
    const bench = await LocalBench.open()
    await bench.seed(Buffer.from('some content'))
    const status = headers.location === undefined ? (headers['www-authenticate'] === undefined ? 200 : 401) : 307
    bench.wire.on(
      'GET',
      MANIFEST,
      sendRaw((answer) => {
        const shown = {
          ...answer.headers,
          ...headers,
          'content-length': String(answer.body.length),
          connection: 'close',
        }
        const lines = Object.entries(shown).map(([key, value]) => `${key}: ${[value].flat().join(', ')}\r\n`)
        const head = Buffer.from(`HTTP/1.1 ${status} Odd\r\n${lines.join('')}\r\n`, 'latin1')
        return Buffer.concat([head, answer.body])
      }),
      { times: 99 },
    )
    const ending = await bench.run(['pull', bench.reference('v1'), '-o', bench.output, '--plain-http', '--debug'])
    expect(ending.stderr).not.toContain('This is a bug')
    expect(ending.stderr).toContain('31m')
    expectHarmless(ending)
  })

  test('43: in what a credential helper says', async () => {
    const bench = await LocalBench.open({ auth: 'basic' })
    await bench.addHelper('nasty', `printf 'cannot \\033]0;pwn\\007\\033[2J do'; exit 1`)
    const { code, ...output } = await bench.run(['pull', bench.reference('v1'), '-o', bench.output, '--plain-http'])
    expect(code).toBe(1)
    expect(output.stderr).toContain('docker-credential-nasty')
    expectHarmless(output)
  })

  test('43: in what the person typed', async () => {
    const bench = await LocalBench.open()
    for (const words of [
      ['pull', `${bench.wire.host}/${NASTY}`],
      ['push', bench.reference('v1'), `no-${NASTY}`],
      [NASTY],
    ]) {
      const ending = await bench.run(words)
      expect(ending.code).not.toBe(0)
      expectHarmless(ending)
    }
  })
})

describe.skipIf(!existsSync('/usr/bin/script') || process.platform !== 'linux')('43: on a terminal', () => {
  test.each<[string, (bench: LocalBench, digest: string) => readonly string[]]>([
    ['a manifest', (bench) => ['manifest', 'fetch', bench.reference('v1')]],
    ['a blob', (bench, digest) => ['blob', 'fetch', '-o', '-', `${name(bench)}@${digest}`]],
  ])('43: %s that is printed as it is has no codes in it', async (_what, words) => {
    const bench = await LocalBench.open()
    const content = Buffer.from(`{"text":"${NASTY}"}`)
    const layer = descriptorOf(MediaType.octetStream, content)
    await bench.behind().push(layer, openBytes(content))
    await bench.seedManifest({ artifactType: 'test/file', layers: [layer], annotations: { text: NASTY } })
    const line = [process.execPath, gantryProgram, ...words(bench, layer.digest), '--plain-http'].join(' ')
    const { stdout } = await bench.startProgram(['script', '-qec', line, '/dev/null'], {
      environment: { TERM: 'xterm', SHELL: '/bin/sh' },
    }).ended
    expect(stdout).not.toContain('\u001b]0;pwn')
    expect(stdout).not.toContain('\u001b[2J')
    expect(stdout).not.toContain('\u009b')
    expect(stdout).not.toContain('\u202e')
  })

  test('43: progress has no codes of a registry in it', async () => {
    const bench = await LocalBench.open()
    const content = Buffer.from('some content')
    const layer = {
      ...descriptorOf(MediaType.octetStream, content),
      annotations: { 'org.opencontainers.image.title': 'name\u202e\u009b' },
    }
    await bench.behind().push(layer, openBytes(content))
    await bench.seedManifest({ artifactType: 'test/file', layers: [layer] })
    bench.wire.on('GET', BLOB, reply({ status: 400, body: NASTY }), { times: 99 })
    const words = ['pull', bench.reference('v1'), '-o', bench.output, '--plain-http']
    const line = [process.execPath, gantryProgram, ...words].join(' ')
    const { stdout } = await bench.startProgram(['script', '-qec', line, '/dev/null'], {
      environment: { TERM: 'xterm', SHELL: '/bin/sh' },
    }).ended
    expect(stdout).toMatch(/name/)
    for (const code of ['\u202e', '\u009b', ']0;pwn\u0007']) expect(stdout).not.toContain(code)
  })
})

function name(bench: LocalBench): string {
  return bench.reference('v1').replace(/:v1$/, '')
}

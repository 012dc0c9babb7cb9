import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createFixture, seedArtifact, type Fixture } from '../fixture.js'
import { runCli } from '../run-cli.js'

let fixture: Fixture
let name: string
let digest: string

beforeAll(async () => {
  fixture = await createFixture()
  name = `${fixture.registry}/results`
  digest = (await seedArtifact(fixture.repository('results'), { tag: 'v1' })).digest
})

afterAll(() => fixture.close())

describe('--format json', () => {
  test.each([
    ['resolve', () => ['resolve', `${name}:v1`]],
    ['tag', () => ['tag', `${name}:v1`, 'v2']],
    ['manifest fetch', () => ['manifest', 'fetch', `${name}:v1`]],
    ['manifest fetch-config', () => ['manifest', 'fetch-config', `${name}:v1`]],
    ['copy', () => ['copy', `${name}:v1`, `${name}-copy:v1`]],
  ])('%s gives the reference of what it is about', async (_command, words) => {
    const { code, stdout, stderr } = await runCli([...words(), '--format', 'json'])
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toMatchObject({ reference: expect.stringMatching(/@sha256:[0-9a-f]{64}$/) as string })
    expect(code).toBe(0)
  })

  test('a template takes the same names', async () => {
    expect((await runCli(['resolve', `${name}:v1`, '--format', 'go-template={{.digest}}'])).stdout).toBe(digest)
  })

  test('version and a deletion have results too', async () => {
    expect(JSON.parse((await runCli(['version', '--format', 'json'])).stdout)).toMatchObject({
      node: process.versions.node,
    })
    await seedArtifact(fixture.repository('results-deleted'), { tag: 'v1' })
    const { stdout } = await runCli(['manifest', 'delete', '-f', `${name}-deleted:v1`, '--format', 'json'])
    expect(JSON.parse(stdout)).toMatchObject({ outcome: 'deleted', reference: `${name}-deleted:v1` })
  })

  test('an error is one line of JSON on stderr', async () => {
    const { code, stdout, stderr } = await runCli(['manifest', 'fetch', `${name}:absent`, '--format', 'json'])
    expect(stdout).toBe('')
    expect(stderr.split('\n')).toHaveLength(2)
    expect(JSON.parse(stderr)).toMatchObject({ code: 'not-found', status: 404 })
    expect(code).toBe(6)
  })
})

describe('a destination with a digest', () => {
  test('that is another one fails before anything is sent', async () => {
    const other = `sha256:${'a'.repeat(64)}`
    const { code } = await runCli(['copy', `${name}:v1`, `${name}-strict:v1@${other}`])
    expect(code).toBe(4)
    expect((await runCli(['repo', 'tags', `${name}-strict`])).code).toBe(6)
  })

  test('that is the right one gets the tag beside it', async () => {
    expect((await runCli(['copy', `${name}:v1`, `${name}-strict:v1@${digest}`])).code).toBe(0)
    expect((await runCli(['resolve', `${name}-strict:v1`])).stdout).toBe(`${digest}\n`)
  })
})

test('a manifest of an unknown type goes to the manifest endpoint', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-results-'))
  try {
    const file = join(folder, 'manifest.json')
    await writeFile(file, '{"schemaVersion":2,"mediaType":"application/vnd.example.list.v1+json"}')
    const { code } = await runCli(['manifest', 'push', `${name}-odd:v1`, file])
    expect(code).toBe(0)
    expect((await runCli(['repo', 'tags', `${name}-odd`])).stdout).toBe('v1\n')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('a scheme says which kind of place a reference names', async () => {
  const layout = join(fixture.folder, 'layout')
  expect((await runCli(['copy', `${name}:v1`, `oci-layout:${layout}:v1`])).stdout).toContain('=> [oci-layout]')
  expect((await runCli(['resolve', `oci-layout:${layout}:v1`])).stdout).toBe(`${digest}\n`)
  expect((await runCli(['copy', `${name}:v1`, `oci-layout-tar:${layout}.bin:v1`])).code).toBe(0)
  expect((await runCli(['resolve', `oci-layout-tar:${layout}.bin:v1`])).stdout).toBe(`${digest}\n`)
})

test('settings of a registry are kept, shown and taken back', async () => {
  const options = { homeFolder: fixture.folder }
  const set = ['registry', 'set', '--plain-http', '--chunk-size', '1MiB', 'registry.lab:5000']
  expect((await runCli(set, options)).code).toBe(0)
  expect((await runCli(['registry', 'show', 'registry.lab:5000', '--format', 'json'], options)).stdout).toContain(
    '1048576',
  )
  expect((await runCli(['registry', 'unset', 'registry.lab:5000'], options)).code).toBe(0)
  expect((await runCli(['registry', 'show', '--format', 'json'], options)).stdout).not.toContain('1048576')
})

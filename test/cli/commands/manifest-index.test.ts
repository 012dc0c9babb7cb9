import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createFixture, type Fixture } from '../fixture.js'
import { runCli } from '../run-cli.js'
import { pushSeeds } from '../transcripts/seeds.js'

const BOTH = 'sha256:5dcfb7bcf1dc2498ae10a7be0bd880e03a289f80c93f6f7908fc5073bde6300c'

let fixture: Fixture
let name: string

beforeAll(async () => {
  fixture = await createFixture()
  name = `${fixture.registry}/indexes`
  await pushSeeds(fixture.repository('indexes'))
})
afterAll(() => fixture.close())

async function create(...words: string[]) {
  return runCli(['manifest', 'index', 'create', ...words])
}

async function update(...words: string[]) {
  return runCli(['manifest', 'index', 'update', ...words])
}

describe('manifest index create', () => {
  test('pushes under every tag, and shows it as JSON', async () => {
    const { code, stdout } = await runCli([
      'manifest',
      'index',
      'pack',
      `${name}:one,two`,
      'a',
      'b',
      '--format',
      'json',
    ])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      reference: `${name}@${BOTH}`,
      referenceAsTags: [`${name}:one`, `${name}:two`],
      content: { manifests: [{ artifactType: 'test/a' }, { platform: { os: 'linux' } }] },
    })
    expect((await runCli(['resolve', `${name}:two`])).stdout).toBe(`${BOTH}\n`)
  })

  test('writes it to a file or to stdout instead', async () => {
    const file = join(fixture.folder, 'index.json')
    const { stdout } = await create(`${name}:never`, 'a', 'b', '-o', file)
    expect(stdout).not.toContain('Pushed')
    expect(stdout).toContain(`Digest: ${BOTH}\n`)
    const printed = await create(`${name}:never`, 'a', 'b', '-o', '-')
    expect(printed.stdout).toBe(await readFile(file, 'utf8'))
    expect((await runCli(['resolve', `${name}:never`])).code).toBe(6)
  })

  test('works in a layout', async () => {
    const layout = join(fixture.folder, 'layout')
    for (const tag of ['a', 'b']) await runCli(['cp', `${name}:${tag}`, '--to-oci-layout', `${layout}:${tag}`])
    const { stdout } = await create('--oci-layout', `${layout}:both`, 'a', 'b')
    expect(stdout).toContain(`Pushed    [oci-layout] ${layout}:both\nDigest: ${BOTH}\n`)
    expect((await runCli(['repo', 'tags', '--oci-layout', layout])).stdout).toBe('a\nb\nboth\n')
  })

  test.each([
    [['a', '--annotation', 'bad'], /^Error: annotation value doesn't match the required format/],
    [['a', '--artifact-type', 'bad'], /^Error: bad: invalid media type/],
    [['nosuch'], /^Error response from registry: could not find the manifest nosuch: .*: not found/],
  ])('refuses %j', async (words, message) => {
    const { code, stderr } = await create(`${name}:refused`, ...words)
    expect(stderr).toMatch(message)
    expect(code).not.toBe(0)
    expect((await runCli(['resolve', `${name}:refused`])).code).toBe(6)
  })
})

describe('manifest index update', () => {
  test('leaves an index that is named by its digest as it is', async () => {
    await create(`${name}:kept`, 'a', 'b')
    const { stdout } = await update(`${name}@${BOTH}`, '--add', 'c', '--tag', 'more')
    expect(stdout).toContain(`Pushed    [registry] ${name}\nTagged more\n`)
    expect((await runCli(['resolve', `${name}:kept`])).stdout).toBe(`${BOTH}\n`)
    const more = await runCli(['manifest', 'fetch', `${name}:more`])
    expect(JSON.parse(more.stdout).manifests).toHaveLength(3)
  })

  test('does nothing where nothing is to be changed', async () => {
    const { code, stdout } = await update(`${name}:whatever`)
    expect([code, stdout]).toEqual([0, 'Nothing to update as no change is requested\n'])
  })

  test.each([
    [['--remove', 'a'], 'Error: remove: a is not a digest'],
    [['--add', 'a', '--tag', 't', '-o', 'file'], 'Error: --tag, --output cannot be used at the same time'],
    [['--remove', `sha256:${'0'.repeat(64)}`], 'does not exist in the index one'],
  ])('refuses %j', async (words, message) => {
    await create(`${name}:one`, 'a', 'b')
    const { code, stderr } = await update(`${name}:one`, ...words)
    expect(stderr).toContain(message)
    expect(code).not.toBe(0)
  })
})

import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { descriptorOf, type Descriptor } from '../../../src/oci/descriptor.js'
import { encodeJson } from '../../../src/oci/encode-json.js'
import { MediaType } from '../../../src/oci/media-types.js'
import { openBytes } from '../../../src/util/bytes.js'
import type { Repository } from '../../../src/registry/repository.js'
import { createFixture, CREATED, seedArtifact, type Fixture } from '../fixture.js'
import { runCli } from '../run-cli.js'

const MANIFEST = MediaType.imageManifest
let source: Fixture
let sink: Fixture
let root: Descriptor
let sbom: Descriptor
let signature: Descriptor

beforeAll(async () => {
  source = await createFixture()
  sink = await createFixture()
  const repository = source.repository('app')
  root = await seedArtifact(repository, { tag: 'v1' })
  sbom = await seedArtifact(repository, { subject: root, artifactType: 'sbom/example', text: '{}', title: 'sbom' })
  signature = await seedArtifact(repository, { subject: sbom, artifactType: 'signature/example', text: 's' })
})
afterAll(() => Promise.all([source.close(), sink.close()]))

const short = ({ digest }: Descriptor) => digest.slice(7, 19)

describe('copy', () => {
  test('between registries, under two tags, and again', async () => {
    const [from, to] = [`${source.registry}/app:v1`, `${sink.registry}/copied`]
    const { code, stdout, stderr } = await runCli(['cp', from, `${to}:c1,c2`])
    expect(stderr).toBe('')
    expect(stdout.split('\n').slice(-6).join('\n')).toBe(
      `Copying ${short(root)} ${MANIFEST}\nCopied  ${short(root)} ${MANIFEST}\n` +
        `Copied [registry] ${from} => [registry] ${to}:c1\nTagged c2\nDigest: ${root.digest}\n`,
    )
    expect(stdout).toContain('Copying 5891b5b522d5 hi.txt\n')
    expect(code).toBe(0)
    const again = await runCli(['cp', from, `${to}:c1`])
    expect(again.stdout).toBe(`Copied [registry] ${from} => [registry] ${to}:c1\nDigest: ${root.digest}\n`)
    expect((await runCli(['resolve', `${to}:c2`])).stdout).toBe(`${root.digest}\n`)
  })

  test('within a registry blobs are mounted', async () => {
    const { stdout } = await runCli(['copy', `${source.registry}/app:v1`, `${source.registry}/mounted:v1`])
    expect(stdout).toContain('Mounted 5891b5b522d5 hi.txt\n')
    expect(stdout).not.toContain('Copying 5891b5b522d5')
  })

  test('the whole graph, and nothing the second time', async () => {
    const words = ['copy', '-r', `${source.registry}/app:v1`, `${sink.registry}/graph:v1`, '--format', 'json']
    expect(JSON.parse((await runCli(words)).stdout)).toMatchObject({ digest: root.digest, referrers: 2 })
    const tree = await runCli(['discover', `${sink.registry}/graph:v1`])
    expect(tree.stdout).toBe(
      (await runCli(['discover', `${source.registry}/app:v1`])).stdout.replace(
        `${source.registry}/app`,
        `${sink.registry}/graph`,
      ),
    )
    expect(tree.stdout).toContain(signature.digest)
    expect(JSON.parse((await runCli(words)).stdout)).toMatchObject({ copied: { nodes: 0, bytes: 0 } })
  })

  test('into a layout and back, with the graph', async () => {
    const layout = join(source.folder, 'layout')
    const there = await runCli(['copy', '-r', `${source.registry}/app:v1`, '--to-oci-layout', `${layout}:v1`])
    expect(there.stdout).toContain(`Copied [registry] ${source.registry}/app:v1 => [oci-layout] ${layout}:v1\n`)
    await runCli(['copy', '-r', '--from-oci-layout', `${layout}:v1`, `${sink.registry}/back:v1`])
    expect((await runCli(['discover', `${sink.registry}/back:v1`])).stdout).toContain(signature.digest)
  })

  test('into a layout in a tar, and back', async () => {
    const archive = join(source.folder, 'layout.tar')
    const there = await runCli(['copy', '-r', `${source.registry}/app:v1`, '--to-oci-layout', `${archive}:v1`])
    expect(there.stderr).toBe('')
    expect(there.code).toBe(0)
    expect((await stat(archive)).isFile()).toBe(true)
    const twice = await runCli(['copy', `${source.registry}/app:v1`, '--to-oci-layout', `${archive}:v2`])
    expect(twice).toMatchObject({ code: 1, stderr: expect.stringContaining('exists already') as string })
    await runCli(['copy', '-r', '--from-oci-layout', `${archive}:v1`, `${sink.registry}/tar:v1`])
    expect((await runCli(['discover', `${sink.registry}/tar:v1`])).stdout).toContain(signature.digest)
  })

  test('one platform of an index, or a smaller index', async () => {
    const index = await seedIndex(source.repository('multi'))
    const from = `${source.registry}/multi:v1`
    const one = await runCli(['cp', '--platform', 'linux/arm64', from, `${sink.registry}/multi:arm`])
    expect(one.stdout).toContain(`Digest: ${index.arm.digest}\n`)
    await runCli(['cp', '--platform', 'linux/arm64,linux/amd64', from, `${sink.registry}/multi:two`])
    const two = JSON.parse((await runCli(['manifest', 'fetch', `${sink.registry}/multi:two`])).stdout) as {
      manifests: Descriptor[]
    }
    expect(two.manifests.map(({ digest }) => digest)).toEqual([index.amd.digest, index.arm.digest])
    const whole = await runCli(['cp', from, `${sink.registry}/multi:all`])
    expect(whole.stdout).toContain(`Digest: ${index.root.digest}\n`)
    const none = await runCli(['cp', '--platform', 'plan9/mips', from, `${sink.registry}/multi:none`])
    expect(none.stderr).toContain('no matching manifest was found in the manifest list')
    expect(none.code).toBe(6)
  })

  test.each([
    ['the source', 'nosuch', (from: string) => `Error from source registry for "${from}": ${from}: not found\n`],
  ])('says that %s failed', async (_, tag, expected) => {
    const from = `${source.registry}/app:${tag}`
    const { code, stderr } = await runCli(['cp', from, `${sink.registry}/x:v1`])
    expect(stderr).toBe(expected(from))
    expect(code).toBe(6)
  })

  test('says that the destination failed', async () => {
    const { code, stderr } = await runCli(['cp', '--retries', '1', `${source.registry}/app:v1`, 'localhost:1/foo:v1'])
    expect(stderr).toMatch(/^Error from destination registry for "localhost:1\/foo:v1": .*connection refused/)
    expect(code).toBe(1)
  })

  test('needs to know what to copy', async () => {
    const { code, stderr } = await runCli(['cp', `${source.registry}/app`, `${sink.registry}/x:v1`])
    expect(stderr).toMatch(/no tag or digest specified\nUsage: gantry cp \[flags\] <from>/)
    expect(code).toBe(2)
  })
})

describe('copy prints a line for every descriptor', () => {
  test('also for those that share their content', async () => {
    const files = ['same.txt', 'again.txt', 'third.txt'].map((title) => join(source.folder, title))
    for (const path of files) await writeFile(path, 'the same\n')
    const from = `${source.registry}/shared/from:v1`
    const pushed = await runCli([
      'push',
      from,
      ...files,
      '--config',
      `${files[0]}:text/plain`,
      '--disable-path-validation',
    ])
    expect(pushed.stdout.match(/^Exists {4}/gm)).toHaveLength(3)
    const layout = join(source.folder, 'shared-layout')
    const copied = await runCli(['copy', from, '--to-oci-layout', `${layout}:v1`])
    expect(copied.stdout.match(/^Copied {2}[0-9a-f]{12} /gm)).toHaveLength(2)
    expect(copied.stdout.match(/^Skipped [0-9a-f]{12} /gm)).toHaveLength(3)
    const backup = await runCli(['backup', from, '-o', join(source.folder, 'shared-backup')])
    expect(backup.stdout.match(/^Skipped {3}[0-9a-f]{12} /gm)).toHaveLength(3)
  })
})

describe('discover', () => {
  const name = () => `${source.registry}/app`

  test('a tree with full digests', async () => {
    expect((await runCli(['discover', `${name()}:v1`])).stdout).toBe(
      `${name()}@${root.digest}
└── sbom/example
    └── ${sbom.digest}
        ├── [annotations]
        │   └── org.opencontainers.image.created: "${CREATED}"
        └── signature/example
            └── ${signature.digest}
                └── [annotations]
                    └── org.opencontainers.image.created: "${CREATED}"
`,
    )
  })

  test('without annotations, one level deep, of one type', async () => {
    const { stdout, stderr } = await runCli(['discover', '--verbose=false', '--depth', '1', `${name()}:v1`])
    expect(stdout).toBe(`${name()}@${root.digest}\n└── sbom/example\n    └── ${sbom.digest}\n`)
    expect(stderr).toContain('Flag --verbose has been deprecated')
    const filtered = await runCli(['discover', '--artifact-type', 'other/type', `${name()}:v1`])
    expect(filtered.stdout).toBe(`${name()}@${root.digest}\n`)
  })

  test('as JSON: referrers inside referrers', async () => {
    const { stdout } = await runCli(['discover', '--format', 'json', `${name()}:v1`])
    const result = JSON.parse(stdout) as { referrers: { digest: string; referrers: { digest: string }[] }[] }
    expect(result.referrers[0]?.digest).toBe(sbom.digest)
    expect(result.referrers[0]?.referrers[0]?.digest).toBe(signature.digest)
    expect(result).not.toHaveProperty('manifests')
  })

  test('as JSON of old: manifests, for scripts', async () => {
    const { stdout, stderr } = await runCli([
      'discover',
      '-o',
      'json',
      '--artifact-type',
      'sbom/example',
      `${name()}:v1`,
    ])
    expect(stderr).toBe('[DEPRECATED] --output is deprecated, try `--format json` instead\n')
    expect(JSON.parse(stdout)).toHaveProperty(['manifests', 0, 'digest'], sbom.digest)
  })

  test('as a table', async () => {
    const { stdout, stderr } = await runCli(['discover', '-o', 'table', '--verbose=false', `${name()}:v1`])
    expect(stdout).toBe(
      `Discovered 1 artifact referencing ${name()}:v1\nDigest: ${root.digest}\n\n` +
        `Artifact Type   Digest\nsbom/example    ${sbom.digest}\n`,
    )
    expect(stderr).toContain('Format "table" is deprecated')
  })

  test('what is not there', async () => {
    expect(await runCli(['discover', `${name()}:nosuch`])).toMatchObject({
      code: 6,
      stderr: `Error response from registry: ${name()}:nosuch: not found\n`,
    })
  })

  test('hostile annotations cannot drive the terminal', async () => {
    const repository = source.repository('hostile')
    const subject = await seedArtifact(repository, { tag: 'v1' })
    const evil = '\u001b]0;pwn\u0007\u001b[2J\u009b31m\u202e'
    await seedArtifact(repository, { subject, artifactType: 'a/b', annotations: { evil } })
    for (const format of ['tree', 'json', 'table']) {
      const { stdout } = await runCli(['discover', '--format', format, `${source.registry}/hostile:v1`])
      // eslint-disable-next-line no-control-regex -- none of them may be there
      expect(stdout).not.toMatch(/[\u001b\u0007\u009b\u202e]/)
      if (format === 'json') expect(JSON.parse(stdout)).toHaveProperty(['referrers', 0, 'annotations', 'evil'], evil)
    }
  })
})

async function seedIndex(repository: Repository): Promise<{ root: Descriptor; amd: Descriptor; arm: Descriptor }> {
  const child = async (architecture: string): Promise<Descriptor> => ({
    ...(await seedArtifact(repository, { text: architecture })),
    platform: { architecture, os: 'linux' },
  })
  const [amd, arm, s390x] = [await child('amd64'), await child('arm64'), await child('s390x')]
  const bytes = encodeJson({ schemaVersion: 2, mediaType: MediaType.imageIndex, manifests: [amd, arm, s390x] })
  const index = descriptorOf(MediaType.imageIndex, bytes)
  await repository.push(index, openBytes(bytes), { tag: 'v1' })
  return { root: index, amd, arm }
}

import { gunzipSync } from 'node:zlib'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { accounts } from './harness/accounts.js'
import type { Account } from './harness/accounts.js'
import { digestOf, printedDigest } from './harness/output.js'
import { registriesUnderTest, startRegistry } from './harness/registries.js'
import type { RunningRegistry } from './harness/registries.js'
import { Workplace } from './harness/workplace.js'

interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
}

describe.each(registriesUnderTest())('configuration for a syncer on Google Artifact Registry, on $name', (kind) => {
  let registry: RunningRegistry
  let shell: Workplace
  let count = 0

  beforeAll(async () => {
    registry = await startRegistry(kind, { password: true })
  })
  afterAll(async () => registry.stop())

  beforeEach(async () => {
    shell = await Workplace.create({ AR: registry.host, PROJECT: `project${++count}`, REPO: 'configuration' })
    await shell.write('test-namespace.yaml', 'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: test\n')
    await shell.do(
      'tar -cf test-namespace.tar test-namespace.yaml && tar -czf test-namespace.tar.gz test-namespace.yaml',
    )
    await configureDocker(accounts.googleToken)
  })
  afterEach(async () => shell.leave())

  /** What `gcloud auth configure-docker` leaves behind. */
  async function configureDocker({ username, password }: Account): Promise<void> {
    await shell.write(
      join(shell.home, '.docker/config.json'),
      JSON.stringify({ credHelpers: { [registry.host]: 'gcloud' } }),
    )
    const answer = JSON.stringify({ ServerURL: registry.host, Username: username, Secret: password })
    await shell.write(
      join(shell.programs, 'docker-credential-gcloud'),
      `#!/bin/sh\n[ "$1" = get ] && [ "$(cat)" = '${registry.host}' ] || exit 1\ncat <<'END'\n${answer}\nEND\n`,
      0o755,
    )
  }

  const image = '$AR/$PROJECT/$REPO/test-namespace:v1'

  test.each(Object.entries(accounts).filter(([name]) => name.startsWith('google')))(
    'append a layer to nothing, as %s',
    async (_name, account) => {
      await configureDocker(account)
      const outcome = await shell.type(`gantry append -f test-namespace.tar -t ${image}`)
      expect(outcome.exitCode, outcome.stderr).toBe(0)
      const repository = `${registry.host}/project${count}/configuration/test-namespace`
      expect(outcome.stdout).toMatch(/^\S+@sha256:[0-9a-f]{64}\n$/)
      expect(outcome.stdout.split('@')[0]).toBe(repository)
      expect(await shell.do(`gantry resolve ${image}`)).toBe(outcome.stdout.slice(repository.length + 1))
    },
  )

  test('the image is one that a runtime accepts: one layer, and a config that names it', async () => {
    const reference = (await shell.do(`gantry append -f test-namespace.tar -t ${image}`)).trim()
    const text = await shell.do(`gantry manifest fetch ${image}`)
    expect(digestOf(text)).toBe(reference.split('@')[1])
    const manifest = JSON.parse(text) as { mediaType: string; config: Descriptor; layers: Descriptor[] }
    expect(manifest.layers).toHaveLength(1)
    const [layer] = manifest.layers
    expect(manifest.mediaType).toMatch(/manifest\.v[12]\+json$/)

    const config = await shell.do(`gantry manifest fetch-config ${image}`)
    expect(digestOf(config)).toBe(manifest.config.digest)
    expect(config).toHaveLength(manifest.config.size)
    await shell.do(`gantry blob fetch -o layer.tar.gz $AR/$PROJECT/$REPO/test-namespace@${layer?.digest ?? ''}`)
    const packed = await readFile(join(shell.folder, 'layer.tar.gz'))
    expect(digestOf(packed)).toBe(layer?.digest)
    expect(packed).toHaveLength(layer?.size ?? 0)
    const unpacked = gunzipSync(packed)
    expect(unpacked.equals(await readFile(join(shell.folder, 'test-namespace.tar')))).toBe(true)
    expect(JSON.parse(config)).toMatchObject({ rootfs: { type: 'layers', diff_ids: [digestOf(unpacked)] } })
  })

  test('the image is the same when it is made again', async () => {
    const first = await shell.do(`gantry append -f test-namespace.tar -t ${image}`)
    await shell.do('sleep 1.1')
    expect(await shell.do(`gantry append -f test-namespace.tar -t ${image}`)).toBe(first)
  })

  test('a layer that is compressed already is passed on as it is', async () => {
    await shell.do(`gantry append -f test-namespace.tar.gz -t ${image}`)
    const manifest = JSON.parse(await shell.do(`gantry manifest fetch ${image}`)) as { layers: Descriptor[] }
    expect(manifest.layers.map(({ digest }) => digest)).toEqual([
      digestOf(await readFile(join(shell.folder, 'test-namespace.tar.gz'))),
    ])
  })

  test('a syncer takes it by tag and by digest', async () => {
    const reference = (await shell.do(`gantry append -f test-namespace.tar -t ${image}`)).trim()
    const byTag = await shell.do(`gantry copy ${image} --to-oci-layout by-tag:v1`)
    const byDigest = await shell.do(`gantry copy ${reference} --to-oci-layout by-digest:v1`)
    expect(printedDigest(byTag)).toBe(reference.split('@')[1])
    expect(printedDigest(byDigest)).toBe(reference.split('@')[1])
    await shell.do('diff -r by-tag/blobs by-digest/blobs')
  })

  test('push a file artifact beside it, and pull it', async () => {
    await shell.do('gantry push $AR/$PROJECT/$REPO/test-namespace:v2 test-namespace.tar.gz')
    await shell.do(
      'gantry pull -o out $AR/$PROJECT/$REPO/test-namespace:v2 && cmp test-namespace.tar.gz out/test-namespace.tar.gz',
    )
  })

  test.runIf(kind.knowsPasswords)('without the helper it stops, and says which one is missing', async () => {
    await shell.do(`gantry append -f test-namespace.tar -t ${image}`)
    // The one of the cloud's vendor may be installed on this machine.
    await shell.write(
      join(shell.home, '.docker/config.json'),
      JSON.stringify({ credHelpers: { [registry.host]: 'absent-cloud' } }),
    )
    const outcome = await shell.type(`gantry manifest fetch ${image}`)
    expect(outcome).toMatchObject({ stdout: '', exitCode: 1 })
    expect(outcome.stderr).toContain('docker-credential-absent-cloud')
  })

  test.runIf(kind.knowsPasswords)(
    'a helper that fails stops it too: it does not go on without a password',
    async () => {
      await shell.write(
        join(shell.programs, 'docker-credential-gcloud'),
        '#!/bin/sh\necho "no session"\nexit 1\n',
        0o755,
      )
      const outcome = await shell.type(`gantry append -f test-namespace.tar -t ${image}`)
      expect(outcome).toMatchObject({ stdout: '', exitCode: 1 })
      expect(outcome.stderr).toMatch(/gcloud.*no session/s)
    },
  )
})

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { accounts } from './harness/accounts.js'
import { digestOf, printedDigest, sortedLines, treeNodes } from './harness/output.js'
import { registriesUnderTest, startRegistry } from './harness/registries.js'
import type { RunningRegistry } from './harness/registries.js'
import { Workplace } from './harness/workplace.js'

describe.each(registriesUnderTest())('NHN Container Registry, built on Harbor, on $name', (kind) => {
  let source: RunningRegistry
  let target: RunningRegistry
  let shell: Workplace
  let count = 0

  beforeAll(async () => {
    ;[source, target] = await Promise.all([startRegistry(kind, { password: true }), startRegistry(kind)])
  })
  afterAll(async () => {
    await Promise.all([source.stop(), target.stop()])
  })

  beforeEach(async () => {
    shell = await Workplace.create({
      NCR: `${source.host}/project${++count}`,
      MIRROR: `${target.host}/project${count}`,
      REGISTRY: source.host,
      ACCESS_KEY: accounts.accessKey.username,
      SECRET: accounts.accessKey.password,
    })
    await shell.write('artifact.txt', 'hello artifact\n')
    await shell.do('gantry login $REGISTRY -u $ACCESS_KEY --password-stdin <<< $SECRET')
  })
  afterEach(async () => shell.leave())

  test('push and pull an artifact', async () => {
    await shell.do('gantry push $NCR/hello-artifact:v1 artifact.txt')
    const outcome = await shell.type('mkdir out && cd out && gantry pull $NCR/hello-artifact:v1')
    const digest = printedDigest(outcome.stdout)
    const manifest = `${digest.slice(7, 19)} application/vnd.oci.image.manifest.v1+json`
    const file = `${digestOf('hello artifact\n').slice(7, 19)} artifact.txt`
    expect(outcome).toMatchObject({ stderr: '', exitCode: 0 })
    expect(sortedLines(outcome.stdout)).toEqual(
      [
        ...[`Downloading ${manifest}`, `Processing  ${manifest}`, `Downloaded  ${manifest}`],
        ...[`Downloading ${file}`, `Downloaded  ${file}`],
        `Pulled [registry] ${source.host}/project${count}/hello-artifact:v1`,
        `Digest: ${digest}`,
      ].sort(),
    )
    expect(await shell.read('out/artifact.txt')).toBe('hello artifact\n')
  })

  test.runIf(kind.knowsPasswords)('after logging out the registry does not know us', async () => {
    await shell.do('gantry push $NCR/hello-artifact:v1 artifact.txt && gantry logout $REGISTRY')
    const outcome = await shell.type('gantry pull -o out $NCR/hello-artifact:v1')
    expect(outcome).toMatchObject({ stdout: '', exitCode: 5 })
    expect(await shell.type('ls out')).not.toMatchObject({ exitCode: 0 })
  })

  test('signatures under tags go along with copy -r', async () => {
    const digest = printedDigest(await shell.do('gantry push $NCR/busybox:latest artifact.txt'))
    const tag = digest.replace(':', '-')
    await shell.write('payload.json', `{"critical":{"image":{"docker-manifest-digest":"${digest}"}}}`)
    await shell.do(`gantry push $NCR/busybox:${tag}.sig payload.json:application/vnd.dev.cosign.simplesigning.v1+json`)
    await shell.do(`gantry push $NCR/busybox:${tag}.att artifact.txt`)
    await shell.do('gantry copy -r $NCR/busybox:latest $MIRROR/busybox:latest')
    for (const suffix of ['sig', 'att']) {
      const reference = `busybox:${tag}.${suffix}`
      const signature = await shell.do(`gantry resolve $MIRROR/${reference}`)
      expect(signature).toBe(await shell.do(`gantry resolve $NCR/${reference}`))
    }
  })

  test('signatures that refer to their image go along with copy -r', async () => {
    await shell.do('gantry push $NCR/busybox:latest artifact.txt')
    await shell.write('bundle.json', '{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}')
    await shell.do(
      'gantry attach $NCR/busybox:latest --artifact-type application/vnd.dev.sigstore.bundle.v0.3+json bundle.json',
    )
    await shell.do('gantry copy -r $NCR/busybox:latest $MIRROR/busybox:latest')
    const [before, after] = await Promise.all(
      ['$NCR', '$MIRROR'].map((place) => shell.do(`gantry discover ${place}/busybox:latest`)),
    )
    expect(treeNodes(after?.replaceAll(target.host, source.host) ?? '')).toEqual(treeNodes(before ?? ''))
    expect(treeNodes(after ?? '')).toHaveLength(3)
  })

  test('copy without -r leaves them', async () => {
    const digest = printedDigest(await shell.do('gantry push $NCR/busybox:latest artifact.txt'))
    await shell.do('gantry attach $NCR/busybox:latest --artifact-type example/note artifact.txt')
    await shell.do('gantry copy $NCR/busybox:latest $MIRROR/busybox:latest')
    expect(await shell.do('gantry discover $MIRROR/busybox:latest')).toBe(
      `${target.host}/project${count}/busybox@${digest}\n`,
    )
  })

  test('what the target has is not sent again', async () => {
    await shell.do('gantry push $NCR/hello-artifact:v1 artifact.txt')
    const first = await shell.do('gantry copy $NCR/hello-artifact:v1 $MIRROR/hello-artifact:v1')
    expect(first).toMatch(/^Copied {2}\w+ artifact.txt$/m)
    const second = await shell.do('gantry copy $NCR/hello-artifact:v1 $MIRROR/hello-artifact:v1')
    expect(second).not.toMatch(/^Copied {2}/m)
    expect(printedDigest(second)).toBe(printedDigest(first))
  })

  test('deleting at the source deletes nothing at the target', async () => {
    await shell.do('gantry push $NCR/hello-artifact:v1 artifact.txt')
    await shell.do('gantry copy $NCR/hello-artifact:v1 $MIRROR/hello-artifact:v1')
    await shell.do('gantry manifest delete -f $NCR/hello-artifact:v1')
    expect(await shell.type('gantry resolve $NCR/hello-artifact:v1')).toMatchObject({ stdout: '', exitCode: 6 })
    await shell.do('gantry pull -o out $MIRROR/hello-artifact:v1')
    expect(await shell.read('out/artifact.txt')).toBe('hello artifact\n')
  })
})

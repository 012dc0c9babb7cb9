import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { accounts } from '../harness/accounts.js'
import { requestPeer } from '../harness/peers.js'
import { writePlatformIndex } from '../harness/platform-index.js'
import { registriesUnderTest, startRegistry } from '../harness/registries.js'
import type { RunningRegistry } from '../harness/registries.js'
import { Workplace } from '../harness/workplace.js'

describe.runIf(requestPeer('skopeo')).each(registriesUnderTest())('skopeo and gantry, on $name', (kind) => {
  let registry: RunningRegistry
  let shell: Workplace
  let count = 0

  beforeAll(async () => {
    registry = await startRegistry(kind, { password: true })
  })
  afterAll(async () => registry.stop())

  beforeEach(async () => {
    shell = await Workplace.create({
      HOST: registry.host,
      REPO: `${registry.host}/skopeo/case${++count}`,
      NAME: accounts.robot.username,
      PASSWORD: accounts.robot.password,
    })
    await shell.write('file.txt', 'content\n')
    await shell.do('tar -cf layer.tar file.txt')
    await shell.do('gantry login $HOST -u $NAME --password-stdin <<< $PASSWORD')
  })
  afterEach(async () => shell.leave())

  test('an image that gantry makes is inspected and copied', async () => {
    const reference = (await shell.do('gantry append --oci-empty-base -f layer.tar -t $REPO:v1')).trim()
    const digest = reference.split('@')[1] ?? ''
    expect(await shell.do("skopeo inspect --tls-verify=false --format '{{.Digest}}' docker://$REPO:v1")).toBe(
      `${digest}\n`,
    )
    await shell.do('skopeo copy --src-tls-verify=false docker://$REPO:v1 oci:layout:v1')
    await shell.do('gantry copy --from-oci-layout layout:v1 $REPO/back:v1')
    expect(await shell.do('gantry resolve $REPO/back:v1')).toBe(`${digest}\n`)
  })

  test('an index that skopeo copies arrives whole, and gantry hands it on', async () => {
    const { index } = await writePlatformIndex(join(shell.folder, 'layout'), ['linux/amd64', 'linux/arm64'])
    await shell.do('skopeo copy --all --dest-tls-verify=false oci:layout:v1 docker://$REPO:v1')
    expect(await shell.do('gantry resolve $REPO:v1')).toBe(`${index}\n`)
    await shell.do('gantry copy $REPO:v1 $REPO/copy:v1')
    await shell.do('skopeo copy --all --src-tls-verify=false docker://$REPO/copy:v1 oci:back:v1')
    await shell.do('diff -r layout/blobs back/blobs')
  })

  test('a folder of skopeo and a layout of gantry hold the same', async () => {
    await shell.do('gantry append -f layer.tar -t $REPO:v1')
    await shell.do('skopeo copy --src-tls-verify=false docker://$REPO:v1 dir:folder')
    await shell.do('skopeo copy --dest-tls-verify=false dir:folder docker://$REPO/again:v1')
    expect(await shell.do('gantry resolve $REPO/again:v1')).toBe(await shell.do('gantry resolve $REPO:v1'))
  })

  test.runIf(kind.knowsPasswords)('log-ins are shared both ways', async () => {
    await shell.do('gantry append -f layer.tar -t $REPO:v1')
    await shell.do('skopeo inspect --tls-verify=false docker://$REPO:v1')
    await shell.do('gantry logout $HOST')
    expect((await shell.type('gantry resolve $REPO:v1')).exitCode).toBe(5)
    // It writes the file that containers/image knows, not Docker's.
    await shell.do('skopeo login --tls-verify=false -u $NAME --password-stdin $HOST <<< $PASSWORD')
    await shell.do('gantry resolve $REPO:v1')
    await shell.do('skopeo logout $HOST')
    expect((await shell.type('gantry resolve $REPO:v1')).exitCode).toBe(5)
  })
})

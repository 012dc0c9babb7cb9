import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { requestPeer } from '../harness/peers.js'
import { registriesUnderTest, startRegistry } from '../harness/registries.js'
import type { RunningRegistry } from '../harness/registries.js'
import { Workplace } from '../harness/workplace.js'

describe.each(['podman', 'buildah'])('%s and gantry', (program) => {
  describe.runIf(requestPeer(program)).each(registriesUnderTest())('on $name', (kind) => {
    let registry: RunningRegistry
    let shell: Workplace
    let count = 0

    beforeAll(async () => {
      registry = await startRegistry(kind)
    })
    afterAll(async () => registry.stop())

    beforeEach(async () => {
      shell = await Workplace.create({ REPO: `${registry.host}/${program}/case${++count}` })
      // No mounts and no daemon: that works in a container, too.
      shell.set('BOX', `${program} --root ${shell.folder}/root --runroot ${shell.folder}/run --storage-driver vfs`)
      await shell.write('test-namespace.yaml', 'kind: Namespace\n')
      await shell.do('tar -cf test-namespace.tar test-namespace.yaml')
    })
    afterEach(async () => shell.leave())

    test.each(['test-namespace.tar', 'test-namespace.tar.gz'])(
      'an image of %s is pulled by tag and by digest',
      async (layer) => {
        await shell.do('gzip -nk test-namespace.tar')
        const reference = (await shell.do(`gantry append -f ${layer} -t $REPO:v1`)).trim()
        await shell.do('$BOX pull --tls-verify=false $REPO:v1')
        await shell.do(`$BOX pull --tls-verify=false ${reference}`)
        expect(await shell.do("$BOX images --format '{{.Digest}}' | sort -u")).toBe(
          `${reference.split('@')[1] ?? ''}\n`,
        )
      },
    )

    test('an image that it pushes is copied, and pulled again', async () => {
      await shell.do(
        program === 'podman'
          ? '$BOX import test-namespace.tar $REPO:v1'
          : 'box=$($BOX from scratch) && $BOX copy $box test-namespace.yaml /test-namespace.yaml && $BOX commit $box $REPO:v1',
      )
      await shell.do('$BOX push --tls-verify=false $REPO:v1')
      await shell.do('gantry copy $REPO:v1 $REPO/copy:v2')
      expect(await shell.do('gantry resolve $REPO/copy:v2')).toBe(await shell.do('gantry resolve $REPO:v1'))
      await shell.do('$BOX pull --tls-verify=false $REPO/copy:v2')
      // A layout goes both ways as well.
      await shell.do('gantry copy $REPO:v1 --to-oci-layout layout:v1 && $BOX pull oci:layout:v1')
    })
  })
})

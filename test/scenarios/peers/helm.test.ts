import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { accounts } from '../harness/accounts.js'
import { requestPeer } from '../harness/peers.js'
import { registriesUnderTest, startRegistry } from '../harness/registries.js'
import type { RunningRegistry } from '../harness/registries.js'
import { Workplace } from '../harness/workplace.js'

const chart = 'apiVersion: v2\nname: hello\ndescription: A chart\ntype: application\nversion: 0.1.0\n'

describe.runIf(requestPeer('helm')).each(registriesUnderTest())('helm and gantry, on $name', (kind) => {
  let registry: RunningRegistry
  let shell: Workplace
  let count = 0

  beforeAll(async () => {
    registry = await startRegistry(kind, { password: true, tls: true })
  })
  afterAll(async () => registry.stop())

  beforeEach(async () => {
    shell = await Workplace.create({
      HOST: registry.host,
      CHARTS: `${registry.host}/charts${++count}`,
      NAME: accounts.robot.username,
      PASSWORD: accounts.robot.password,
      CA: '--ca-file rootCA.pem',
      BOTH: '--from-ca-file rootCA.pem --to-ca-file rootCA.pem',
    })
    await copyFile(registry.certificates?.authority ?? '', join(shell.folder, 'rootCA.pem'))
    await shell.write('hello/Chart.yaml', chart)
    await shell.write('hello/templates/note.yaml', 'kind: ConfigMap\n')
    await shell.do('helm package hello')
    await shell.do('gantry login $CA $HOST -u $NAME --password-stdin <<< $PASSWORD')
    // It keeps its own file; the same entries open both.
    await shell.do('mkdir -p ~/.config/helm/registry && cp ~/.docker/config.json ~/.config/helm/registry/config.json')
  })
  afterEach(async () => shell.leave())

  test('helm takes a chart that gantry pushed and copied', async () => {
    await shell.write('config.json', '{"name":"hello","version":"0.1.0","apiVersion":"v2","type":"application"}')
    await shell.do(
      'gantry push $CA $CHARTS/hello:0.1.0 --config config.json:application/vnd.cncf.helm.config.v1+json ' +
        'hello-0.1.0.tgz:application/vnd.cncf.helm.chart.content.v1.tar+gzip',
    )
    await shell.do('gantry copy $BOTH $CHARTS/hello:0.1.0 $CHARTS/mirror/hello:0.1.0')
    await shell.do('mkdir out && helm pull $CA oci://$CHARTS/mirror/hello --version 0.1.0 -d out')
    await shell.do('cmp hello-0.1.0.tgz out/hello-0.1.0.tgz')
    expect(await shell.do('helm show chart $CA oci://$CHARTS/hello --version 0.1.0')).toContain('description: A chart')
  })

  test('gantry takes a chart that helm pushed', async () => {
    const { stdout, stderr } = await shell.type('helm push $CA hello-0.1.0.tgz oci://$CHARTS')
    const digest = /sha256:[0-9a-f]{64}/.exec(stdout + stderr)?.[0]
    expect(await shell.do('gantry resolve $CA $CHARTS/hello:0.1.0')).toBe(`${digest ?? ''}\n`)
    await shell.do('gantry copy $BOTH $CHARTS/hello:0.1.0 $CHARTS/mirror/hello:0.1.0')
    await shell.do('mkdir out && helm pull $CA oci://$CHARTS/mirror/hello --version 0.1.0 -d out')
    await shell.do('cmp hello-0.1.0.tgz out/hello-0.1.0.tgz')
    const config = await shell.do('gantry manifest fetch-config $CA $CHARTS/hello:0.1.0')
    expect(JSON.parse(config)).toMatchObject({ name: 'hello', version: '0.1.0' })
  })
})

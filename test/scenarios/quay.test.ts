import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { accounts, encodeAuth } from './harness/accounts.js'
import { createCertificates } from './harness/certificates.js'
import { digestOf, printedDigest } from './harness/output.js'
import { registriesUnderTest, startRegistry } from './harness/registries.js'
import type { RunningRegistry } from './harness/registries.js'
import { Workplace } from './harness/workplace.js'

describe.each(registriesUnderTest())('a private Quay with an authority of its own, on $name', (kind) => {
  let registry: RunningRegistry
  let shell: Workplace
  let count = 0

  beforeAll(async () => {
    registry = await startRegistry(kind, { password: true, tls: true })
  })
  afterAll(async () => registry.stop())

  beforeEach(async () => {
    shell = await Workplace.create({
      QUAY: registry.host,
      PASSWORD: accounts.robot.password,
      ORG: `org${++count}`,
    })
    await copyFile(registry.certificates?.authority ?? '', join(shell.folder, 'rootCA.pem'))
    await shell.write('hello.txt', 'hello\n')
  })
  afterEach(async () => shell.leave())

  const login = `gantry login $QUAY -u 'org+robot' --password-stdin <<< $PASSWORD`

  test('without the authority the error names the host and the three ways out', async () => {
    const outcome = await shell.type(login)
    expect(outcome).toMatchObject({ stdout: '', exitCode: 1 })
    expect(outcome.stderr).toContain(registry.host)
    expect(outcome.stderr).toContain('certificate signed by unknown authority')
    for (const way of ['--ca-file', '--insecure', 'certs.d']) expect(outcome.stderr).toContain(way)
    const other = await shell.type('gantry pull $QUAY/$ORG/hello:v1')
    expect(other.exitCode).toBe(1)
    expect(other.stderr).toContain('certificate signed by unknown authority')
  })

  test.each(['--tls-verify=false', '--insecure', '--ca-file rootCA.pem'])('log in with %s', async (flag) => {
    const outcome = await shell.type(`gantry login ${flag} $QUAY -u 'org+robot' --password-stdin <<< $PASSWORD`)
    expect(outcome).toMatchObject({ stdout: 'Login Succeeded\n', exitCode: 0 })
    await shell.do(`gantry push ${flag} $QUAY/$ORG/hello:v1 hello.txt`)
    await shell.do(`gantry pull ${flag} -o out $QUAY/$ORG/hello:v1 && cmp hello.txt out/hello.txt`)
  })

  test('log in by answering questions', async () => {
    const outcome = await shell.type('gantry login --tls-verify=false $QUAY', 'org+robot\nrobot-password\n')
    expect(outcome.stderr).not.toContain(accounts.robot.password)
    expect(outcome.stdout).toMatch(/^Username: Password: \s*Login Succeeded\n$/)
    expect(outcome.exitCode).toBe(0)
  })

  test('what login stores is what Docker would, for its owner alone', async () => {
    await shell.do(`gantry login --ca-file rootCA.pem $QUAY -u 'org+robot' --password-stdin <<< $PASSWORD`)
    expect(JSON.parse(await shell.do('cat ~/.docker/config.json'))).toEqual({
      auths: { [registry.host]: { auth: encodeAuth(accounts.robot) } },
    })
    expect(await shell.do('stat -c %a ~/.docker/config.json')).toBe('600\n')
    await shell.do('gantry logout $QUAY')
    expect(JSON.parse(await shell.do('cat ~/.docker/config.json'))).toEqual({ auths: {} })
  })

  test('an authority in certs.d is trusted without a flag', async () => {
    const folder = join(shell.home, '.config/containers/certs.d', registry.host)
    await mkdir(folder, { recursive: true })
    await copyFile(registry.certificates?.authority ?? '', join(folder, 'ca.crt'))
    await shell.do(login)
    await shell.do('gantry push $QUAY/$ORG/hello:v1 hello.txt && gantry pull -o out $QUAY/$ORG/hello:v1')
    expect(await shell.read('out/hello.txt')).toBe('hello\n')
  })

  test('a client certificate without its key is an error that names the file', async () => {
    const folder = join(shell.home, '.config/containers/certs.d', registry.host)
    await mkdir(folder, { recursive: true })
    await copyFile(registry.certificates?.authority ?? '', join(folder, 'ca.crt'))
    await copyFile(registry.certificates?.certificate ?? '', join(folder, 'client.cert'))
    const outcome = await shell.type(login)
    expect(outcome.exitCode).toBe(1)
    expect(outcome.stderr).toContain('client.key')
  })

  test('an authority that did not sign is not enough', async () => {
    await mkdir(join(shell.folder, 'other'))
    await createCertificates(join(shell.folder, 'other'))
    const outcome = await shell.type(
      `gantry login --ca-file other/authority.pem $QUAY -u 'org+robot' --password-stdin <<< $PASSWORD`,
    )
    expect(outcome.exitCode).toBe(1)
    expect(outcome.stderr).toContain('certificate signed by unknown authority')
  })

  test('a chart is pushed, fetched, copied and pulled as an artifact', async () => {
    const config = '{"name":"hello","version":"0.1.0","description":"A chart","apiVersion":"v2","type":"application"}'
    await shell.write('config.json', config)
    await shell.write('hello/Chart.yaml', 'apiVersion: v2\nname: hello\nversion: 0.1.0\n')
    await shell.do('tar -czf hello-0.1.0.tgz hello')
    await shell.do(`gantry login --ca-file rootCA.pem $QUAY -u 'org+robot' --password-stdin <<< $PASSWORD`)
    const pushed = await shell.do(
      'gantry push --ca-file rootCA.pem $QUAY/$ORG/charts/hello:0.1.0 ' +
        '--config config.json:application/vnd.cncf.helm.config.v1+json ' +
        'hello-0.1.0.tgz:application/vnd.cncf.helm.chart.content.v1.tar+gzip',
    )
    const manifest = await shell.do('gantry manifest fetch --ca-file rootCA.pem $QUAY/$ORG/charts/hello:0.1.0')
    expect(JSON.parse(manifest)).toMatchObject({
      config: { mediaType: 'application/vnd.cncf.helm.config.v1+json', digest: digestOf(config) },
      layers: [{ mediaType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip' }],
    })
    const copied = await shell.do(
      'gantry copy --from-ca-file rootCA.pem --to-ca-file rootCA.pem ' +
        '$QUAY/$ORG/charts/hello:0.1.0 $QUAY/$ORG/mirror/hello:0.1.0',
    )
    expect(printedDigest(copied)).toBe(printedDigest(pushed))
    await shell.do('gantry pull --ca-file rootCA.pem -o out $QUAY/$ORG/mirror/hello:0.1.0')
    await shell.do('cmp hello-0.1.0.tgz out/hello-0.1.0.tgz')
  })
})

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { accounts } from './harness/accounts.js'
import { digestOf, printedDigest, shortDigest, sortedLines, treeNodes } from './harness/output.js'
import { registriesUnderTest, startRegistry } from './harness/registries.js'
import type { RunningRegistry } from './harness/registries.js'
import { Workplace } from './harness/workplace.js'

const emptyLayer = '44136fa355b3 application/vnd.oci.empty.v1+json'
const imageManifest = 'application/vnd.oci.image.manifest.v1+json'

describe.each(registriesUnderTest())('artifacts and the supply chain of Azure Container Registry, on $name', (kind) => {
  let registry: RunningRegistry
  let shell: Workplace
  let count = 0

  beforeAll(async () => {
    registry = await startRegistry(kind, { password: true })
  })
  afterAll(async () => registry.stop())

  beforeEach(async () => {
    // A namespace for each test: they share the server.
    const space = `team${++count}`
    shell = await Workplace.create({
      REGISTRY: registry.host,
      TOKEN: accounts.azure.password,
      SPACE: space,
      IMAGE: `${registry.host}/${space}/net-monitor:v1`,
      STAGING: `${registry.host}/${space}-staging/net-monitor:v1`,
    })
    await shell.write('readme.md', '# Readme\n')
    await shell.write('details/readme-details.md', '# Details\n')
    await shell.write('details/readme-more-details.md', '# More\n')
    await shell.write('signature.json', '{"artifact": "net-monitor", "signature": "pat hancock"}\n')
    await shell.write('sbom.json', '{"version": "0.0.0.0", "artifact": "net-monitor"}\n')
    await shell.write('sbom-signature.json', '{"artifact": "sbom", "signature": "pat hancock"}\n')
    await shell.do('gantry login $REGISTRY -u 00000000-0000-0000-0000-000000000000 --password-stdin <<< "$TOKEN"')
  })
  afterEach(async () => shell.leave())

  const artifact = '$REGISTRY/$SPACE/artifact:readme'
  const readme = './readme.md:application/markdown'

  async function pushImage(): Promise<string> {
    await shell.write('monitor.txt', 'FROM scratch\n')
    return printedDigest(await shell.do('gantry push $IMAGE --artifact-type example/image monitor.txt'))
  }

  async function attachAll(): Promise<void> {
    await shell.do(`gantry attach $IMAGE --artifact-type signature/example ./signature.json:application/json`)
    await shell.do(`gantry attach $IMAGE --artifact-type readme/example ${readme} ./details`)
    await shell.do('gantry attach $IMAGE --artifact-type sbom/example ./sbom.json:application/json')
    shell.set('SBOM_DIGEST', await referrerDigest('$IMAGE', 'sbom/example'))
    await shell.do(
      'gantry attach $IMAGE@$SBOM_DIGEST --artifact-type signature/example ./sbom-signature.json:application/json',
    )
  }

  async function referrerDigest(target: string, type: string): Promise<string> {
    const found = JSON.parse(await shell.do(`gantry discover -o json --artifact-type ${type} ${target}`)) as {
      manifests: { digest: string }[]
    }
    expect(found.manifests).toHaveLength(1)
    return found.manifests[0]?.digest ?? ''
  }

  test('log in with a token', async () => {
    const outcome = await shell.type(
      'gantry login $REGISTRY -u 00000000-0000-0000-0000-000000000000 --password-stdin <<< "$TOKEN"',
    )
    expect(outcome).toMatchObject({ stdout: 'Login Succeeded\n', exitCode: 0 })
  })

  test.runIf(kind.knowsPasswords)('a wrong token is refused and not stored', async () => {
    shell.set('DOCKER_CONFIG', `${shell.home}/other`)
    const outcome = await shell.type('gantry login $REGISTRY -u user --password-stdin <<< wrong')
    expect(outcome).toMatchObject({ stdout: '', exitCode: 5 })
    expect(outcome.stderr).toMatch(/^Error response from registry: unauthorized: authentication required/)
    const pull = await shell.type(`gantry pull ${artifact}`)
    expect(pull.exitCode).toBe(5)
  })

  test('push a file, with the output of each step', async () => {
    const outcome = await shell.type(`gantry push ${artifact} --artifact-type readme/example ${readme}`)
    const layer = `${shortDigest(digestOf('# Readme\n'))} readme.md`
    const digest = printedDigest(outcome.stdout)
    const manifest = `${shortDigest(digest)} ${imageManifest}`
    expect(outcome).toMatchObject({ stderr: '', exitCode: 0 })
    expect(sortedLines(outcome.stdout)).toEqual(
      [
        'Preparing readme.md',
        `Uploading ${layer}`,
        `Uploading ${emptyLayer}`,
        `Uploaded  ${layer}`,
        `Uploaded  ${emptyLayer}`,
        `Uploading ${manifest}`,
        `Uploaded  ${manifest}`,
        `Pushed [registry] ${registry.host}/team${count}/artifact:readme`,
        'ArtifactType: readme/example',
        `Digest: ${digest}`,
      ].sort(),
    )
    const fetched = await shell.do(`gantry manifest fetch --pretty ${artifact}`)
    expect(JSON.parse(fetched)).toMatchObject({
      mediaType: imageManifest,
      artifactType: 'readme/example',
      layers: [
        {
          mediaType: 'application/markdown',
          digest: digestOf('# Readme\n'),
          size: 9,
          annotations: { 'org.opencontainers.image.title': 'readme.md' },
        },
      ],
    })
    expect(fetched).toBe(`${JSON.stringify(JSON.parse(fetched), undefined, 2)}\n`)
    expect(await shell.do(`gantry resolve ${artifact}`)).toBe(`${digest}\n`)
    expect(digestOf(await shell.do(`gantry manifest fetch ${artifact}`))).toBe(digest)
  })

  test('push a file and a folder, and pull them', async () => {
    await shell.do(`gantry push ${artifact} --artifact-type readme/example ${readme} ./details`)
    const manifest = JSON.parse(await shell.do(`gantry manifest fetch --pretty ${artifact}`)) as {
      layers: { mediaType: string }[]
    }
    expect(manifest.layers.map(({ mediaType }) => mediaType)).toEqual([
      'application/markdown',
      'application/vnd.oci.image.layer.v1.tar+gzip',
    ])
    const pulled = await shell.do(`gantry pull -o ./download ${artifact}`)
    expect(pulled).toContain(`Pulled [registry] ${registry.host}/team${count}/artifact:readme\n`)
    await shell.do(
      'diff -r details download/details && diff readme.md download/readme.md && test $(ls download | wc -l) = 2',
    )
  })

  test('push a folder twice, later: the digest is the same', async () => {
    const first = await shell.do(`gantry push ${artifact} ./details`)
    await shell.do('sleep 1.1; touch details details/*')
    const second = await shell.do(`gantry push ${artifact} ./details`)
    expect(printedDigest(second)).toBe(printedDigest(first))
  })

  test('delete a manifest, which asks first', async () => {
    const digest = printedDigest(await shell.do(`gantry push ${artifact} ${readme}`))
    const question = `Are you sure you want to delete the manifest "${digest}" and all tags associated with it? [y/N] `
    const refused = await shell.type(`gantry manifest delete ${artifact}`, 'n\n')
    expect(refused).toEqual({ stdout: `${question}Operation cancelled.\n`, stderr: '', exitCode: 0 })
    expect(await shell.do(`gantry resolve ${artifact}`)).toBe(`${digest}\n`)
    const agreed = await shell.type(`gantry manifest delete ${artifact}`, 'y\n')
    expect(agreed).toEqual({
      stdout: `${question}Deleted [registry] ${registry.host}/team${count}/artifact:readme\n`,
      stderr: '',
      exitCode: 0,
    })
    const gone = await shell.type(`gantry manifest fetch ${artifact}`)
    expect(gone.exitCode).toBe(6)
    expect(gone.stderr).toContain(`${registry.host}/team${count}/artifact:readme: not found`)
  })

  test('delete without a question, and once more', async () => {
    await shell.do(`gantry push ${artifact} ${readme}`)
    const reference = `${registry.host}/team${count}/artifact:readme`
    const first = await shell.type(`gantry manifest delete -f ${artifact}`)
    expect(first).toEqual({ stdout: `Deleted [registry] ${reference}\n`, stderr: '', exitCode: 0 })
    const second = await shell.type(`gantry manifest delete -f ${artifact}`)
    expect(second).toEqual({ stdout: `Missing ${reference}\n`, stderr: '', exitCode: 0 })
  })

  test('attach says what it was attached to', async () => {
    const image = await pushImage()
    const outcome = await shell.type(
      'gantry attach $IMAGE --artifact-type signature/example ./signature.json:application/json',
    )
    expect(outcome).toMatchObject({ stderr: '', exitCode: 0 })
    expect(outcome.stdout).toContain(`Attached to [registry] ${registry.host}/team${count}/net-monitor@${image}\n`)
    expect(printedDigest(outcome.stdout)).toMatch(/^sha256:[0-9a-f]{64}$/)
  })

  test('discover shows the whole tree', async () => {
    const image = await pushImage()
    await attachAll()
    const tree = await shell.type('gantry discover -o tree $IMAGE')
    expect(tree.exitCode).toBe(0)
    const signatureDigest = await referrerDigest('$IMAGE', 'signature/example')
    const readmeDigest = await referrerDigest('$IMAGE', 'readme/example')
    const sbomDigest = await referrerDigest('$IMAGE', 'sbom/example')
    const nestedDigest = await referrerDigest(`$IMAGE@${sbomDigest}`, 'signature/example')
    const root = `${registry.host}/team${count}/net-monitor@${image}`
    expect(treeNodes(tree.stdout)).toEqual([
      [root],
      [root, 'readme/example'],
      [root, 'readme/example', readmeDigest],
      [root, 'sbom/example'],
      [root, 'sbom/example', sbomDigest],
      [root, 'sbom/example', sbomDigest, 'signature/example'],
      [root, 'sbom/example', sbomDigest, 'signature/example', nestedDigest],
      [root, 'signature/example'],
      [root, 'signature/example', signatureDigest],
    ])
    expect(tree.stdout).toMatch(/^├── [a-z]+\/example\n│ {3}└── sha256:/m)
  })

  test('copy -r takes the whole graph to another repository', async () => {
    const image = await pushImage()
    await attachAll()
    const source = await shell.do('gantry discover -o tree $IMAGE')
    const copied = await shell.do('gantry copy -r $IMAGE $STAGING')
    expect(printedDigest(copied)).toBe(image)
    expect(copied).toContain(
      `Copied [registry] ${registry.host}/team${count}/net-monitor:v1 => [registry] ${registry.host}/team${count}-staging/net-monitor:v1\n`,
    )
    const target = await shell.do('gantry discover -o tree $STAGING')
    expect(treeNodes(target.replaceAll(`team${count}-staging/`, `team${count}/`))).toEqual(treeNodes(source))

    shell.set('DOC_DIGEST', await referrerDigest('$STAGING', 'readme/example'))
    await shell.do('gantry pull -o ./download ${STAGING%:*}@$DOC_DIGEST')
    expect(sortedLines(await shell.do('cd download && find . -type f'))).toEqual([
      './details/readme-details.md',
      './details/readme-more-details.md',
      './readme.md',
    ])
    const again = await shell.do('gantry copy -r $IMAGE $STAGING')
    expect(again).not.toMatch(/^Copied {2}/m)
    expect(printedDigest(again)).toBe(image)
  })

  test('repo tags lists only what people set', async () => {
    await pushImage()
    await attachAll()
    await shell.do('gantry tag $IMAGE latest')
    expect(sortedLines(await shell.do('gantry repo tags ${IMAGE%:*}'))).toEqual(['latest', 'v1'])
  })

  test('delete a graph: the subject and everything that refers to it', async () => {
    const image = await pushImage()
    await attachAll()
    const tree = await shell.do('gantry discover -o tree $IMAGE')
    const digests = [...new Set(tree.match(/sha256:[0-9a-f]{64}/g))]
    expect(digests).toHaveLength(5)
    expect(digests).toContain(image)
    const outcome = await shell.type('gantry manifest delete -r -f $IMAGE')
    expect(outcome).toMatchObject({ stderr: '', exitCode: 0 })
    for (const digest of digests) {
      const left = await shell.type(`gantry manifest fetch \${IMAGE%:*}@${digest}`)
      expect(left.exitCode, `${digest} is still there`).toBe(6)
    }
    expect(await shell.type('gantry repo tags ${IMAGE%:*}')).toMatchObject({ stdout: '' })
  })

  test('artifacts of the older form are copied, fetched, discovered and pulled', async () => {
    const subject = await pushImage()
    const manifest = JSON.stringify({
      mediaType: 'application/vnd.oci.artifact.manifest.v1+json',
      artifactType: 'example/old',
      blobs: [
        {
          mediaType: 'text/plain',
          digest: digestOf('old\n'),
          size: 4,
          annotations: { 'org.opencontainers.image.title': 'old.txt' },
        },
      ],
      subject: {
        mediaType: imageManifest,
        digest: subject,
        size: (await shell.do('gantry manifest fetch $IMAGE')).length,
      },
    })
    const digest = digestOf(manifest)
    await shell.write('old.json', manifest)
    await shell.write('old.txt', 'old\n')
    // Two ways to a place that takes the form: the registry itself, or a layout.
    const place = kind.takesArtifactManifests ? '${IMAGE%:*}' : '--oci-layout layout'
    const at = (reference: string) =>
      kind.takesArtifactManifests ? `\${IMAGE%:*}${reference}` : `--oci-layout layout${reference}`
    if (!kind.takesArtifactManifests) await shell.do('gantry copy $IMAGE --to-oci-layout layout:v1')
    await shell.do(`gantry blob push ${place} old.txt`)
    await shell.do(`gantry manifest push ${at(':old')} old.json`)
    expect(await shell.do(`gantry manifest fetch ${at(':old')}`)).toBe(manifest)
    expect(await shell.do(`gantry discover ${at(':v1')}`)).toContain(digest)
    await shell.do(`gantry pull -o old-download ${at(':old')}`)
    expect(await shell.read('old-download/old.txt')).toBe('old\n')
    const flags = kind.takesArtifactManifests ? '' : '--from-oci-layout '
    const source = kind.takesArtifactManifests ? '${IMAGE%:*}:old' : 'layout:old'
    const copied = await shell.do(`gantry copy ${flags}${source} --to-oci-layout copy:old`)
    expect(printedDigest(copied)).toBe(digest)
  })
})

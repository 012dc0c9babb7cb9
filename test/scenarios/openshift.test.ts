import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { accounts, encodeAuth } from './harness/accounts.js'
import { digestOf, printedDigest, sortedLines } from './harness/output.js'
import { writePlatformIndex } from './harness/platform-index.js'
import type { PlatformIndex } from './harness/platform-index.js'
import { registriesUnderTest, startRegistry } from './harness/registries.js'
import type { RunningRegistry } from './harness/registries.js'
import { Workplace } from './harness/workplace.js'

const platforms = ['linux/amd64', 'linux/arm64', 'linux/arm/v7']
const robot = { auth: encodeAuth(accounts.robot) }
const wrong = { auth: Buffer.from('nobody:nothing').toString('base64') }

describe.each(registriesUnderTest())('image streams of OpenShift from a private registry, on $name', (kind) => {
  let registry: RunningRegistry
  let open: RunningRegistry
  let shell: Workplace
  let image: PlatformIndex
  let count = 0

  beforeAll(async () => {
    ;[registry, open] = await Promise.all([startRegistry(kind, { password: true }), startRegistry(kind)])
  })
  afterAll(async () => {
    await Promise.all([registry.stop(), open.stop()])
  })

  beforeEach(async () => {
    const repository = `repository-main/team${++count}`
    shell = await Workplace.create({
      REF: `${registry.host}/${repository}/image:v1`,
      OTHER: `${open.host}/${repository}/image:v1`,
    })
    image = await writePlatformIndex(join(shell.folder, 'layout'), platforms)
    await shell.write('auths.json', JSON.stringify({ auths: { [registry.host]: robot } }))
    await shell.do('gantry copy --to-registry-config auths.json --from-oci-layout layout:v1 $REF')
  })
  afterEach(async () => shell.leave())

  /** Where a pull secret can lie, and what its file is called there. */
  const places: [string, (auths: object) => Promise<void>][] = [
    [
      "Docker's config.json",
      async (auths) => {
        await shell.write(join(shell.home, '.docker/config.json'), JSON.stringify({ auths }))
      },
    ],
    [
      'a folder that DOCKER_CONFIG names',
      async (auths) => {
        await shell.write('pull-secret/config.json', JSON.stringify({ auths }))
        shell.set('DOCKER_CONFIG', join(shell.folder, 'pull-secret'))
      },
    ],
    [
      "podman's auth.json",
      async (auths) => {
        const runtimeFolder = shell.environment.XDG_RUNTIME_DIR ?? ''
        await shell.write(join(runtimeFolder, 'containers/auth.json'), JSON.stringify({ auths }))
      },
    ],
    [
      'a file that REGISTRY_AUTH_FILE names',
      async (auths) => {
        shell.set('REGISTRY_AUTH_FILE', await shell.write('secret.json', JSON.stringify({ auths })))
      },
    ],
    [
      'a file that --registry-config names',
      async (auths) => {
        await shell.write('auths.json', JSON.stringify({ auths }))
        shell.set('FLAGS', '--registry-config auths.json')
      },
    ],
  ]

  describe.each(places)('a pull secret in %s', (_name, store) => {
    test('opens the host that it names', async () => {
      await store({ [registry.host]: robot })
      expect(await shell.do('gantry resolve $FLAGS $REF')).toBe(`${image.index}\n`)
    })

    test('is longer for a path below the host, and the longest that fits counts', async () => {
      await store({
        [registry.host]: wrong,
        [`${registry.host}/repository-main`]: robot,
        [`${registry.host}/repository-main/team`]: wrong,
        [`${registry.host}/repository`]: wrong,
      })
      expect(await shell.do('gantry resolve $FLAGS $REF')).toBe(`${image.index}\n`)
    })

    test.runIf(kind.knowsPasswords)('does not help where a longer one is wrong', async () => {
      await store({ [registry.host]: robot, [`${registry.host}/repository-main`]: wrong })
      expect(await shell.type('gantry resolve $FLAGS $REF')).toMatchObject({ stdout: '', exitCode: 5 })
    })
  })

  describe('an image for several platforms', () => {
    beforeEach(() => shell.set('REGISTRY_AUTH_FILE', join(shell.folder, 'auths.json')))

    test('is copied whole', async () => {
      const copied = await shell.do('gantry copy $REF $OTHER')
      expect(printedDigest(copied)).toBe(image.index)
      const index = await shell.do('gantry manifest fetch $OTHER')
      expect(digestOf(index)).toBe(image.index)
      for (const digest of Object.values(image.manifests)) {
        expect(digestOf(await shell.do(`gantry manifest fetch \${OTHER%:*}@${digest}`))).toBe(digest)
      }
    })

    test.each(platforms)('%s alone can be copied', async (platform) => {
      const copied = await shell.do(`gantry copy --platform ${platform} $REF $OTHER-one`)
      expect(printedDigest(copied)).toBe(image.manifests[platform])
      expect(await shell.do('gantry resolve $OTHER-one')).toBe(`${image.manifests[platform] ?? ''}\n`)
    })

    test.each(platforms)('%s alone can be pulled', async (platform) => {
      await shell.do(`gantry pull --platform ${platform} -o out $REF`)
      expect(await readdir(join(shell.folder, 'out'))).toEqual([`${platform.split('/')[1] ?? ''}.tgz`])
    })

    test('without a platform all of them are pulled', async () => {
      await shell.do('gantry pull -o out $REF')
      expect(sortedLines(await shell.do('ls out'))).toEqual(['amd64.tgz', 'arm.tgz', 'arm64.tgz'])
    })

    test.each(platforms)('the manifest of %s can be fetched', async (platform) => {
      const manifest = await shell.do(`gantry manifest fetch --platform ${platform} $REF`)
      expect(digestOf(manifest)).toBe(image.manifests[platform])
      const config = JSON.parse(await shell.do(`gantry manifest fetch-config --platform ${platform} $REF`)) as object
      const [os, architecture, variant] = platform.split('/')
      expect(config).toMatchObject({ os, architecture, ...(variant === undefined ? {} : { variant }) })
    })

    test('a platform that is not there is an error', async () => {
      const outcome = await shell.type('gantry copy --platform linux/s390x $REF $OTHER-none')
      expect(outcome).toMatchObject({ stdout: '', exitCode: 6 })
      expect(outcome.stderr).toContain('no matching manifest was found in the manifest list')
    })
  })

  describe('a registry without TLS', () => {
    beforeEach(() => {
      const port = open.host.split(':')[1] ?? ''
      shell.set('OTHER', `registry.example:${port}/team${count}/image:v1`)
      shell.set('AT', `resolve registry.example:${port}:127.0.0.1`)
    })

    test('needs to be said', async () => {
      const outcome = await shell.type('gantry copy --from-oci-layout layout:v1 --to-$AT $OTHER')
      expect(outcome).toMatchObject({ stdout: '', exitCode: 1 })
      expect(outcome.stderr).toContain('registry.example')
      expect(outcome.stderr).toContain('--plain-http')
    })

    test('is used with --plain-http', async () => {
      await shell.do('gantry copy --from-oci-layout layout:v1 --to-$AT --to-plain-http $OTHER')
      expect(await shell.do('gantry resolve --$AT --plain-http $OTHER')).toBe(`${image.index}\n`)
    })

    test('is not what --insecure means: that is TLS, with any certificate', async () => {
      const outcome = await shell.type('gantry resolve --$AT --insecure $OTHER')
      expect(outcome).toMatchObject({ stdout: '', exitCode: 1 })
    })
  })
})

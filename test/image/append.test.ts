import { appendFile, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as zlib from 'node:zlib'
import { beforeEach, describe, expect, test } from 'vitest'
import { appendLayers, type AppendOptions, type AppendResult } from '../../src/image/append.js'
import { descriptorOf, type Descriptor } from '../../src/oci/descriptor.js'
import { digestOf } from '../../src/oci/digest.js'
import { encodeJson } from '../../src/oci/encode-json.js'
import { MediaType } from '../../src/oci/media-types.js'
import { LayoutStore } from '../../src/store/layout.js'
import { MemoryStore } from '../../src/store/memory.js'
import { readContent } from '../../src/store/verify.js'
import { openBytes } from '../../src/util/bytes.js'
import { RecordingStore } from '../graph/recording-store.js'
import { blobFile } from '../store/layout-folder.js'
import { linux, pushArtifact, pushBlob, pushImage, pushIndex } from '../graph/sample-graph.js'
import { temporaryFolder } from '../util/temporary-folder.js'

/** A tar with one small file, packed by gzip and by zstd; the digests below are those that crane 0.22.1 gives. */
const GZIP_LAYER = Buffer.from(
  'H4sIAAAAAAAAA+3PMQrCQBCF4dQ5xZ5AJmZNYA9haT+YLYJmDdlVEPHurmKVVoKI/9c8eMXwJsTVVYdjsSTJGmtfmc1TpJWiqhtZt43YZ1/JxtaFkUVXvZ1j0ilP+fTO/LkfoWO/81PsT8GZS1Ue+tA5s9XBx1H3vhx80k6TOnMzIbfOJB+TuZff3g0AAAAAAAAAAAAAAAAA/+4BiP15IgAoAAA=',
  'base64',
)
const ZSTD_LAYER = Buffer.from(
  'KLUv/WQAJw0EAIIGFhqQqTmYQl9qaeNC6AVJ2/txWemzbfRlN8+yDKaBq7mokr0hA9X3yTeZycIVTfYBqqQtgzkKVA2xdEnCUm7f8tWE8Q4k8EFOSMDpOGfEto1Qsu07sC8A2gIOAJsl5wEuAwQBFAUmiPUBrOlgrgQAMGgBL2a4oSwFcKxcJifABV2kTS8=',
  'base64',
)
const TAR = zlib.gunzipSync(GZIP_LAYER)
const DIFF_ID = digestOf(TAR)

let folder: string
let sink: RecordingStore
let gzipLayer: string

beforeEach(async () => {
  folder = temporaryFolder()
  sink = new RecordingStore()
  gzipLayer = join(folder, 'layer.tar.gz')
  await writeFile(gzipLayer, GZIP_LAYER)
})

async function append(files: readonly string[], options: AppendOptions = {}): Promise<AppendResult> {
  return appendLayers(sink, files, { temporaryFolder: folder, ...options })
}

interface Documents {
  readonly manifest: Readonly<Record<string, unknown>> & {
    readonly layers: readonly Descriptor[]
    readonly config: Descriptor
  }
  readonly config: Readonly<Record<string, unknown>>
}

async function documentsOf(store: MemoryStore, { descriptor }: AppendResult): Promise<Documents> {
  const manifest = JSON.parse(Buffer.from(await readContent(store, descriptor)).toString())
  return { manifest, config: JSON.parse(Buffer.from(await readContent(store, manifest.config)).toString()) }
}

describe('an image without a base', () => {
  test('is the one that crane makes', async () => {
    const result = await append([gzipLayer], { tags: ['v1', 'v2'] })
    expect(result.descriptor).toMatchObject({
      mediaType: MediaType.dockerManifest,
      digest: 'sha256:4faf6f2c81c65fff50a60ec313ca7ac3a92bedec70437b5a2cd9a9d6a830a815',
      size: 423,
    })
    expect(result.tags).toEqual(['v1', 'v2'])
    expect((await sink.resolve('v2')).digest).toBe(result.descriptor.digest)
    expect(Buffer.from(await readContent(sink, result.layers[0]!))).toEqual(GZIP_LAYER)
    const { config } = await documentsOf(sink, result)
    expect(config).toMatchObject({ rootfs: { type: 'layers', diff_ids: [DIFF_ID] } })
  })

  test('is the one that crane makes, with the media types of the image-spec and two layers', async () => {
    const { descriptor } = await append([gzipLayer, gzipLayer], { ociEmptyBase: true })
    expect(descriptor).toMatchObject({
      mediaType: MediaType.imageManifest,
      digest: 'sha256:c9dd69f17af9d4b7883bf5710766038c302d554102c98f37bff0250fcaea889b',
    })
  })

  test('needs a layer', async () => {
    await expect(append([])).rejects.toMatchObject({ code: 'invalid-argument' })
  })
})

describe('a base', () => {
  test('keeps its layers, its config and its history', async () => {
    const source = new MemoryStore()
    await appendLayers(source, [gzipLayer], { tags: ['docker'] })
    const result = await append([gzipLayer], {
      base: { source, reference: 'docker', name: 'localhost:23978/a:docker' },
      setBaseImageAnnotations: true,
    })
    // What crane makes of the same base.
    expect(result.descriptor.digest).toBe('sha256:374f3a0b1fac0f00ac0d07f60fec38df43cf33eef25b82e535d7c9291ddaf5d4')
    expect(result.layers).toHaveLength(1)
  })

  const FOREIGN_CONFIG =
    '{"created":"2024-05-06T07:08:09.123456789Z","author":"me","architecture":"amd64","os":"linux","config":{"Env":["PATH=/bin"],"Cmd":null,"Labels":{"b":"1","a":"<x>"},"Healthcheck":{"Interval":30000000000,"Test":["CMD","true"]},"Volumes":{"/v":{}},"ExposedPorts":{"80/tcp":{}},"AttachStdin":false,"Image":""},"rootfs":{"diff_ids":["sha256:4a4e715a1deafd086ad0ad9f29e95bfd8ec3709edff91bf5939ad7939b9e8348"],"type":"layers"},"history":[{"comment":"buildkit.dockerfile.v0","created":"2024-05-06T07:08:09Z","created_by":"COPY x # buildkit"},{"created":"2024-05-06T07:08:09Z","created_by":"CMD","empty_layer":true}],"variant":"v2","docker_version":""}'

  async function pushForeign(source: MemoryStore, config = FOREIGN_CONFIG, fields: object = {}): Promise<Descriptor> {
    const { digest, size } = await pushBlob(source, config, MediaType.imageConfig)
    const layer = await pushBlob(source, GZIP_LAYER, MediaType.imageLayerGzip)
    const manifest = encodeJson({
      schemaVersion: 2,
      mediaType: MediaType.imageManifest,
      annotations: { z: '1', a: '2' },
      config: { digest, size, mediaType: MediaType.imageConfig },
      layers: [layer],
      ...fields,
    })
    const descriptor = descriptorOf(MediaType.imageManifest, manifest)
    await source.push(descriptor, openBytes(manifest), { tag: 'foreign' })
    return descriptor
  }

  test('that another builder made gives what crane makes of it', async () => {
    const source = new MemoryStore()
    await pushForeign(source)
    const { descriptor } = await append([gzipLayer], { base: { source, reference: 'foreign' } })
    expect(descriptor.digest).toBe('sha256:d6a0eb6a307dbf89894ad9f039d74fd1e3c2a4b918bf7ab9bde543a7b8ab37fa')
  })

  test('keeps fields that are not known here', async () => {
    const source = new MemoryStore()
    const config = JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: [DIFF_ID], extra: 1 },
      config: { ArgsEscaped: true, 'x-new': { deep: [1] } },
      'moby.buildkit.cache.v0': 'x',
    })
    const data = Buffer.from(config).toString('base64')
    await pushForeign(source, config, {
      artifactType: 'a/b',
      'x-vendor': { y: 1 },
      config: { ...descriptorOf(MediaType.imageConfig, Buffer.from(config)), data, 'x-config': true },
    })
    const result = await append([gzipLayer], { base: { source, reference: 'foreign' } })
    const documents = await documentsOf(sink, result)
    expect(documents.manifest).toMatchObject({
      artifactType: 'a/b',
      'x-vendor': { y: 1 },
      config: { 'x-config': true, data: Buffer.from(JSON.stringify(documents.config)).toString('base64') },
    })
    expect(documents.config).toMatchObject({
      rootfs: { diff_ids: [DIFF_ID, DIFF_ID], extra: 1 },
      config: { ArgsEscaped: true, 'x-new': { deep: [1] } },
      'moby.buildkit.cache.v0': 'x',
    })
  })

  test('brings its layers along, and not its manifest', async () => {
    const source = new RecordingStore()
    const image = await pushImage(source, linux('amd64'))
    const result = await append([gzipLayer], { base: { source, reference: image.digest }, tags: ['v1'] })
    expect((await documentsOf(sink, result)).manifest.layers).toHaveLength(2)
    for (const layer of (await documentsOf(sink, result)).manifest.layers) expect(await sink.has(layer)).toBe(true)
    expect(await sink.has(image)).toBe(false)
    expect(sink.callsOf('push').at(-1)).toBe(`${result.descriptor.digest} v1`)
    expect(sink.callsOf('push').filter((what) => what.endsWith(' v1'))).toHaveLength(1)
  })

  test('that is an index gives its child for linux/amd64, or for the platform', async () => {
    const source = new MemoryStore()
    const images = await Promise.all(['arm64', 'amd64'].map((name) => pushImage(source, linux(name))))
    await pushIndex(source, images, { tag: 'index' })
    for (const [platform, architecture] of [
      [{}, 'amd64'],
      [{ platform: linux('arm64') }, 'arm64'],
    ] as const) {
      const result = await append([gzipLayer], {
        base: { source, reference: 'index', ...platform, name: 'r/b:t' },
        setBaseImageAnnotations: true,
      })
      const { manifest, config } = await documentsOf(sink, result)
      expect(config.architecture).toBe(architecture)
      expect(manifest.annotations).toEqual({
        'org.opencontainers.image.base.digest': images.find(({ platform: own }) => own?.architecture === architecture)
          ?.digest,
        'org.opencontainers.image.base.name': 'r/b:t',
      })
    }
    await expect(
      append([gzipLayer], { base: { source, reference: 'index', platform: linux('mips') } }),
    ).rejects.toMatchObject({ code: 'not-found', side: 'source' })
  })

  test('that is an index gives an index of all its images, with what else is in it', async () => {
    const source = new MemoryStore()
    const images = await Promise.all(['arm64', 'amd64'].map((name) => pushImage(source, linux(name))))
    const artifact = await pushArtifact(source)
    const attestation = {
      ...(await pushArtifact(source, { artifactType: 'test/attestation' })),
      platform: { architecture: 'unknown', os: 'unknown' },
      annotations: { 'vnd.docker.reference.digest': images[0]!.digest },
    }
    await pushIndex(source, [...images, artifact, attestation], {
      tag: 'index',
      annotations: { a: 'b' },
      custom: { kept: true },
    })
    const { descriptor, layers } = await append([gzipLayer], {
      base: { source, reference: 'index' },
      allPlatforms: true,
      tags: ['v1'],
    })
    expect(layers).toHaveLength(1)
    expect((await sink.resolve('v1')).digest).toBe(descriptor.digest)
    const index = JSON.parse(Buffer.from(await readContent(sink, descriptor)).toString())
    expect(index).toMatchObject({ annotations: { a: 'b' }, custom: { kept: true } })
    expect(index.manifests.map(({ platform }: Descriptor) => platform?.architecture)).toEqual([
      'arm64',
      'amd64',
      undefined,
      'unknown',
    ])
    expect(index.manifests[2].digest).toBe(artifact.digest)
    expect(index.manifests[3].digest).toBe(attestation.digest)
    expect(index.manifests[3].annotations).toEqual({ 'vnd.docker.reference.digest': index.manifests[0].digest })
    for (const [child, image] of [
      [index.manifests[0], images[0]!] as const,
      [index.manifests[1], images[1]!] as const,
    ]) {
      expect(child.digest).not.toBe(image.digest)
      const manifest = JSON.parse(Buffer.from(await readContent(sink, child)).toString())
      expect(manifest.layers).toHaveLength(2)
      for (const layer of [...manifest.layers, manifest.config]) expect(await sink.has(layer)).toBe(true)
    }
    expect(await sink.has(attestation)).toBe(true)
  })

  test('takes a child without a platform for one for linux/amd64', async () => {
    const source = new MemoryStore()
    const { mediaType, digest, size } = await pushImage(source, linux('amd64'))
    await pushIndex(source, [{ mediaType, digest, size }], { tag: 'old' })
    expect((await append([gzipLayer], { base: { source, reference: 'old' } })).layers).toHaveLength(1)
    await expect(
      append([gzipLayer], { base: { source, reference: 'old', platform: linux('arm64') } }),
    ).rejects.toMatchObject({ code: 'not-found' })
  })

  test('with a config that is none of an image keeps it', async () => {
    const source = new MemoryStore()
    const config = await pushBlob(source, '{"chart":"x"}', 'application/vnd.cncf.helm.config.v1+json')
    const bytes = encodeJson({ schemaVersion: 2, mediaType: MediaType.imageManifest, config, layers: [] })
    await source.push(descriptorOf(MediaType.imageManifest, bytes), openBytes(bytes), { tag: 'chart' })
    const result = await append([gzipLayer], { base: { source, reference: 'chart' } })
    expect(await sink.has(config)).toBe(true)
    expect((await documentsOf(sink, result)).manifest.config).toEqual(config)
  })

  test('of which a layer is missing is noticed before anything is sent', async () => {
    const path = join(folder, 'layout')
    const source = await LayoutStore.open(path, { create: true })
    const { digest } = await pushImage(source, linux('amd64'), 'lost')
    const base = { source, reference: digest }
    const lost = descriptorOf(MediaType.imageLayer, Buffer.from('layer of lost'))
    await rm(blobFile(path, lost))
    const message = `${lost.digest}: not found`
    await expect(append([gzipLayer], { base })).rejects.toMatchObject({ code: 'not-found', side: 'source', message })
    expect(sink.callsOf('push')).toEqual([])
  })

  test('that is for windows, or missing, or no image, is refused', async () => {
    const source = new MemoryStore()
    const windows = await pushImage(source, { architecture: 'amd64', os: 'windows' })
    await expect(append([gzipLayer], { base: { source, reference: windows.digest } })).rejects.toMatchObject({
      code: 'unsupported',
    })
    await expect(append([gzipLayer], { base: { source, reference: 'missing' } })).rejects.toMatchObject({
      code: 'not-found',
      side: 'source',
    })
    const bytes = encodeJson({ mediaType: MediaType.artifactManifest, blobs: [] })
    const artifact = descriptorOf(MediaType.artifactManifest, bytes)
    await source.push(artifact, openBytes(bytes))
    await expect(append([gzipLayer], { base: { source, reference: artifact.digest } })).rejects.toMatchObject({
      code: 'invalid-content',
    })
    expect(sink.calls).toEqual([])
  })
})

describe('a layer', () => {
  test('that is a plain tar is compressed, the same each time, and nothing is left behind', async () => {
    const plain = join(folder, 'layer.tar')
    await writeFile(plain, TAR)
    const first = await append([plain])
    await utimes(plain, 1, 1)
    const second = await append([plain])
    expect(second.descriptor).toEqual(first.descriptor)
    expect(first.layers[0]?.mediaType).toBe(MediaType.dockerLayerGzip)
    const layer = await readContent(sink, first.layers[0]!)
    expect(zlib.gunzipSync(layer)).toEqual(TAR)
    expect((await documentsOf(sink, first)).config).toMatchObject({ rootfs: { diff_ids: [DIFF_ID] } })
    expect((await readdir(folder)).sort()).toEqual(['layer.tar', 'layer.tar.gz'])
  })

  test.runIf('createZstdDecompress' in zlib)('in zstd goes in as it is, as crane does it', async () => {
    const path = join(folder, 'layer.tar.zst')
    await writeFile(path, ZSTD_LAYER)
    const { descriptor, layers } = await append([path])
    expect(descriptor.digest).toBe('sha256:2a4e6b1eb7bd0e434d65bc73e6fb2cc76a2cfa6f62738ee0c01939f04dc6514a')
    expect(layers[0]).toMatchObject({ mediaType: MediaType.imageLayerZstd, size: ZSTD_LAYER.byteLength })
  })

  test.skipIf('createZstdDecompress' in zlib)('in zstd needs a Node that can read it', async () => {
    const path = join(folder, 'layer.tar.zst')
    await writeFile(path, ZSTD_LAYER)
    await expect(append([path])).rejects.toMatchObject({ code: 'unsupported', hint: 'zstd needs Node 22.15 or later' })
  })

  test('may be a link that the caller has made', async () => {
    await symlink(gzipLayer, join(folder, 'link'))
    expect((await append([join(folder, 'link')])).layers[0]?.size).toBe(GZIP_LAYER.byteLength)
  })

  test.each([
    ['text', Buffer.from('not a tar at all\n')],
    ['long text', Buffer.alloc(2000, 'x')],
    ['compressed text', zlib.gzipSync('not a tar at all')],
    ['damaged gzip', Buffer.concat([GZIP_LAYER.subarray(0, 60), Buffer.alloc(100)])],
    ['gzip that is cut off', GZIP_LAYER.subarray(0, 100)],
    ['nothing', Buffer.alloc(0)],
  ])('that is %s is refused, and nothing is pushed', async (_, content) => {
    const path = join(folder, 'layer')
    await writeFile(path, content)
    await expect(append([gzipLayer, path])).rejects.toMatchObject({
      code: 'invalid-content',
      message: expect.stringContaining(path) as string,
    })
    expect(sink.calls).toEqual([])
  })

  test('may be an empty tar', async () => {
    const path = join(folder, 'empty.tar')
    await writeFile(path, Buffer.alloc(10240))
    expect((await append([path])).layers).toHaveLength(1)
  })

  test('that is missing, or a folder, is an error that names it', async () => {
    await expect(append([join(folder, 'missing')])).rejects.toMatchObject({ code: 'file-error' })
    await expect(append([folder])).rejects.toMatchObject({ code: 'file-error' })
  })

  test('that changes before it is pushed is an error, and the image is not there', async () => {
    sink.onCall = async (method) => {
      if (method === 'has') await appendFile(gzipLayer, 'more')
    }
    await expect(append([gzipLayer], { tags: ['v1'] })).rejects.toMatchObject({
      code: 'conflict',
      message: `${gzipLayer} changed while reading`,
      side: 'source',
    })
    await expect(sink.resolve('v1')).rejects.toMatchObject({ code: 'not-found' })
  })
})

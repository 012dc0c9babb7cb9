import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { digestOf } from './output.js'
import { tarOf } from './tar-of.js'

interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
  readonly annotations?: Readonly<Record<string, string>>
  readonly platform?: Readonly<Record<string, string>>
}

/** An index of images for several platforms, and the digests that it is made of. */
export interface PlatformIndex {
  readonly index: string
  readonly manifests: Readonly<Record<string, string>>
}

/**
 * Writes an image layout with an index of one image for each platform, under the tag `v1`. Each image has one layer
 * with a name, so that it can be pulled as a file, too.
 * @param platforms as `os/architecture[/variant]`
 */
export async function writePlatformIndex(folder: string, platforms: readonly string[]): Promise<PlatformIndex> {
  const blobs = join(folder, 'blobs/sha256')
  await mkdir(blobs, { recursive: true })
  const store = async (mediaType: string, content: Uint8Array | string): Promise<Descriptor> => {
    const digest = digestOf(content)
    await writeFile(join(blobs, digest.slice('sha256:'.length)), content)
    return { mediaType, digest, size: Buffer.byteLength(content) }
  }
  const manifests: Descriptor[] = []
  for (const name of platforms) {
    const [os = '', architecture = '', variant] = name.split('/')
    const platform = { architecture, os, ...(variant === undefined ? {} : { variant }) }
    const content = await tarOf('platform.txt', `${name}\n`)
    const layer = await store('application/vnd.oci.image.layer.v1.tar+gzip', gzipSync(content))
    const config = await store(
      'application/vnd.oci.image.config.v1+json',
      JSON.stringify({ ...platform, config: {}, rootfs: { type: 'layers', diff_ids: [digestOf(content)] } }),
    )
    const layers = [{ ...layer, annotations: { 'org.opencontainers.image.title': `${architecture}.tgz` } }]
    const manifest = await store(
      'application/vnd.oci.image.manifest.v1+json',
      JSON.stringify({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json', config, layers }),
    )
    manifests.push({ ...manifest, platform })
  }
  const mediaType = 'application/vnd.oci.image.index.v1+json'
  const index = await store(mediaType, JSON.stringify({ schemaVersion: 2, mediaType, manifests }))
  const entry = { ...index, annotations: { 'org.opencontainers.image.ref.name': 'v1' } }
  await writeFile(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [entry] }))
  await writeFile(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  return {
    index: index.digest,
    manifests: Object.fromEntries(platforms.map((name, position) => [name, manifests[position]?.digest ?? ''])),
  }
}

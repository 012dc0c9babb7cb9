import { createHash } from 'node:crypto'
import { mkdir, open, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SeededBytes } from './seeded-bytes.js'

const PIECE = 4 * 1024 * 1024
const TAG = 'v1'
const types = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  empty: 'application/vnd.oci.empty.v1+json',
}

/**
 * What a layout holds under its tag: the root, and everything below it, each with `mediaType`, `digest` and `size`.
 * @typedef {{ folder: string, tag: string, root: object, manifests: object[], blobs: object[] }} Layout
 */

/**
 * An image with layers of random bytes.
 * @param {string} folder
 * @param {{ count: number, size: number, sparse?: boolean }} layers `sparse`: zeros that take no room
 * @returns {Promise<Layout>}
 */
export async function makeImageLayout(folder, { count, size, sparse = false }) {
  const writer = await LayoutWriter.create(folder)
  const random = new SeededBytes(`${count} layers of ${size}`)
  const layers = []
  for (let number = 0; number < count; number++) {
    layers.push(await writer.addBlob(types.layer, sparse ? zeros(size) : pieces(random, size), { size, sparse }))
  }
  return writer.finish(await addImage(writer, layers))
}

/**
 * An index of many small images, which have a config in common and a layer each.
 * @param {string} folder
 * @param {number} nodes how many manifests and blobs there are in all; at least 4
 * @returns {Promise<Layout>}
 */
export async function makeGraphLayout(folder, nodes) {
  const writer = await LayoutWriter.create(folder)
  const images = Math.floor((nodes - 2) / 2)
  const config = await writer.addJson(types.config, configOf(1))
  const manifests = []
  for (let number = 0; number < images; number++) {
    const layer = await writer.addBlob(types.layer, [Buffer.from(`layer ${number}\n`)])
    const content = { schemaVersion: 2, mediaType: types.manifest, config, layers: [layer] }
    const platform = { architecture: 'amd64', os: 'linux', 'os.version': String(number) }
    manifests.push({ ...(await writer.addManifest(types.manifest, content)), platform })
  }
  return writer.finish(await writer.addManifest(types.index, { schemaVersion: 2, mediaType: types.index, manifests }))
}

/**
 * An image, and artifacts that refer to it, each with a blob of its own. Only the image is listed under the tag.
 * @param {string} folder
 * @param {number} count
 * @returns {Promise<Layout & { referrers: object[] }>}
 */
export async function makeReferrersLayout(folder, count) {
  const writer = await LayoutWriter.create(folder)
  const random = new SeededBytes(`${count} referrers`)
  const root = await addImage(writer, [await writer.addBlob(types.layer, [random.next(100 * 1024)])])
  const config = await writer.addJson(types.empty, {})
  const referrers = []
  for (let number = 0; number < count; number++) {
    const layer = await writer.addBlob('application/vnd.example.report+json', [random.next(1024)])
    const content = { schemaVersion: 2, mediaType: types.manifest, artifactType: 'application/vnd.example.report' }
    referrers.push(
      await writer.addManifest(types.manifest, { ...content, config, layers: [layer], subject: plain(root) }),
    )
  }
  return { ...(await writer.finish(root, referrers)), referrers }
}

async function addImage(writer, layers) {
  const config = await writer.addJson(types.config, configOf(layers.length))
  return writer.addManifest(types.manifest, { schemaVersion: 2, mediaType: types.manifest, config, layers })
}

function configOf(layers) {
  const diffIds = Array.from({ length: layers }, (_, number) => digestOf(`layer ${number}`))
  return { architecture: 'amd64', os: 'linux', config: {}, rootfs: { type: 'layers', diff_ids: diffIds } }
}

function* pieces(random, size) {
  for (let rest = size; rest > 0; rest -= PIECE) yield random.next(Math.min(rest, PIECE))
}

function* zeros(size) {
  const piece = Buffer.alloc(PIECE)
  for (let rest = size; rest > 0; rest -= PIECE) yield piece.subarray(0, Math.min(rest, PIECE))
}

function digestOf(content) {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`
}

function plain({ mediaType, digest, size }) {
  return { mediaType, digest, size }
}

class LayoutWriter {
  #folder
  #blobs = new Map()
  #manifests = []

  constructor(folder) {
    this.#folder = folder
  }

  static async create(folder) {
    await mkdir(join(folder, 'blobs/sha256'), { recursive: true })
    await writeFile(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
    return new LayoutWriter(folder)
  }

  async addBlob(mediaType, content, options = {}) {
    const descriptor = await this.#write(mediaType, content, options)
    this.#blobs.set(descriptor.digest, descriptor)
    return descriptor
  }

  async addJson(mediaType, value) {
    return this.addBlob(mediaType, [Buffer.from(JSON.stringify(value))])
  }

  async addManifest(mediaType, value) {
    const descriptor = await this.#write(mediaType, [Buffer.from(JSON.stringify(value))], {})
    this.#manifests.push(descriptor)
    return descriptor
  }

  async finish(root, others = []) {
    const tagged = { ...root, annotations: { 'org.opencontainers.image.ref.name': TAG } }
    const index = { schemaVersion: 2, mediaType: types.index, manifests: [tagged, ...others] }
    await writeFile(join(this.#folder, 'index.json'), JSON.stringify(index))
    return {
      folder: this.#folder,
      tag: TAG,
      root: plain(root),
      manifests: this.#manifests.map(plain),
      blobs: [...this.#blobs.values()].map(plain),
    }
  }

  async #write(mediaType, content, { size, sparse = false }) {
    const path = join(this.#folder, 'blobs/sha256/incomplete')
    const hash = createHash('sha256')
    const file = await open(path, 'w')
    let written = 0
    try {
      for (const piece of content) {
        hash.update(piece)
        written += piece.length
        if (!sparse) await file.writeFile(piece)
      }
      if (sparse) await file.truncate(size)
    } finally {
      await file.close()
    }
    const digest = `sha256:${hash.digest('hex')}`
    await rename(path, join(this.#folder, 'blobs/sha256', digest.slice('sha256:'.length)))
    return { mediaType, digest, size: written }
  }
}

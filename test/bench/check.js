import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile, readdir, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { extract } from 'tar-stream'
import { sideBySide } from './registry-client.js'

/**
 * What was found is not what should be there: the measurement means nothing.
 */
export class WrongResult extends Error {}

/**
 * Looks whether a repository holds what a layout holds.
 * @param {import('./registry-client.js').RegistryClient} client
 * @param {string} repository
 * @param {import('./make-layout.js').Layout & { referrers?: object[] }} layout
 * @param {{ whole: boolean }} depth read every byte, or only ask for sizes
 */
export async function checkRepository(client, repository, layout, { whole }) {
  const { tag, root, manifests, blobs, referrers } = layout
  requireEqual(await client.readManifest(repository, tag).then(({ digest }) => digest), root.digest, 'the tag')
  await sideBySide(manifests, 8, async ({ digest }) => {
    requireEqual((await client.readManifest(repository, digest)).digest, digest, 'a manifest')
  })
  await sideBySide(blobs, 4, async ({ digest, size }) => {
    if (whole) requireEqual(await client.hashBlob(repository, digest), digest, 'a blob')
    else requireEqual(await client.blobSize(repository, digest), size, `the size of ${digest}`)
  })
  if (referrers === undefined) return
  const listed = await client.readReferrers(repository, root.digest)
  requireEqual(listed.map(({ digest }) => digest).sort(), referrers.map(({ digest }) => digest).sort(), 'the referrers')
}

/** Looks whether a folder is a layout that holds what another one holds; names of tags are left to the tool. */
export async function checkLayout(folder, { root, manifests, blobs }, { whole }) {
  const index = JSON.parse(await readFile(join(folder, 'index.json'), 'utf8'))
  requireEqual(index.manifests.filter(({ digest }) => digest === root.digest).length, 1, 'the entries for the manifest')
  for (const { digest, size } of [...manifests, ...blobs]) {
    const path = join(folder, 'blobs/sha256', digest.slice('sha256:'.length))
    requireEqual((await stat(path)).size, size, `the size of ${digest}`)
    if (whole) requireEqual(`sha256:${await hashFile(path)}`, digest, 'a blob')
  }
}

/** Looks whether a folder holds these files. @param {Map<string, string>} digests */
export async function checkFolder(folder, digests, { whole }) {
  const paths = await filesBelow(folder)
  requireEqual(paths.length, digests.size, 'the number of files')
  for (const path of paths) {
    const name = relative(folder, path)
    if (!digests.has(name)) throw new WrongResult(`there is a file ${name}`)
    if (whole) requireEqual(await hashFile(path), digests.get(name), name)
  }
}

/**
 * Looks whether the only layer of an artifact is a tar+gzip of a folder with these files.
 * @param {Map<string, string>} digests
 */
export async function checkFolderArtifact(client, repository, tag, { digests, whole }) {
  const { body } = await client.readManifest(repository, tag)
  const { layers } = JSON.parse(body.toString())
  requireEqual(layers.length, 1, 'the number of layers')
  const [{ digest, size }] = layers
  if (!whole) return requireEqual(await client.blobSize(repository, digest), size, 'the size of the layer')
  const chunks = []
  requireEqual(await client.hashBlob(repository, digest, (chunk) => chunks.push(chunk)), digest, 'the layer')
  const found = new Map()
  const entries = extract()
  entries.on('entry', ({ name, type }, content, next) => {
    const hash = createHash('sha256')
    content.on('data', (chunk) => hash.update(chunk))
    content.on('end', () => {
      if (type === 'file') found.set(name.slice(name.indexOf('/') + 1), hash.digest('hex'))
      next()
    })
  })
  await pipeline(Readable.from(chunks), createGunzip(), entries)
  requireEqual(found.size, digests.size, 'the number of files')
  for (const [name, expected] of digests) requireEqual(found.get(name), expected, name)
}

/** @throws WrongResult unless both are the same value */
export function requireEqual(actual, expected, what) {
  const [one, other] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (one !== other) throw new WrongResult(`${what}: ${short(one)} in the place of ${short(other)}`)
}

function short(text = 'nothing') {
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`
}

async function hashFile(path) {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) hash.update(chunk)
  return hash.digest('hex')
}

async function filesBelow(folder) {
  const found = []
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) found.push(...(await filesBelow(path)))
    else found.push(path)
  }
  return found
}

import { createHash } from 'node:crypto'
import { createReadStream, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { Agent as PlainAgent, request as requestPlain } from 'node:http'
import { Agent as TlsAgent, request as requestTls } from 'node:https'
import { join } from 'node:path'

const ACCEPT = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ')

/**
 * A client of the distribution API that has nothing in common with any of the tools: it fills registries before a
 * measurement, and looks at what is in them afterwards.
 */
export class RegistryClient {
  #port
  #send
  #options

  /** @param {{ port: number, authority?: string }} registry `authority`: the file of the one that signed its certificate */
  constructor({ port, authority }) {
    this.#port = port
    this.#send = authority === undefined ? requestPlain : requestTls
    const agent = new (authority === undefined ? PlainAgent : TlsAgent)({ keepAlive: true, maxSockets: 16 })
    this.#options = { agent, ...(authority === undefined ? {} : { ca: readFileSync(authority) }) }
  }

  /**
   * Puts everything that a layout holds into a repository.
   * @param {string} repository
   * @param {import('./make-layout.js').Layout} layout
   * @param {{ oneByOne?: boolean }} options `oneByOne`: no manifests side by side
   */
  async fill(repository, { folder, tag, root, manifests, blobs }, { oneByOne = false } = {}) {
    const pathOf = ({ digest }) => join(folder, 'blobs/sha256', digest.slice('sha256:'.length))
    await sideBySide(blobs, 8, (blob) => this.#putBlob(repository, blob, createReadStream(pathOf(blob))))
    const others = manifests.filter(({ digest }) => digest !== root.digest)
    // A registry may want the image before what refers to it, and the children before their index.
    const isIndex = root.mediaType.includes('index')
    if (!isIndex) await this.putManifest(repository, tag, root, await readFile(pathOf(root)))
    await sideBySide(others, oneByOne ? 1 : 8, async (manifest) =>
      this.putManifest(repository, manifest.digest, manifest, await readFile(pathOf(manifest))),
    )
    if (isIndex) await this.putManifest(repository, tag, root, await readFile(pathOf(root)))
  }

  async putManifest(repository, reference, { mediaType, size }, content) {
    await this.#request('PUT', `/v2/${repository}/manifests/${reference}`, {
      headers: { 'content-type': mediaType, 'content-length': size },
      body: content,
      expect: [201],
    })
  }

  /** The bytes and the digest of a manifest. */
  async readManifest(repository, reference) {
    const { body } = await this.#request('GET', `/v2/${repository}/manifests/${reference}`, {
      headers: { accept: ACCEPT },
    })
    return { body, digest: `sha256:${createHash('sha256').update(body).digest('hex')}` }
  }

  /** What the registry says refers to a manifest. */
  async readReferrers(repository, digest) {
    const { body } = await this.#request('GET', `/v2/${repository}/referrers/${digest}`)
    return JSON.parse(body.toString()).manifests
  }

  async blobSize(repository, digest) {
    const { headers } = await this.#request('HEAD', `/v2/${repository}/blobs/${digest}`)
    return Number(headers['content-length'])
  }

  /** Reads a blob and returns the digest of what came. @param {(chunk: Buffer) => void} [onChunk] */
  async hashBlob(repository, digest, onChunk = () => undefined) {
    const hash = createHash('sha256')
    await this.#request('GET', `/v2/${repository}/blobs/${digest}`, {
      onChunk: (chunk) => {
        hash.update(chunk)
        onChunk(chunk)
      },
    })
    return `sha256:${hash.digest('hex')}`
  }

  close() {
    this.#options.agent.destroy()
  }

  async #putBlob(repository, { digest, size }, body) {
    const { headers } = await this.#request('POST', `/v2/${repository}/blobs/uploads/`, { expect: [202] })
    const location = new URL(headers.location, `http://localhost:${this.#port}`)
    location.searchParams.set('digest', digest)
    await this.#request('PUT', `${location.pathname}${location.search}`, {
      headers: { 'content-length': size, 'content-type': 'application/octet-stream' },
      body,
      expect: [201],
    })
  }

  #request(method, path, { headers = {}, body, expect = [200], onChunk } = {}) {
    return new Promise((resolve, reject) => {
      const options = { ...this.#options, host: '127.0.0.1', port: this.#port, method, path, headers }
      const request = this.#send(options, (response) => {
        const chunks = []
        response.on('data', onChunk ?? ((chunk) => chunks.push(chunk)))
        response.once('error', reject)
        response.once('end', () => {
          if (expect.includes(response.statusCode)) {
            resolve({ headers: response.headers, body: Buffer.concat(chunks) })
          } else {
            reject(new Error(`${method} ${path}: ${response.statusCode} ${Buffer.concat(chunks)}`))
          }
        })
      })
      request.once('error', reject)
      if (typeof body?.pipe !== 'function') return void request.end(body)
      body.once('error', reject)
      body.pipe(request)
    })
  }
}

/** Works on items, some at a time. */
export async function sideBySide(items, lanes, work) {
  const entries = items.values()
  const lane = async () => {
    for (const item of entries) await work(item)
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}

import { createHash } from 'node:crypto'
import { access, mkdir, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { makeSourceFolder } from './make-folder.js'
import { makeGraphLayout, makeImageLayout, makeReferrersLayout } from './make-layout.js'
import { measure } from './measure.js'
import { createCertificates, startRegistry, startRelay } from './processes.js'
import { RegistryClient } from './registry-client.js'

/** Bytes that a RAM disk has to have left to be used. */
const ROOM = 8 * 2 ** 30

/**
 * The machine as every tool finds it: a folder in memory where there is one, a home folder without any settings,
 * registries and ways to them, and content that is made once.
 */
export class Workplace {
  folder
  #gantry
  #made = new Map()
  #closers = []
  #number = 0

  /** @param {string} gantry path of the program that the embedded registry is part of */
  static async create(gantry) {
    const workplace = new Workplace()
    workplace.#gantry = gantry
    workplace.folder = await mkdtemp(join(await ramDisk(), 'gantry-bench-'))
    for (const name of ['home', 'run', 'tmp']) await mkdir(join(workplace.folder, name), { mode: 0o700 })
    return workplace
  }

  /** A path below the folder that nobody has used. */
  newPath(name) {
    return join(this.folder, `${name}-${++this.#number}`)
  }

  /** An image layout with `count` layers of `size` bytes. @returns {Promise<import('./make-layout.js').Layout>} */
  images(layers) {
    return this.#make(`image ${JSON.stringify(layers)}`, (folder) => makeImageLayout(folder, layers))
  }

  graph(nodes) {
    return this.#make(`graph of ${nodes}`, (folder) => makeGraphLayout(folder, nodes))
  }

  referrers(count) {
    return this.#make(`${count} referrers`, (folder) => makeReferrersLayout(folder, count))
  }

  /** A folder of sources: where it stands, its name, and the digests of its files. */
  sources(amount) {
    return this.#make(`sources ${JSON.stringify(amount)}`, async (parent) => {
      const name = 'sources'
      return { parent, name, digests: await makeSourceFolder(join(parent, name), amount) }
    })
  }

  /** Removes what was made for one case alone, and stops what was started for it. */
  async finishCase() {
    for (const close of this.#closers.splice(0).reverse()) await close()
  }

  /**
   * Starts a registry that lives as long as the case.
   * @param {'registry' | 'olareg' | 'gantry'} name
   * @param {{ tls?: boolean, onDisk?: boolean }} options `onDisk`: not in memory
   */
  async registry(name, { tls = false, onDisk = false } = {}) {
    const folder = onDisk ? await mkdtemp(join(tmpdir(), 'gantry-bench-')) : this.newPath(name)
    const certificates = tls ? await this.#make('certificates', createCertificates) : undefined
    const registry = await startRegistry(name, { folder, gantry: this.#gantry, certificates })
    const client = new RegistryClient(registry)
    this.#closers.push(async () => {
      client.close()
      await registry.stop()
      await rm(folder, { recursive: true, force: true })
    })
    return { ...registry, client, folder }
  }

  /** A way to a registry that is longer or narrower than loopback; it lives as long as the case. */
  async wayTo(registry, way) {
    const relay = await startRelay({ port: registry.port, ...way })
    this.#closers.push(relay.stop)
    return { ...registry, port: relay.port }
  }

  /** Has something done when the case is over. */
  afterCase(work) {
    this.#closers.push(work)
  }

  /** Runs a command of a tool as if nobody had used this machine before. */
  async run(command, { timeout = 900 } = {}) {
    const data = this.newPath('data')
    const { variable, content } = command.configuration ?? {}
    const configuration = {}
    if (variable !== undefined) {
      configuration[variable] = this.newPath('settings')
      await writeFile(configuration[variable], content)
    }
    try {
      return await measure(
        { ...command, environment: { ...this.#environment(data), ...command.environment, ...configuration } },
        { usageFile: join(this.folder, 'usage'), timeout },
      )
    } finally {
      await rm(data, { recursive: true, force: true })
    }
  }

  async leave() {
    await this.finishCase()
    await rm(this.folder, { recursive: true, force: true })
  }

  #environment(data) {
    const { PATH = '' } = process.env
    const home = join(this.folder, 'home')
    return {
      PATH: [dirname(process.execPath), ...PATH.split(delimiter)].join(delimiter),
      HOME: home,
      DOCKER_CONFIG: join(home, '.docker'),
      TMPDIR: join(this.folder, 'tmp'),
      XDG_RUNTIME_DIR: join(this.folder, 'run'),
      // Skopeo remembers which registry has which blob, and takes it from there the next time; root's memory cannot be
      // moved, so it is told that it is not root.
      XDG_DATA_HOME: data,
      _CONTAINERS_ROOTLESS_UID: '1000',
      LANG: 'C.UTF-8',
      NO_COLOR: '1',
    }
  }

  async #make(key, make) {
    const known = this.#made.get(key)
    if (known !== undefined) return known
    const folder = join(this.folder, createHash('sha256').update(key).digest('hex').slice(0, 12))
    await mkdir(folder)
    const made = await make(folder)
    this.#made.set(key, made)
    return made
  }
}

async function ramDisk() {
  try {
    await access('/dev/shm')
    const { bavail, bsize } = await statfs('/dev/shm')
    if (bavail * bsize > ROOM) return '/dev/shm'
  } catch {
    // Other systems have none, or another one.
  }
  return tmpdir()
}

import { cpus, release, totalmem, type } from 'node:os'
import { findPeer } from './tools/tools.js'

/** The machine in a few words. @param {string} folder where the data is */
export function describeMachine(folder) {
  const processors = cpus()
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`
  const data = folder.startsWith('/dev/shm') ? 'data in a RAM disk' : `data in ${folder}`
  const model = processors[0]?.model.replace(/\s+/g, ' ').trim() ?? 'unknown'
  return `${processors.length} × ${model}, ${memory}, ${type()} ${release()}, Node.js ${process.versions.node}, ${data}`
}

/** The version of each tool, and of the registries. */
export async function readVersions(workplace, tools) {
  const entries = []
  for (const { name, version, readVersion } of tools) {
    const { stdout } = await workplace.run(version())
    entries.push([name, readVersion(stdout) ?? 'unknown'])
  }
  return { ...Object.fromEntries(entries), registries: await readRegistryVersions(workplace) }
}

async function readRegistryVersions(workplace) {
  const distribution = await workplace.run({ program: findPeer('registry'), words: ['--version'] })
  const olareg = await workplace.run({ program: findPeer('olareg'), words: ['version'] })
  const versionOf = ({ stdout }) => /v\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? 'unknown'
  return `Distribution ${versionOf(distribution)} and olareg ${versionOf(olareg)}`
}

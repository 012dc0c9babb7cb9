import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { checkFolder, checkFolderArtifact } from '../check.js'
import { targetIn, toolsAtWork } from '../contenders.js'

/** The folder of a large program's sources. */
const amountOf = (quick) => (quick ? { files: 200, bytes: 2e6 } : { files: 11_480, bytes: 155e6 })

export const folderCases = [
  {
    id: 'push-folder',
    title: 'push a folder (11,480 files, 155 MB)',
    goals: [{ ratio: 0.45, of: 'best' }],
    setUp: async ({ workplace, tools, quick }) => {
      const { parent, name, digests } = await workplace.sources(amountOf(quick))
      const registry = await workplace.registry('registry')
      return toolsAtWork(tools, { task: 'pushFolder' }, async ({ number, round }) => {
        const repository = `bench/run-${number}`
        return {
          given: { parent, name, sink: targetIn(registry, repository) },
          check: () => checkFolderArtifact(registry.client, repository, 'v1', { digests, whole: round === 1 }),
        }
      })
    },
  },
  {
    id: 'pull-folder',
    title: 'pull that folder',
    goals: [{ ratio: 0.8, of: 'best' }],
    setUp: async ({ workplace, tools, quick }) => {
      const { parent, name, digests } = await workplace.sources(amountOf(quick))
      const registry = await workplace.registry('registry')
      const source = targetIn(registry, 'bench/source')
      await pushByPeer({ workplace, tools }, { parent, name, sink: source })
      return toolsAtWork(tools, { task: 'pullFolder' }, async ({ round }) => {
        const folder = workplace.newPath('pulled')
        return {
          given: { source, folder },
          check: () => checkFolder(join(folder, name), digests, { whole: round === 1 }),
          cleanUp: () => rm(folder, { recursive: true, force: true }),
        }
      })
    },
  },
]

/** What is pulled was pushed by somebody else where there is one: that is the form in which folders are found. */
async function pushByPeer({ workplace, tools }, given) {
  const able = tools.filter(({ pushFolder }) => pushFolder !== undefined)
  const tool = able.find(({ isOurs }) => isOurs !== true) ?? able[0]
  if (tool !== undefined) await workplace.run(tool.pushFolder(given))
}

import { requireEqual } from '../check.js'
import { targetIn, toolsAtWork } from '../contenders.js'

const emptyProgram = {
  label: 'node -e 0',
  tool: 'node -e 0',
  isOurs: false,
  isTuned: false,
  prepare: async () => ({ command: { program: process.execPath, words: ['-e', '0'] } }),
}

/** How long a tool takes before it does anything. */
export const startCases = [
  {
    id: 'version',
    title: 'version, beside an empty program for Node.js',
    repeat: 7,
    goals: [{ ratio: 1.3, of: emptyProgram.tool }],
    setUp: async ({ tools }) => [...toolsAtWork(tools, { task: 'version' }, async () => ({ given: {} })), emptyProgram],
  },
  {
    id: 'fetch-manifest',
    title: 'fetch a manifest, beside an empty program for Node.js',
    repeat: 5,
    goals: [{ ratio: 3, of: emptyProgram.tool }],
    setUp: async ({ workplace, tools }) => {
      const layout = await workplace.images({ count: 3, size: 1024 })
      const registry = await workplace.registry('registry')
      await registry.client.fill('bench/source', layout)
      const { body } = await registry.client.readManifest('bench/source', 'v1')
      const fetches = toolsAtWork(tools, { task: 'fetchManifest' }, async () => ({
        given: { source: targetIn(registry, 'bench/source') },
        check: async ({ stdout }) => requireEqual(stdout.trim(), body.toString().trim(), 'the manifest'),
      }))
      return [...fetches, emptyProgram]
    },
  },
]

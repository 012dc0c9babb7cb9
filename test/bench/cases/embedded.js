import { rm } from 'node:fs/promises'
import { checkLayout, checkRepository } from '../check.js'
import { targetIn } from '../contenders.js'
import { usageOf } from '../measure.js'
import { labelOf, layersOf } from './amounts.js'

const SOURCE = 'bench/source'
const servers = { gantry: 'embedded registry', registry: 'Distribution', olareg: 'olareg' }

/** The embedded registry beside others, with the same client; what is used is what the server used. */
export const embeddedCases = [
  embeddedCase('push', 'one'),
  embeddedCase('pull', 'one'),
  embeddedCase('push', 'many'),
  embeddedCase('pull', 'many'),
]

function embeddedCase(direction, amount) {
  return {
    id: `server-${direction}-${amount}`,
    title: `registries: ${direction} ${labelOf(amount)} by the same client`,
    goals: [{ ratio: 1.3, of: 'Distribution' }],
    repeat: amount === 'many' ? 2 : 1,
    setUp: async ({ workplace, tools, quick }) => {
      const layout = await workplace.images(layersOf(amount, quick))
      const client = tools.find(({ name }) => name === 'oras') ?? tools[0]
      const contenders = []
      for (const [name, label] of Object.entries(servers)) {
        const registry = await workplace.registry(name)
        if (direction === 'pull') await registry.client.fill(SOURCE, layout)
        const prepare = async (attempt) => {
          const trial = direction === 'push' ? pushTrial : pullTrial
          return withServerUsage(registry.pid, trial({ workplace, registry, layout, client }, attempt))
        }
        contenders.push({ label, tool: label, isOurs: name === 'gantry', isTuned: false, prepare })
      }
      return contenders
    },
  }
}

function pushTrial({ registry, layout, client }, { number, round }) {
  const repository = `bench/run-${number}`
  return {
    command: client.pushLayout({ layout, sink: targetIn(registry, repository) }),
    check: () => checkRepository(registry.client, repository, layout, { whole: round === 1 }),
  }
}

function pullTrial({ workplace, registry, layout, client }, { round }) {
  const folder = workplace.newPath('pulled')
  return {
    command: client.pullLayout({ source: targetIn(registry, SOURCE), folder }),
    check: () => checkLayout(folder, layout, { whole: round === 1 }),
    cleanUp: () => rm(folder, { recursive: true, force: true }),
  }
}

async function withServerUsage(pid, trial) {
  const before = await usageOf(pid)
  return {
    ...trial,
    used: async ({ wall }) => {
      const { processor, memory } = await usageOf(pid)
      return { wall, ...(processor === undefined ? {} : { processor: processor - before.processor, memory }) }
    },
  }
}

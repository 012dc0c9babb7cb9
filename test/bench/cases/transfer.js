import { rm } from 'node:fs/promises'
import { checkLayout, checkRepository } from '../check.js'
import { targetIn, toolsAtWork } from '../contenders.js'
import { labelOf, layersOf } from './amounts.js'

const SOURCE = 'bench/source'

const tasks = {
  push: { task: 'pushLayout', text: (amount) => `push ${amount} from a layout` },
  pull: { task: 'pullLayout', text: (amount) => `pull ${amount} to a layout` },
  copy: { task: 'copy', text: (amount) => `copy ${amount}` },
}

/** Ways to the registries. A connection of the last one carries 60 MB a second in each direction. */
const ways = {
  loopback: { id: '', prefix: '', jobs: { ten: 10, many: 16 } },
  tls: { id: 'tls-', prefix: 'over TLS: ', jobs: {}, tls: true },
  far: { id: 'far-', prefix: '30 ms away: ', jobs: { many: 32 }, way: { delay: 15 }, quickWay: { delay: 2 } },
  narrow: {
    id: 'narrow-',
    prefix: '60 MB/s a connection: ',
    jobs: { ten: 10 },
    way: { rate: 60e6 },
    quickWay: { rate: 300e6 },
  },
}

const best = (ratio) => [{ ratio, of: 'best' }]
/** Some do not check what they copy. */
const copied = [
  { ratio: 1, of: 'crane' },
  { ratio: 1.2, of: 'oras' },
]

/** Images pushed from a layout, pulled to a layout, and copied from one registry to another. */
export const transferCases = [
  transferCase('loopback', 'push', 'one', best(1)),
  transferCase('loopback', 'pull', 'one', best(0.9)),
  transferCase('loopback', 'copy', 'one', copied),
  transferCase('loopback', 'push', 'ten', best(1.1)),
  transferCase('loopback', 'pull', 'ten', best(1)),
  transferCase('loopback', 'copy', 'ten', copied),
  transferCase('loopback', 'push', 'many', best(1)),
  transferCase('loopback', 'pull', 'many', best(1)),
  transferCase('loopback', 'copy', 'many', best(1)),
  transferCase('tls', 'push', 'one', best(1)),
  transferCase('tls', 'pull', 'one', best(0.9)),
  transferCase('tls', 'copy', 'one', [{ ratio: 1, of: 'crane' }]),
  transferCase('far', 'push', 'many', best(0.15)),
  transferCase('far', 'pull', 'many', best(0.2)),
  transferCase('far', 'copy', 'many', best(0.15)),
  transferCase('narrow', 'pull', 'one', best(0.25)),
  transferCase('narrow', 'pull', 'ten', best(0.5)),
]

function transferCase(wayName, taskName, amount, goals) {
  const { id, prefix, jobs, ...way } = ways[wayName]
  const { task, text } = tasks[taskName]
  return {
    id: `${id}${taskName}-${amount}`,
    title: `${prefix}${text(labelOf(amount))}`,
    goals,
    // What is over in no time needs more rounds.
    repeat: amount === 'many' && wayName === 'loopback' ? 2 : 1,
    setUp: async ({ workplace, tools, quick }) => {
      const layout = await workplace.images(layersOf(amount, quick))
      const open = (end) => openEnd(workplace, end, { layout, way, quick })
      const source = taskName === 'push' ? undefined : await open('source')
      const sink = taskName === 'pull' ? undefined : await open('sink')
      const work = { task, jobs: jobs[amount] }
      if (sink === undefined)
        return toolsAtWork(tools, work, async (attempt) => pullTrial(workplace, source, layout, attempt))
      return toolsAtWork(tools, work, async (attempt) => pushTrial(sink, source, layout, attempt))
    },
  }
}

async function openEnd(workplace, end, { layout, way: { tls, way, quickWay }, quick }) {
  const registry = await workplace.registry('registry', { tls })
  if (end === 'source') await registry.client.fill(SOURCE, layout)
  const length = quick ? quickWay : way
  return length === undefined ? registry : workplace.wayTo(registry, length)
}

function pushTrial(sink, source, layout, { round, number }) {
  const repository = `bench/run-${number}`
  return {
    given: {
      layout,
      sink: targetIn(sink, repository),
      ...(source === undefined ? {} : { source: targetIn(source, SOURCE) }),
    },
    check: () => checkRepository(sink.client, repository, layout, { whole: round === 1 }),
  }
}

function pullTrial(workplace, source, layout, { round }) {
  const folder = workplace.newPath('pulled')
  return {
    given: { source: targetIn(source, SOURCE), folder },
    check: () => checkLayout(folder, layout, { whole: round === 1 }),
    cleanUp: () => rm(folder, { recursive: true, force: true }),
  }
}

import { checkRepository, requireEqual } from '../check.js'
import { targetIn, toolsAtWork } from '../contenders.js'

const SOURCE = 'bench/source'
const COPIED = 'bench/copied'
const JOBS = 32

/** An artifact that many others refer to, on registries that are 30 ms away and list referrers themselves. */
export const referrerCases = [
  {
    id: 'far-copy-referrers',
    title: '30 ms away: copy an artifact with 200 referrers',
    goals: [{ ratio: 0.15, of: 'regctl' }],
    setUp: async (bench) => {
      const { layout, source, sink } = await openEnds(bench)
      return toolsAtWork(bench.tools, { task: 'copyWithReferrers', jobs: JOBS }, async ({ number }) => {
        const repository = `bench/run-${number}`
        return {
          given: { source: targetIn(source, SOURCE), sink: targetIn(sink, repository) },
          // Olareg lists not all of the referrers that come side by side, so only what is stored can be looked at.
          check: () => checkRepository(sink.client, repository, { ...layout, referrers: undefined }, { whole: true }),
        }
      })
    },
  },
  {
    id: 'far-copy-referrers-again',
    title: '30 ms away: … again, with nothing to move',
    goals: [{ ratio: 0.2, of: 'regctl' }],
    setUp: async (bench) => {
      const { layout, source, sink } = await openEnds(bench)
      await sink.client.fill(COPIED, layout, { oneByOne: true })
      return toolsAtWork(bench.tools, { task: 'copyWithReferrers', jobs: JOBS }, async () => ({
        given: { source: targetIn(source, SOURCE), sink: targetIn(sink, COPIED) },
        check: () => checkRepository(sink.client, COPIED, layout, { whole: false }),
      }))
    },
  },
  {
    id: 'far-discover',
    title: '30 ms away: discover its 200 referrers',
    goals: [{ ratio: 0.15, of: 'oras' }],
    setUp: async (bench) => {
      const { layout, source } = await openEnds(bench)
      return toolsAtWork(bench.tools, { task: 'discover' }, async () => ({
        given: { source: targetIn(source, SOURCE) },
        check: async ({ stdout }) => {
          const shown = layout.referrers.filter(({ digest }) => stdout.includes(digest))
          requireEqual(shown.length, layout.referrers.length, 'the number of referrers')
        },
      }))
    },
  },
]

async function openEnds({ workplace, quick }) {
  const layout = await workplace.referrers(quick ? 10 : 200)
  const way = { delay: quick ? 2 : 15 }
  const [source, sink] = [await workplace.registry('olareg'), await workplace.registry('olareg')]
  await source.client.fill(SOURCE, layout, { oneByOne: true })
  return { layout, source: await workplace.wayTo(source, way), sink: await workplace.wayTo(sink, way) }
}

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { checkRepository, requireEqual } from '../check.js'
import { targetIn } from '../contenders.js'
import { sideBySide } from '../registry-client.js'

const MAX_MEMORY = 300
/** How much more than in proportion a larger amount may take. */
const LINEAR = 1.3

/** Time and memory for more and more of the same. */
export const growthCases = [
  {
    id: 'growth-tags',
    title: 'list 100 to 10,000 tags',
    limits: growthOf,
    setUp: async ({ workplace, tools, quick }) => {
      const layout = await workplace.images({ count: 1, size: 1024 })
      const registry = await workplace.registry('registry')
      const able = tools.filter(({ listTags }) => listTags !== undefined)
      const contenders = []
      for (const count of quick ? [10, 100] : [100, 1000, 10_000]) {
        const repository = `bench/tags-${count}`
        await fillTags(registry.client, repository, layout, count)
        const source = targetIn(registry, repository)
        for (const tool of able) {
          const trial = {
            command: tool.listTags({ source }),
            check: async ({ stdout }) => requireEqual(stdout.match(/tag-\d+/g)?.length, count, 'the number of tags'),
          }
          contenders.push(ofSize(tool, count, `${count} tags`, async () => trial))
        }
      }
      return contenders
    },
  },
  {
    id: 'growth-graph',
    title: 'copy 10 to 10,000 nodes of a graph from a layout',
    limits: growthOf,
    setUp: async ({ workplace, tools, quick }) => {
      const registry = await workplace.registry('registry')
      // What the layout holds is an index, which takes another command of some, and is beyond the skill of others.
      const able = tools.filter(({ name, isOurs }) => isOurs === true || name === 'oras' || name === 'regctl')
      const contenders = []
      for (const count of quick ? [10, 50] : [10, 100, 1000, 10_000]) {
        const layout = await workplace.graph(count)
        for (const tool of able) {
          const prepare = async ({ number }) => {
            const repository = `bench/run-${number}`
            return {
              command: tool.pushLayout({ layout, sink: targetIn(registry, repository) }),
              check: () => checkRepository(registry.client, repository, layout, { whole: false }),
            }
          }
          contenders.push(ofSize(tool, count, `${count} nodes`, prepare))
        }
      }
      return contenders
    },
  },
]

function ofSize({ name, isOurs = false }, size, what, prepare) {
  return { label: `${name}, ${what}`, tool: name, isOurs, isTuned: false, size, prepare }
}

async function fillTags(client, repository, layout, count) {
  await client.fill(repository, { ...layout, tag: 'tag-0' })
  const digest = layout.root.digest.slice('sha256:'.length)
  const content = await readFile(join(layout.folder, 'blobs/sha256', digest))
  const numbers = Array.from({ length: count - 1 }, (_, index) => index + 1)
  await sideBySide(numbers, 8, (number) => client.putManifest(repository, `tag-${number}`, layout.root, content))
}

function growthOf(rows) {
  const ours = rows.filter(({ isOurs, tool }) => isOurs && tool === rows[0].tool).sort((a, b) => a.size - b.size)
  const [smaller, larger] = ours.slice(-2)
  const memory = Math.max(...ours.map((row) => row.memory ?? 0))
  return [
    {
      text: `time from ${smaller.size} to ${larger.size}`,
      actual: larger.wall.median / smaller.wall.median,
      limit: (LINEAR * larger.size) / smaller.size,
    },
    { text: 'memory in MiB', actual: memory, limit: MAX_MEMORY },
  ]
}

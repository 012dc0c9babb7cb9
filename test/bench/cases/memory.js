import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkLayout, checkRepository } from '../check.js'
import { targetIn } from '../contenders.js'

const MEBIBYTE = 1024 * 1024
const MAX_MEMORY = 150
/** How much more memory the largest blob may take than the smallest one. */
const FLAT = 1.4
const SOURCE = 'bench/source'

/** Memory for larger and larger blobs, which must not grow with them. */
export const memoryCases = [memoryCase('push'), memoryCase('pull'), memoryCase('copy')]

function memoryCase(direction) {
  return {
    id: `memory-${direction}`,
    title: `memory: ${direction} one blob, smaller and larger`,
    limits: flatness,
    setUp: async ({ workplace, tools, quick, large }) => {
      const contenders = []
      for (const mebibytes of quick ? [10, 50] : [100, 1024, ...(large ? [8192] : [])]) {
        // What does not fit into memory is nothing but zeros, and goes to the disk.
        const layout = await workplace.images({ count: 1, size: mebibytes * MEBIBYTE, sparse: true })
        const onDisk = mebibytes > 1024
        const source = direction === 'push' ? undefined : await workplace.registry('registry', { onDisk })
        const sink = direction === 'pull' ? undefined : await workplace.registry('registry', { onDisk })
        await source?.client.fill(SOURCE, layout)
        const ends = { workplace, layout, source, sink, onDisk }
        for (const tool of tools) {
          const prepare = async (attempt) => prepareTrial(tool, direction, ends, attempt)
          const label = `${tool.name}, ${mebibytes} MiB`
          const { isOurs = false, name } = tool
          contenders.push({ label, tool: name, isOurs, isTuned: false, size: mebibytes, prepare })
        }
      }
      return contenders
    },
  }
}

async function prepareTrial(tool, direction, { workplace, layout, source, sink, onDisk }, { number }) {
  const repository = `bench/run-${number}`
  if (direction === 'pull') {
    const folder = await mkdtemp(join(onDisk ? tmpdir() : workplace.folder, 'gantry-bench-'))
    return {
      command: tool.pullLayout({ source: targetIn(source, SOURCE), folder: join(folder, 'layout') }),
      check: () => checkLayout(join(folder, 'layout'), layout, { whole: false }),
      cleanUp: () => rm(folder, { recursive: true, force: true }),
    }
  }
  const check = () => checkRepository(sink.client, repository, layout, { whole: false })
  const target = targetIn(sink, repository)
  if (direction === 'push') return { command: tool.pushLayout({ layout, sink: target }), check }
  return { command: tool.copy({ source: targetIn(source, SOURCE), sink: target }), check }
}

function flatness(rows) {
  const ours = rows.filter(({ isOurs, tool }) => isOurs && tool === rows[0].tool).sort((a, b) => a.size - b.size)
  const [first, last] = [ours[0].memory ?? 0, ours.at(-1).memory ?? 0]
  return [
    { text: 'memory in MiB', actual: Math.max(first, last), limit: MAX_MEMORY },
    { text: `memory from ${ours[0].size} to ${ours.at(-1).size} MiB`, actual: last / first, limit: FLAT },
  ]
}

import { judge, rowOf, withRatios } from './results.js'

/**
 * Runs everybody who can do a case in turn, round after round, and checks each result.
 * @param {import('./cases/cases.js').Case} benchCase
 * @param {import('./cases/cases.js').Bench} bench
 * @param {number} rounds
 */
export async function measureCase(benchCase, bench, rounds) {
  const { id, title } = benchCase
  const usages = new Map()
  const failures = []
  try {
    const contenders = await benchCase.setUp(bench)
    for (const contender of contenders) usages.set(contender, [])
    let number = 0
    for (let round = 1; round <= rounds; round++) {
      for (const contender of usages.keys()) {
        try {
          usages.get(contender).push(await attempt(contender, bench.workplace, { round, number: ++number }))
        } catch (error) {
          const { label, isOurs } = contender
          failures.push({ label, isOurs, reason: error.message.trim() })
          usages.delete(contender)
        }
      }
    }
  } finally {
    await bench.workplace.finishCase()
  }
  const rows = withRatios([...usages].map(([contender, of]) => rowOf(contender, of)))
  const judged = failures.some(({ isOurs }) => isOurs) ? [] : judge(benchCase, rows)
  return { id, title, rows, verdicts: judged, failures }
}

async function attempt(contender, workplace, place) {
  const { command, check, cleanUp, used } = await contender.prepare(place)
  try {
    const usage = await workplace.run(command)
    const { wall, processor, memory } = (await used?.(usage)) ?? usage
    await check?.(usage)
    return { wall, processor, memory }
  } finally {
    await cleanUp?.()
  }
}

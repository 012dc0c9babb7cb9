/**
 * What was measured of one contender. `ratio` is that of its time to the fastest other tool with its defaults.
 * @typedef {{
 *   label: string, tool: string, isOurs: boolean, isTuned: boolean, size?: number,
 *   wall: { median: number, min: number, max: number }, processor?: number, memory?: number,
 *   ratio?: number, rounds: number,
 * }} Row
 * @typedef {{ text: string, actual: number, limit: number }} Verdict what was to be reached, and what was
 */

/** @param {import('./contenders.js').Contender & { size?: number }} contender @param {object[]} usages @returns {Row} */
export function rowOf({ label, tool, isOurs, isTuned, size }, usages) {
  const walls = usages.map(({ wall }) => wall)
  const processors = usages.flatMap(({ processor }) => (processor === undefined ? [] : [processor]))
  const memories = usages.flatMap(({ memory }) => (memory === undefined ? [] : [memory]))
  return {
    ...{ label, tool, isOurs, isTuned, rounds: usages.length },
    ...(size === undefined ? {} : { size }),
    wall: { median: median(walls), min: Math.min(...walls), max: Math.max(...walls) },
    ...(processors.length === 0 ? {} : { processor: median(processors) }),
    ...(memories.length === 0 ? {} : { memory: Math.max(...memories) }),
  }
}

/** Adds to each row how it stands beside the fastest other tool, of rows of the same size. @param {Row[]} rows */
export function withRatios(rows) {
  return rows.map((row) => {
    const others = rows.filter(({ isOurs, isTuned, size }) => !isOurs && !isTuned && size === row.size)
    if (others.length === 0) return row
    return { ...row, ratio: row.wall.median / Math.min(...others.map(({ wall }) => wall.median)) }
  })
}

/**
 * Compares with what is to be reached: like with like, both with their defaults. Goals against a tool that was not
 * measured are left out.
 * @param {import('./cases/cases.js').Case} benchCase
 * @param {Row[]} rows
 * @returns {Verdict[]}
 */
export function judge({ goals = [], limits }, rows) {
  const ours = rows.find(({ isOurs }) => isOurs)
  if (ours === undefined) return []
  if (limits !== undefined) return limits(rows)
  const others = rows.filter(({ isOurs, isTuned }) => !isOurs && !isTuned)
  return goals.flatMap(({ ratio, of }) => {
    const [fastest] = others.filter(({ tool }) => of === 'best' || tool === of).sort(bySpeed)
    if (fastest === undefined) return []
    const text = of === 'best' ? `of the best peer, ${fastest.label}` : `of ${fastest.label}`
    return [{ text, actual: ours.wall.median / fastest.wall.median, limit: ratio }]
  })
}

/** @param {Verdict} verdict */
export function isReached({ actual, limit }) {
  return actual <= limit
}

function bySpeed(one, other) {
  return one.wall.median - other.wall.median
}

function median(values) {
  const sorted = [...values].sort((one, other) => one - other)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

import { isReached } from './results.js'

const columns = ['tool', 'wall s', 'spread', 'cpu s', 'MiB', 'ratio']

/** The rows of one case as a table for people, with what was to be reached below it. */
export function formatCase({ id, title, rows, verdicts, failures, judged }) {
  const cells = [columns, ...rows.map(cellsOf)]
  const widths = columns.map((_, column) => Math.max(...cells.map((row) => row[column].length)))
  const lines = cells.map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join('  '),
  )
  return [
    `${title}  [${id}]`,
    ...lines.map((line) => `  ${line}`),
    ...failures.map(({ label, reason }) => `  ${label} failed: ${reason}`),
    ...(judged ? verdicts.map((verdict) => `  ${formatVerdict(verdict)}`) : []),
    '',
  ].join('\n')
}

/** What was to be reached, and what was. */
export function formatVerdict(verdict) {
  const { text, actual, limit } = verdict
  return `${isReached(verdict) ? 'reached' : 'MISSED '} ${shortNumber(actual)} ${text}, at most ${shortNumber(limit)}`
}

/** A number with as many digits as it is worth. */
export function shortNumber(value) {
  if (value === undefined) return '–'
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(value < 0.1 ? 3 : 2)
}

function cellsOf({ label, wall: { median, min, max }, processor, memory, ratio }) {
  const spread = `${shortNumber(min)}–${shortNumber(max)}`
  return [label, shortNumber(median), spread, shortNumber(processor), memory?.toFixed(0) ?? '–', shortNumber(ratio)]
}

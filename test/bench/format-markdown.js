import { isReached } from './results.js'
import { shortNumber } from './format-table.js'

/**
 * The table for the README: a line for each case that was judged against other tools, with the median of the seconds of
 * each tool at its defaults.
 * @param {object} report what `--json` wrote
 */
export function formatMarkdown({ date, machine, versions, rounds, cases }) {
  const compared = cases.filter(({ rows }) => rows.some(({ ratio }) => ratio !== undefined && ratio > 0))
  const rows = compared.filter((result) => result.rows.every(({ size }) => size === undefined))
  const tools = [...new Set(rows.flatMap((result) => result.rows.filter(isPlain).map(({ tool }) => tool)))]
  const known = tools.filter((tool) => versions[tool] !== undefined)
  const lines = rows
    .filter((result) => result.rows.some(({ tool, isOurs }) => isOurs && known.includes(tool)))
    .map((result) => lineOf(result, known))
  return [
    `Measured on ${date.slice(0, 10)}: ${machine}; ${known.map((tool) => `${tool} ${versions[tool]}`).join(', ')};`,
    `registries ${versions.registries}. Seconds, medians of at least ${rounds} rounds, every tool with its defaults.`,
    '',
    `| work | ${known.join(' | ')} | ratio | to reach |`,
    `| --- |${' ---: |'.repeat(known.length + 2)}`,
    ...lines,
    '',
  ].join('\n')
}

function lineOf({ title, rows, verdicts }, tools) {
  const cells = tools.map((tool) => {
    const row = rows.find((candidate) => candidate.tool === tool && isPlain(candidate))
    return row === undefined ? '–' : shortNumber(row.wall.median)
  })
  const actual = verdicts.map(({ actual: value }) => shortNumber(value)).join(' / ')
  const limits = verdicts.map((verdict) => `${isReached(verdict) ? '' : '**missed** '}≤ ${limitOf(verdict)}`)
  return `| ${title} | ${cells.join(' | ')} | ${actual} | ${limits.join(' / ')} |`
}

function limitOf({ limit, text }) {
  const of = /^of (?!the best peer)(.*)$/.exec(text)?.[1]
  return of === undefined ? shortNumber(limit) : `${shortNumber(limit)} of ${of}`
}

function isPlain({ isTuned }) {
  return !isTuned
}

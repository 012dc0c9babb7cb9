import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

interface Row {
  readonly label: string
  readonly tool: string
  readonly isOurs: boolean
  readonly isTuned: boolean
  readonly size?: number
  readonly rounds: number
  readonly wall: { readonly median: number; readonly min: number; readonly max: number }
  readonly processor?: number
  readonly memory?: number
  readonly ratio?: number
}

interface Verdict {
  readonly text: string
  readonly actual: number
  readonly limit: number
}

interface Results {
  rowOf(contender: object, usages: readonly object[]): Row
  withRatios(rows: readonly Row[]): readonly Row[]
  judge(benchCase: object, rows: readonly Row[]): readonly Verdict[]
  isReached(verdict: Verdict): boolean
}

// The benchmark runs as it stands, without a compiler.
const { rowOf, withRatios, judge, isReached } = (await import(join(import.meta.dirname, 'results.js'))) as Results
const { formatMarkdown } = (await import(join(import.meta.dirname, 'format-markdown.js'))) as {
  formatMarkdown(report: object): string
}

const gantry = { label: 'gantry', tool: 'gantry', isOurs: true, isTuned: false }
const oras = { label: 'oras', tool: 'oras', isOurs: false, isTuned: false }
const tunedOras = { label: 'oras --concurrency 16', tool: 'oras', isOurs: false, isTuned: true }
const crane = { label: 'crane', tool: 'crane', isOurs: false, isTuned: false }

const usagesOf = (...walls: number[]): object[] =>
  walls.map((wall) => ({ wall, processor: wall / 2, memory: 10 * wall }))

const rows = withRatios([
  rowOf(gantry, usagesOf(3, 1, 2)),
  rowOf(oras, usagesOf(4, 4, 4)),
  rowOf(tunedOras, usagesOf(1, 1, 1)),
  rowOf(crane, usagesOf(5, 5, 5)),
])

describe('a row', () => {
  test('has the median and the spread of the time, the median of the work and the most memory', () => {
    expect(rows[0]).toMatchObject({ rounds: 3, wall: { median: 2, min: 1, max: 3 }, processor: 1, memory: 30 })
  })

  test('of an even number of rounds has the mean of those in the middle', () => {
    expect(rowOf(oras, usagesOf(1, 2, 4, 9)).wall.median).toBe(3)
  })

  test('is compared with the fastest other tool, each with its defaults', () => {
    expect(rows.map(({ ratio }) => ratio)).toEqual([0.5, 1, 0.25, 1.25])
  })

  test('says nothing of what the system does not tell', () => {
    expect(rowOf(oras, [{ wall: 1 }])).not.toHaveProperty('memory')
  })
})

describe('what is to be reached', () => {
  test.each([
    { goal: { ratio: 0.5, of: 'best' }, text: 'of the best peer, oras', actual: 0.5, reached: true },
    { goal: { ratio: 0.49, of: 'best' }, text: 'of the best peer, oras', actual: 0.5, reached: false },
    { goal: { ratio: 0.5, of: 'crane' }, text: 'of crane', actual: 0.4, reached: true },
  ])('$goal.ratio of $goal.of', ({ goal, text, actual, reached }) => {
    const [verdict] = judge({ goals: [goal] }, rows)
    expect(verdict).toEqual({ text, actual, limit: goal.ratio })
    expect(verdict !== undefined && isReached(verdict)).toBe(reached)
  })

  test('is left out where that tool is not there', () => {
    expect(judge({ goals: [{ ratio: 1, of: 'regctl' }] }, rows)).toEqual([])
    expect(judge({ goals: [{ ratio: 1, of: 'best' }] }, rows.slice(1))).toEqual([])
  })
})

test('the table for the README shows each tool with its defaults, and what was missed', () => {
  const benchCase = { title: 'push it', goals: [{ ratio: 0.4, of: 'best' }] }
  const report = {
    date: '2026-01-02T03:04:05Z',
    machine: 'a machine',
    rounds: 3,
    versions: { gantry: '1', oras: '2', crane: '3', registries: 'R 4' },
    cases: [{ ...benchCase, rows, verdicts: judge(benchCase, rows) }],
  }
  const lines = formatMarkdown(report).trimEnd().split('\n')
  expect(lines.slice(-3)).toEqual([
    '| work | gantry | oras | crane | ratio | to reach |',
    '| --- | ---: | ---: | ---: | ---: | ---: |',
    '| push it | 2.00 | 4.00 | 5.00 | 0.50 | **missed** ≤ 0.40 |',
  ])
})

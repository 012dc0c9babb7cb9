import { readFileSync } from 'node:fs'
import { appendFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { env } from 'node:process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compareLines, parseDifferences, parseDigests } from './compare-lines.js'
import { OrasBench } from './oras-bench.js'
import { parseTranscripts } from './parse-transcripts.js'
import { orasFixtures } from './seeds.js'

const steps = parseTranscripts(readFileSync(join(orasFixtures, 'transcripts.txt'), 'utf8'))
const list = readFileSync(join(orasFixtures, 'differences.txt'), 'utf8')
const wanted = parseDifferences(list)
const digests = parseDigests(list)
/** A file that every difference is appended to, in the form of the list: to bring the list up to date. */
const report = env.GANTRY_TRANSCRIPT_REPORT

describe('what oras printed, gantry prints', () => {
  let bench: OrasBench
  beforeAll(async () => {
    bench = await OrasBench.open(digests)
  })
  afterAll(() => bench.close())

  // Steps build upon each other.
  test.each(steps)('[$number] $title', async (step) => {
    const differences = compareLines(step.lines, await bench.run(step))
    if (report !== undefined && differences.length > 0) {
      await appendFile(report, `[${step.number}] ${step.title}\n${differences.join('\n')}\n\n`)
    }
    const allowed = wanted.filter(({ number }) => number === step.number).flatMap(({ lines }) => lines)
    expect([...differences].sort()).toEqual([...allowed].sort())
  })

  test('the list of wanted differences names steps that exist, and says why', async () => {
    const titles = new Map(steps.map(({ number, title }) => [number, title]))
    for (const { number, title, why, lines } of wanted) {
      expect(title).toBe(titles.get(number))
      expect(why).toMatch(/\.$/)
      expect(lines).not.toEqual([])
    }
  })

  test('the transcripts are all there', async () => {
    const text = await readFile(join(orasFixtures, 'transcripts.txt'), 'utf8')
    expect(steps).toHaveLength(text.match(/^\$ /gm)?.length ?? 0)
  })
})

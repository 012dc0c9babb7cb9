import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { someBytes } from '../registry/test-registry.js'
import { BLOB, TOKEN } from './fault-bench.js'
import { reply } from './faults.js'
import { LocalBench } from './local-bench.js'

const HOUR = 3_600_000

/** Loaded into the program: its clock on the wall is wrong from some moment on, or over and over again. */
const clockScript = (offsets: readonly number[]): string => `
  const offsets = ${JSON.stringify(offsets)}
  const RealDate = Date
  const start = performance.now()
  const offset = () => offsets[Math.floor((performance.now() - start) / 50) % offsets.length]
  const now = () => RealDate.now() + offset()
  globalThis.Date = class Date extends RealDate {
    constructor(...values) {
      super(...(values.length === 0 ? [now()] : values))
    }
    static now() {
      return now()
    }
  }
`

describe('48: a clock that', () => {
  test.each([
    ['is an hour ahead', [HOUR]],
    ['is an hour behind', [-HOUR]],
    ['jumps an hour ahead', [0, 0, ...Array.from({ length: 1000 }, () => HOUR)]],
    ['jumps an hour back', [0, 0, ...Array.from({ length: 1000 }, () => -HOUR)]],
    ['jumps to and fro', [HOUR, -HOUR]],
  ])('48: %s neither shortens a wait nor makes it longer, nor a token useless', async (_what, offsets) => {
    const bench = await LocalBench.open({ auth: 'bearer' })
    const content = someBytes(300_000)
    await bench.seed(content)
    bench.wire.on('GET', BLOB, reply({ status: 503, headers: { 'retry-after': '1' } }))
    bench.wire.on('GET', BLOB, reply({ status: 503 }))
    const preload = join(bench.programs, 'clock.cjs')
    await writeFile(preload, clockScript(offsets))
    const words = ['pull', bench.reference('v1'), '-o', bench.output, '--plain-http']
    const { stderr } = await bench.succeeds(words, { environment: { NODE_OPTIONS: `--require ${preload}` } })
    const waits = [...stderr.matchAll(/^retrying .* in (\d+\.\d) s: /gm)].map(([, seconds]) => Number(seconds))
    expect(waits).toHaveLength(2)
    const [asked = -1, chosen = -1] = waits
    expect(asked).toBeCloseTo(1, 0)
    // By chance, from nothing up to a second.
    expect(chosen).toBeGreaterThanOrEqual(0)
    expect(chosen).toBeLessThan(1)
    expect(bench.wire.find('GET', TOKEN)).toHaveLength(1)
    expect(bench.wire.find('GET', BLOB)).toHaveLength(3)
  })
})

import { clearLine, cursorTo, moveCursor } from 'node:readline'
import { PassThrough, Writable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { createReporter } from '../../../src/cli/output/create-reporter.js'
import { PULL_WORDS } from '../../../src/cli/output/transfer-words.js'
import { descriptorOf } from '../../../src/oci/descriptor.js'

/** What is written to a terminal of this kind while something is transferred. */
async function shownOn(terminal: {
  readonly TERM: string
  readonly columns: number
  readonly rows?: number
}): Promise<string> {
  let written = ''
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      written += chunk.toString()
      done()
    },
  })
  const output = Object.assign(stream, {
    isTTY: true,
    columns: terminal.columns,
    rows: terminal.rows ?? 30,
    cursorTo: (x: number) => cursorTo(stream, x),
    clearLine: (direction: -1 | 0 | 1) => clearLine(stream, direction),
    moveCursor: (x: number, y: number) => moveCursor(stream, x, y),
  })
  const context = {
    stdin: new PassThrough(),
    stdout: output,
    stderr: output,
    environment: { TERM: terminal.TERM, NO_COLOR: '1' },
    homeFolder: '/',
    signal: new AbortController().signal,
    programName: 'gantry',
  }
  const descriptor = descriptorOf('application/octet-stream', Buffer.from('x'))
  const reporter = await createReporter(context, { words: PULL_WORDS })
  reporter?.onEvent({ type: 'started', descriptor })
  reporter?.onEvent({ type: 'finished', descriptor })
  reporter?.stop()
  return written
}

describe('progress', () => {
  test('has rows on a terminal', async () => {
    expect(await shownOn({ TERM: 'xterm', columns: 80 })).toContain('\u001b[')
  })

  test('has rows of a sensible length on a terminal of any size', async () => {
    const shown = await shownOn({ TERM: 'xterm', columns: 60_000, rows: 60_000 })
    expect(Math.max(...shown.split('\n').map((line) => line.length))).toBeLessThan(400)
    expect(shown.length).toBeLessThan(10_000)
  })

  test.each([
    ['that cannot move its cursor', { TERM: 'dumb', columns: 80 }],
    ['that is too narrow', { TERM: 'xterm', columns: 20 }],
    ['without a size', { TERM: 'xterm', columns: 0 }],
  ])('is lines on one %s', async (_kind, terminal) => {
    const shown = await shownOn(terminal)
    expect(shown).not.toContain('\u001b')
    expect(shown).toMatch(/^Downloading .*\nDownloaded /)
  })
})

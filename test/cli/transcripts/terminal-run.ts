import { execFileSync } from 'node:child_process'
import { stripVTControlCharacters } from 'node:util'
import { gantryProgram, run, type RunOptions } from '../../scenarios/harness/program.js'

/** What a program left on a terminal of 120 by 40 characters. */
export interface TerminalRun {
  readonly words: readonly string[]
  readonly exitCode: number
  readonly text: string
}

/** What of a run is compared: the items that were done, and every other line that stays. */
export interface Shown {
  /** The word, the first digits of the digest and the name: `Uploaded 5891b5b522d5 hi.txt`. */
  readonly items: readonly string[]
  readonly lines: readonly string[]
  /** Whether the cursor is hidden at the end. */
  readonly isCursorHidden: boolean
}

/** Why there is no terminal to be had here; undefined where there is one. */
export function missingTerminal(): string | undefined {
  try {
    return execFileSync('script', ['--version'], { encoding: 'utf8' }).includes('util-linux')
      ? undefined
      : 'script is not that of util-linux'
  } catch {
    return 'the program script is not installed'
  }
}

/** Runs gantry on a terminal of its own. */
export async function runOnTerminal(words: readonly string[], options: RunOptions): Promise<TerminalRun> {
  const line = [gantryProgram, ...words].map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')
  const shell = `stty cols 120 rows 40; exec ${line}`
  const { stdout, exitCode } = await run(
    'script',
    ['--quiet', '--flush', '--return', '--command', shell, '/dev/null'],
    {
      ...options,
      environment: { ...options.environment, TERM: 'xterm-256color', SHELL: '/bin/sh' },
    },
  )
  return { words, exitCode, text: stdout }
}

/** Reads the captures of `fixtures/oras/terminal.txt`. */
export function parseCaptures(text: string): readonly TerminalRun[] {
  return text
    .split(/^##### oras /m)
    .slice(1)
    .map((block) => {
      const [, line = '', code = '', shown = ''] = /^(.*)\nrc (\d+)\nPTY: '([^]*)'\n*$/.exec(block) ?? []
      return { words: line.split(' '), exitCode: Number(code), text: shown.replaceAll('␛', '\u001b') }
    })
}

/** Reads what oras left: two rows for an item, of which the last drawing counts. */
export function readOras({ text }: TerminalRun): Shown {
  const hidden = text.lastIndexOf('\u001b[?25l')
  const shown = text.lastIndexOf('\u001b[?25h')
  const end = shown === -1 ? 0 : shown + '\u001b[?25h'.length
  const before = hidden === -1 ? '' : text.slice(0, text.indexOf('\u001b[?25l'))
  const items = new Set<string>()
  const drawn = stripVTControlCharacters(text.slice(0, end))
  for (const [, word = '', name = '', digest = ''] of drawn.matchAll(
    /✓ (\w+) +(\S.*?) {2,}.*\n.*sha256:([0-9a-f]{12})/g,
  )) {
    items.add(`${word} ${digest} ${name}`)
  }
  return {
    items: [...items].sort(),
    lines: linesOf(`${before}${text.slice(end)}`),
    isCursorHidden: hidden > shown,
  }
}

/** Reads what gantry left: a line for each item, below which running ones are drawn and removed again. */
export function readGantry({ text }: TerminalRun): Shown {
  const kept: string[] = []
  const items: string[] = []
  for (const line of afterErasing(text)) {
    const plain = stripVTControlCharacters(line)
    const [, word, digest, name] = /^[✓-] (\w+) ([0-9a-f]{12}) (.+) [\d.]+ [KMGT]?B$/.exec(plain) ?? []
    if (word === undefined) kept.push(line)
    else items.push(`${word} ${digest ?? ''} ${name ?? ''}`)
  }
  return {
    items: items.sort(),
    lines: linesOf(kept.join('\n')),
    isCursorHidden: text.lastIndexOf('\u001b[?25l') > text.lastIndexOf('\u001b[?25h'),
  }
}

function linesOf(text: string): readonly string[] {
  return (
    text
      .replaceAll('\r', '')
      // Back to the terminal's own colour, or to everything of its own.
      .replaceAll('\u001b[39m', '\u001b[0m')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.replace(/\b\d+(?:\.\d+)?(?:µs|ms|s)\b(?=\.?$)/, '<time>'))
  )
}

/** The lines of a screen on which rows were drawn, erased and drawn anew; colours stay. */
function afterErasing(text: string): readonly string[] {
  const screen: string[] = ['']
  let row = 0
  // eslint-disable-next-line no-control-regex -- these are what drives a terminal
  for (const [part] of text.matchAll(/\u001b\[[\d;?]*[A-Za-z]|\r?\n|\r|[^\u001b\r\n]+/g)) {
    // eslint-disable-next-line no-control-regex -- the same
    const [, count = '', action] = /^\u001b\[([\d;?]*)([A-Za-z])$/.exec(part) ?? []
    if (part.endsWith('\n')) {
      row++
      screen[row] ??= ''
    } else if (action === 'A' || action === 'F') row = Math.max(0, row - Number(count === '' ? 1 : count))
    else if (action === 'K') screen[row] = ''
    else if (action === 'G' || part === '\r' || action === 'h' || action === 'l') continue
    else screen[row] = `${screen[row] ?? ''}${part}`
  }
  return screen
}

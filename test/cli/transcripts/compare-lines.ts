/** Lines of transfers that run in parallel: `Uploading 5891b5b522d5 hi.txt`. */
const STATUS = /^out\| (?:[A-Z][a-z]+)\s+[0-9a-f]{12} /
/** Tags that one command sets at once. */
const TAGGED = /^out\| Tagged /

/**
 * How a run differs from what was recorded: `-` and a line that is missing, `+` and a line that is new. The order of
 * concurrent lines does not count, nor does the time that something took.
 */
export function compareLines(recorded: readonly string[], printed: readonly string[]): readonly string[] {
  const one = settle(recorded)
  const other = settle(printed)
  return difference(one, other)
}

/** The lines with everything that varies from run to run made the same. */
function settle(lines: readonly string[]): readonly string[] {
  const settled: string[] = []
  let concurrent: string[] = []
  let kind: RegExp | undefined
  const flush = () => {
    settled.push(...concurrent.sort())
    concurrent = []
  }
  for (const line of lines.map(withoutOwnValues)) {
    // How many of several requests are tried again depends on which of them fails first.
    if (line.startsWith('err| retrying ') && settled.at(-1) === line) continue
    const own = [STATUS, TAGGED].find((pattern) => pattern.test(line))
    if (own !== kind) flush()
    kind = own
    if (own === undefined) settled.push(line)
    else concurrent.push(line)
  }
  flush()
  return settled
}

function withoutOwnValues(line: string): string {
  return line
    .replace(/\b\d+(?:\.\d+)?(?:µs|ms|s)\b(?=\.?$)/, '<time>')
    .replace(/^(out\| (?:Version|Go version|Node\.js version|OS\/Arch)): .*/, '$1: <value>')
    .replace(/^(err\| retrying) .* in \d+\.\d s: /, '$1 <request>: ')
    .replace(/^err\| \[\d{4}-\d\d-\d\dT[\d:.]+Z\]/, 'err| [<time>]')
}

/** The longest common sequence stays; everything else is missing or new. */
function difference(one: readonly string[], other: readonly string[]): readonly string[] {
  const lengths = Array.from({ length: one.length + 1 }, () => new Array<number>(other.length + 1).fill(0))
  const length = (row: number, column: number) => lengths[row]?.[column] ?? 0
  for (let row = one.length - 1; row >= 0; row--) {
    for (let column = other.length - 1; column >= 0; column--) {
      const isSame = one[row] === other[column]
      const longest = Math.max(length(row + 1, column), length(row, column + 1))
      lengths[row]![column] = isSame ? length(row + 1, column + 1) + 1 : longest
    }
  }
  const changes: string[] = []
  let row = 0
  let column = 0
  while (row < one.length || column < other.length) {
    if (row < one.length && column < other.length && one[row] === other[column]) {
      row++
      column++
    } else if (column === other.length || (row < one.length && length(row + 1, column) >= length(row, column + 1))) {
      changes.push(`-${one[row++] ?? ''}`)
    } else {
      changes.push(`+${other[column++] ?? ''}`)
    }
  }
  return changes
}

/** Differences that are wanted, by the number of the step, and why. */
export interface WantedDifference {
  readonly number: number
  readonly title: string
  readonly why: string
  readonly lines: readonly string[]
}

/** Digests that are others on purpose: the one that gantry makes, and the recorded one. */
export function parseDigests(text: string): ReadonlyMap<string, string> {
  const pairs = [...text.matchAll(/^(sha256:[0-9a-f]{64}) for (sha256:[0-9a-f]{64})$/gm)]
  return new Map(pairs.map(([, own = '', recorded = '']) => [own, recorded]))
}

/**
 * Reads `fixtures/oras/differences.txt`: `## ` and a reason, then for each step `[number] command` and its lines, which
 * begin with `-` or `+`.
 */
export function parseDifferences(text: string): readonly WantedDifference[] {
  const wanted: { number: number; title: string; why: string; lines: string[] }[] = []
  let why = ''
  for (const line of text.split('\n')) {
    const [, number, title = ''] = /^\[(\d+)\] (.+)$/.exec(line) ?? []
    if (line.startsWith('## ')) why = line.slice('## '.length)
    else if (number !== undefined) wanted.push({ number: Number(number), title, why, lines: [] })
    else if (/^[-+]/.test(line)) wanted.at(-1)?.lines.push(line)
  }
  return wanted
}

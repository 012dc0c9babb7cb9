/** One run of a command, and what it printed. */
export interface Step {
  /** Place in the file, counted from 1. */
  readonly number: number
  /** The section of the file, counted from 1: each has a folder of its own. */
  readonly part: number
  /** The words behind the program's name. */
  readonly words: readonly string[]
  /** The command line behind `$ `, as the file writes it. */
  readonly title: string
  readonly stdin: string | undefined
  /** `out| …`, `err| …` and, as the last line, `rc=…`. */
  readonly lines: readonly string[]
}

/** Reads the transcripts of `fixtures/oras/transcripts.txt`. */
export function parseTranscripts(text: string): readonly Step[] {
  const [runs = '', prompts = ''] = text.split('\n--- prompts\n')
  const steps: Step[] = []
  let part = 1
  for (const block of runs.split('\n\n')) {
    const lines = block.split('\n').filter((line) => line !== '' && !line.startsWith('# '))
    if (lines[0]?.startsWith('========') === true) {
      part++
      lines.shift()
    }
    const title = lines.shift()?.slice('$ '.length)
    if (title === undefined) continue
    steps.push({ number: steps.length + 1, part, title, words: splitWords(title).slice(1), stdin: undefined, lines })
  }
  return [...steps, ...parsePrompts(prompts, part, steps.length)]
}

/** Runs that were answered: their command lines leave out the reference, which the last line tells. */
function parsePrompts(text: string, part: number, before: number): readonly Step[] {
  return [...text.matchAll(/^\$ echo (\w+) \| (oras .+)\n(.+)$/gm)].map((match, index) => {
    const [, answer = '', command = '', line = ''] = match
    const reference = line.split(' ').at(-1) ?? ''
    const words = splitWords(command).filter((word) => /^[a-z]+$/.test(word))
    return {
      number: before + index + 1,
      part,
      title: `${words.join(' ')} ${reference}`,
      words: [...words.slice(1), reference],
      stdin: `${answer}\n`,
      lines: [`out| ${line}`, 'rc=0'],
    }
  })
}

/** The file writes no quotes; a space inside of `{{ }}` belongs to the word. */
function splitWords(line: string): readonly string[] {
  return line.match(/(?:\{\{.*?\}\}|\S)+/g) ?? []
}

/** What a run printed, in the form of the file. */
export function formatLines(stdout: string, stderr: string, exitCode: number): readonly string[] {
  return [...prefixed('out', stdout), ...prefixed('err', stderr), `rc=${exitCode}`]
}

function prefixed(stream: 'out' | 'err', text: string): readonly string[] {
  if (text === '') return []
  const isOpen = !text.endsWith('\n')
  const lines = (isOpen ? text : text.slice(0, -1)).split('\n').map((line) => `${stream}| ${line}`)
  const last = lines.at(-1) ?? ''
  return isOpen && stream === 'out' ? [...lines.slice(0, -1), `${last}   (no newline at end of stdout)`] : lines
}

import { GantryError, isGantryError, type ErrorCode } from '../errors.js'
import { visibleJson, visibleText } from '../util/visible-text.js'
import type { Context } from './context.js'
import { flagHintFor } from './hints.js'
import { SideError } from './prefixed-error.js'
import { UsageError } from './usage-error.js'

const EXIT_CODES: Partial<Record<ErrorCode, number>> = {
  'invalid-argument': 2,
  'invalid-reference': 2,
  'invalid-platform': 2,
  conflict: 4,
  unauthorized: 5,
  denied: 5,
  'not-found': 6,
  unsigned: 10,
  'untrusted-signature': 11,
  aborted: 130,
}

/**
 * Prints an error for people and gives the exit code that belongs to it.
 * What is no GantryError is a bug in gantry: its stack is shown, and the exit code is 1.
 * @param words the command line, which says whether a program reads the error
 */
export function reportError(thrown: unknown, context: Context, words: readonly string[]): number {
  const error = isWithoutCurrentFolder(thrown) ? currentFolderError(thrown) : thrown
  const stop = stopReasonOf(context)
  if (stop?.isSilent === true) return stop.exitCode
  if (stop !== undefined && (error === context.signal.reason || isGantryError(error, 'aborted'))) {
    context.stderr.write('Error: interrupted\n')
    return stop.exitCode
  }
  if (!isGantryError(error)) {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
    context.stderr.write(
      visibleText(
        `${stack}\nThis is a bug in gantry. Please report it with the lines above and the command you ran.\n`,
      ),
    )
    return 1
  }
  const isForProgram = asksForJson(words)
  context.stderr.write(isForProgram ? `${visibleJson(formatAsJson(error))}\n` : visibleText(formatError(error)))
  return EXIT_CODES[error.code] ?? 1
}

/** Node.js asks for the current folder when it completes a relative path. */
function isWithoutCurrentFolder(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && error.syscall === 'uv_cwd'
}

function currentFolderError(cause: unknown): GantryError {
  return new GantryError('file-error', 'the current folder does not exist any more', {
    hint: 'Change to a folder that exists, and run the command again.',
    cause,
  })
}

function formatError(error: GantryError): string {
  const lines = [`${prefixOf(error)} ${error.message}`]
  if (error instanceof UsageError && error.usage !== undefined) lines.push(`Usage: ${error.usage}`)
  const hint = flagHintFor(error) ?? error.hint
  if (hint !== undefined) lines.push(hint)
  return `${lines.join('\n')}\n`
}

/** The error on one line, for the program that asked for JSON. */
function formatAsJson(error: GantryError): string {
  const { code, message, response, side } = error
  const hint = flagHintFor(error) ?? error.hint
  return JSON.stringify({ code, message, hint, status: response?.status, side })
}

/** Whether the result was asked for as JSON; the command line may be one that nobody could read. */
function asksForJson(words: readonly string[]): boolean {
  const formats = words.flatMap((word, index) => {
    if (word.startsWith('--format=')) return [word.slice('--format='.length)]
    return word === '--format' ? [words[index + 1] ?? ''] : []
  })
  return formats.at(-1) === 'json'
}

function prefixOf(error: GantryError): string {
  if (error instanceof SideError) return `Error from ${error.end}:`
  if (error.side !== undefined) return `Error from ${error.side}:`
  const fromRegistry = error.response !== undefined
  return fromRegistry ? 'Error response from registry:' : 'Error:'
}

/** Why the command was stopped from outside, where that is what ended it. */
interface StopReason {
  readonly exitCode: number
  /** Whether even the error is of no interest to anybody. */
  readonly isSilent?: boolean
}

function stopReasonOf({ signal }: Context): StopReason | undefined {
  const reason: unknown = signal.aborted ? signal.reason : undefined
  const isReason = reason instanceof Error && 'exitCode' in reason && typeof reason.exitCode === 'number'
  return isReason ? (reason as Error & StopReason) : undefined
}

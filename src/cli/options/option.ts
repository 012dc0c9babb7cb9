import { isGantryError } from '../../errors.js'
import { UsageError } from '../usage-error.js'

/** How far a command or a flag may still change. */
export type Stage = 'preview' | 'experimental'

/** Where a flag stands in the help of a command. */
export type OptionGroup = 'command' | 'registry' | 'tls' | 'network' | 'output'

export interface OptionSettings<Value> {
  /** The value when the flag is not given; shown in the help by the text of the flag. */
  readonly fallback?: Value
  /** Whether the command fails without it. */
  readonly required?: boolean
  /** Whether help and completion leave it out. */
  readonly hidden?: boolean
  /** What is said on stderr when the flag is used. */
  readonly deprecated?: string
  readonly group?: OptionGroup
  /** Shown before its help; default: it does not change any more. */
  readonly stage?: Stage
}

/** A flag: how it is written, what it is for, and how its value is read. The type of the value follows from it. */
export interface Option<Value> extends OptionSettings<Value> {
  /** `--output`. */
  readonly long: string
  /** `-o`. */
  readonly short: string | undefined
  /** What stands for the value in the help; undefined for a flag without one. */
  readonly placeholder: string | undefined
  readonly help: string
  /** Whether a word for a boolean may stand behind `=`, and the word alone means true. */
  readonly isBoolean: boolean
  /**
   * Reads one occurrence of the flag.
   * @param previous what earlier occurrences made
   * @throws UsageError
   */
  readonly read: (text: string, previous: unknown) => Value
}

/** Flags by the name under which a command reads them. */
export type Options = Readonly<Record<string, Option<unknown>>>

/** The values of declared flags. */
export type OptionValues<Declared extends Options> = {
  readonly [Name in keyof Declared]: Declared[Name] extends Option<infer Value> ? Value : never
}

/** A switch; false unless it is given. `--flag=false` is possible too. */
export function flag(spelling: string, help: string, settings: OptionSettings<boolean> = {}): Option<boolean> {
  return { fallback: false, ...spelled(spelling), ...settings, help, isBoolean: true, read: readBoolean(spelling) }
}

/** A switch that is a decision in both directions; undefined unless it is given. */
export function decision(
  spelling: string,
  help: string,
  settings: OptionSettings<boolean | undefined> = {},
): Option<boolean | undefined> {
  return { ...spelled(spelling), ...settings, help, isBoolean: true, read: readBoolean(spelling) }
}

/** A flag with a text as its value. */
export function text(
  spelling: string,
  help: string,
  settings: OptionSettings<string | undefined> = {},
): Option<string | undefined> {
  return { ...spelled(spelling), ...settings, help, isBoolean: false, read: (value) => value }
}

/** A flag with a text that the command does not work without, or that has a default. */
export function requiredText(spelling: string, help: string, settings: OptionSettings<string> = {}): Option<string> {
  const required = settings.fallback === undefined
  return { required, ...spelled(spelling), ...settings, help, isBoolean: false, read: (value) => value }
}

/** A flag that may be given several times. */
export function list(
  spelling: string,
  help: string,
  settings: OptionSettings<readonly string[]> = {},
): Option<readonly string[]> {
  const read = (value: string, previous: unknown) => [...((previous ?? []) as readonly string[]), value]
  return { fallback: [], ...spelled(spelling), ...settings, help, isBoolean: false, read }
}

/**
 * A flag whose text is read into something else.
 * @param parse throws an Error whose message says what is wrong with the text
 */
export function parsed<Value>(
  spelling: string,
  help: string,
  parse: (text: string) => Value,
  settings: OptionSettings<Value | undefined> = {},
): Option<Value | undefined> {
  const { long, short, placeholder } = spelled(spelling)
  const read = (value: string): Value => {
    try {
      return parse(value)
    } catch (error) {
      if (isGantryError(error) || !(error instanceof Error)) throw error
      throw new UsageError(`invalid argument "${value}" for "${long}" flag: ${error.message}`)
    }
  }
  return { long, short, placeholder, ...settings, help, isBoolean: false, read }
}

/** `-o, --output <file>` in its parts. */
function spelled(spelling: string): Pick<Option<unknown>, 'long' | 'short' | 'placeholder'> {
  const [, short, long, placeholder] = /^(?:(-\w), )?(--[\w-]+)(?: (<.+>))?$/.exec(spelling) ?? []
  if (long === undefined) throw new TypeError(`"${spelling}" is not how a flag is written`)
  return { long, short, placeholder }
}

const BOOLEANS: Readonly<Record<string, boolean>> = {
  true: true,
  t: true,
  1: true,
  TRUE: true,
  True: true,
  T: true,
  false: false,
  f: false,
  0: false,
  FALSE: false,
  False: false,
  F: false,
}

function readBoolean(spelling: string): (text: string) => boolean {
  return (value) => {
    const known = Object.hasOwn(BOOLEANS, value) ? BOOLEANS[value] : undefined
    if (known !== undefined) return known
    const { long, short } = spelled(spelling)
    const name = [short, long].filter((one) => one !== undefined).join(', ')
    throw new UsageError(`invalid argument "${value}" for "${name}" flag: "${value}" is neither true nor false`)
  }
}

/** Reads a whole number of at least 1. */
export function parseCount(value: string): number {
  if (!/^[1-9]\d{0,8}$/.test(value)) throw new Error(`"${value}" is not a whole number of at least 1`)
  return Number(value)
}

/** Reads a number of attempts. Nothing is done in less than one, which 0 means too. */
export function parseAttempts(value: string): number {
  if (!/^\d{1,9}$/.test(value)) throw new Error(`"${value}" is not a whole number of at least 0`)
  return Math.max(Number(value), 1)
}

/** Reads a whole number; 0 and less mean the default, as scripts for `oras` have it. */
export function parseConcurrency(value: string): number | undefined {
  return /^(?:0|-\d{1,9})$/.test(value) ? undefined : parseCount(value)
}

const DURATION_UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Reads a duration such as `500ms`, `30s`, `5m` or `1h30m` into milliseconds; a bare number is seconds. */
export function parseDuration(value: string): number {
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000
  if (!/^(?:\d{1,9}(?:\.\d{1,3})?(?:ms|s|m|h))+$/.test(value)) {
    throw new Error(`"${value}" is not a duration such as 30s or 5m`)
  }
  let total = 0
  for (const [, amount, unit] of value.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
    total += Number(amount) * (DURATION_UNITS[unit ?? 's'] ?? 0)
  }
  return total
}

const SIZE_UNITS = ['', 'k', 'm', 'g', 't']

/** Reads a size such as `4MiB`, `1G` or `512` into bytes; every unit counts by 1024. */
export function parseSize(value: string): number {
  const [, amount, unit = ''] = /^(\d{1,12})([kmgt]?)(?:i?b)?$/i.exec(value) ?? []
  if (amount === undefined) throw new Error(`"${value}" is not a size such as 512, 4MiB or 1G`)
  return Number(amount) * 1024 ** SIZE_UNITS.indexOf(unit.toLowerCase())
}

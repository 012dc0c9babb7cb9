import { InvalidArgumentError, Option, type Command } from 'commander'
import { asksForMachineFormat } from './format.js'

/** How patient and how greedy a command is with every registry that it talks to. */
export interface ConnectionOptions {
  readonly attempts?: number
  /** Longest Retry-After that is waited for, in milliseconds. */
  readonly maxRetryAfter?: number
  readonly idleTimeout?: number
  readonly connectTimeout?: number
  readonly headersTimeout?: number
  readonly maxManifestSize?: number
  readonly debug: boolean
  readonly quiet: boolean
  /** Whether the result is for a program. */
  readonly isForMachine: boolean
}

interface ConnectionValues {
  readonly retries?: number
  readonly retryMaxWait?: number
  readonly idleTimeout?: number
  readonly connectTimeout?: number
  readonly headersTimeout?: number
  readonly maxManifestSize?: number
  readonly debug?: boolean
  readonly quiet?: boolean
}

/** Declares the flags that every command with a registry has. */
export function declareConnection(command: Command): void {
  command
    .option('-d, --debug', 'log requests and answers on stderr, without secrets')
    .addOption(new Option('-v, --verbose', 'accepted for scripts').hideHelp())
    .option('-q, --quiet', 'print nothing but results that were asked for, and errors')
    .option('--retries <count>', 'attempts for each request; 1 or 0 for no repetition (default: 5)', parseAttempts)
    .option('--retry-max-wait <duration>', 'longest wait that a registry may ask for (default: 60s)', parseDuration)
    .option('--connect-timeout <duration>', 'time to connect (default: 15s)', parseDuration)
    .option('--headers-timeout <duration>', 'time until an answer begins (default: 60s)', parseDuration)
    .option('--idle-timeout <duration>', 'time without any data (default: 30s)', parseDuration)
    .option('--timeout <duration>', 'time for the whole command (default: none)', parseDuration)
    .option('--max-manifest-size <size>', 'largest manifest that is read (default: 4MiB)', parseSize)
}

/** Reads the flags that {@link declareConnection} declares. */
export function readConnection(values: Readonly<Record<string, unknown>>): ConnectionOptions {
  const { retries, retryMaxWait, idleTimeout, connectTimeout, headersTimeout, maxManifestSize, debug, quiet } =
    values as ConnectionValues
  return {
    ...(retries === undefined ? {} : { attempts: retries }),
    ...(retryMaxWait === undefined ? {} : { maxRetryAfter: retryMaxWait }),
    ...(idleTimeout === undefined ? {} : { idleTimeout }),
    ...(connectTimeout === undefined ? {} : { connectTimeout }),
    ...(headersTimeout === undefined ? {} : { headersTimeout }),
    ...(maxManifestSize === undefined ? {} : { maxManifestSize }),
    debug: debug === true,
    quiet: quiet === true,
    isForMachine: asksForMachineFormat(values),
  }
}

/** Nothing is done in less than one attempt. */
function parseAttempts(text: string): number {
  return text === '0' ? 1 : parseCount(text)
}

/** Reads a whole number of at least 1. */
export function parseCount(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError(`"${text}" is not a whole number of at least 1`)
  return Number(text)
}

const DURATION_UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Reads a duration such as `500ms`, `30s`, `5m` or `1h30m` into milliseconds; a bare number is seconds. */
export function parseDuration(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000
  if (!/^(?:\d{1,9}(?:\.\d{1,3})?(?:ms|s|m|h))+$/.test(text)) {
    throw new InvalidArgumentError(`"${text}" is not a duration such as 30s or 5m`)
  }
  let total = 0
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
    total += Number(amount) * (DURATION_UNITS[unit ?? 's'] ?? 0)
  }
  return total
}

const SIZE_UNITS = ['', 'k', 'm', 'g', 't']

/** Reads a size such as `4MiB`, `1G` or `512` into bytes; every unit counts by 1024. */
export function parseSize(text: string): number {
  const [, amount, unit = ''] = /^(\d{1,12})([kmgt]?)(?:i?b)?$/i.exec(text) ?? []
  if (amount === undefined) throw new InvalidArgumentError(`"${text}" is not a size such as 512, 4MiB or 1G`)
  return Number(amount) * 1024 ** SIZE_UNITS.indexOf(unit.toLowerCase())
}

import type { TransportEvent } from '../../registry/http/transport-event.js'

/** Which of the things that happen on the wire are shown. */
export interface TraceOptions {
  readonly debug: boolean
  readonly quiet: boolean
  /** Whether the result is for a program, which is not interested in the way to it. */
  readonly isForMachine: boolean
}

/** A line, or a block with `--debug`, for what happened on the wire; undefined where nothing is to be said. */
export function formatTrace(event: TransportEvent, { debug, quiet, isForMachine }: TraceOptions): string | undefined {
  switch (event.type) {
    case 'request':
      return debug ? formatRequest(event) : undefined
    case 'response':
      return debug ? formatResponse(event) : undefined
    case 'failure':
      return debug ? `${head('<--', 'Failure', event.id)}\n< ${event.reason}\n` : undefined
    case 'retry':
      return quiet || (isForMachine && !debug) ? undefined : formatRetry(event)
    case 'gave-up':
      // The error that follows says the same.
      return debug ? `gave up on ${event.method} ${event.url} after ${event.attempts} attempts` : undefined
    case 'warning':
      return quiet ? undefined : `WARNING: ${event.message}`
  }
}

function formatRequest(event: Extract<TransportEvent, { type: 'request' }>): string {
  return [
    head('-->', 'Request', event.id),
    `> Request URL: "${event.url}"`,
    `> Request method: "${event.method}"`,
    '> Request headers:',
    ...formatHeaders(event.headers),
    '',
  ].join('\n')
}

function formatResponse(event: Extract<TransportEvent, { type: 'response' }>): string {
  return [
    head('<--', 'Response', event.id),
    `< Response Status: "${event.status}" after ${Math.round(event.milliseconds)} ms`,
    '< Response headers:',
    ...formatHeaders(event.headers),
    '',
  ].join('\n')
}

function formatRetry(event: Extract<TransportEvent, { type: 'retry' }>): string {
  const seconds = (event.delay / 1000).toFixed(1)
  return `retrying ${event.method} ${event.url} (${event.attempt + 1}/${event.attempts}) in ${seconds} s: ${event.reason}`
}

function head(arrow: string, what: string, id: number): string {
  return `[${new Date().toISOString()}][DEBUG]: ${arrow} ${what} #${id}`
}

function formatHeaders(headers: Readonly<Record<string, string>>): string[] {
  return Object.entries(headers).map(([name, value]) => `   "${canonicalName(name)}": "${value}"`)
}

/** A header name as Go programs print it, such as `Content-Type`: those who search logs of oras look for that. */
function canonicalName(name: string): string {
  return name.toLowerCase().replace(/(?:^|-)[a-z]/g, (start) => start.toUpperCase())
}

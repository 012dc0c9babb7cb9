import { redactSecrets } from '../../util/redact.js'
import { visibleLine } from '../../util/visible-text.js'
import type { Answer } from './answer.js'
import { shownText } from './sent-secrets.js'
import type { OnTransportEvent } from './transport-event.js'

/** Longest text that is passed on, in bytes (distribution-spec, "Warnings"). */
const MAX_LENGTH = 4096
/** Texts that are remembered; a registry that never says the same twice is cut off there. */
const MAX_WARNINGS = 100

/** Passes the warnings of a registry on, each text once. */
export class Warnings {
  readonly #onEvent: OnTransportEvent
  readonly #seen = new Set<string>()

  constructor(onEvent: OnTransportEvent) {
    this.#onEvent = onEvent
  }

  /** Looks for warnings in a response of the registry itself. */
  note(answer: Answer): void {
    for (const value of answer.headerValues('warning')) {
      // Before it is taken apart, too: a secret with a quote in it would end the text in the middle.
      parseWarnings(shownText(answer, value), answer.shown).forEach((message) => this.report(message))
    }
  }

  /** Passes on a text that is safe to print, unless it was passed on before. */
  report(message: string): void {
    if (this.#seen.has(message) || this.#seen.size >= MAX_WARNINGS) return
    this.#seen.add(message)
    this.#onEvent({ type: 'warning', message })
  }
}

/** The texts of `299 - "text"`, separated by commas; other codes, other agents, secrets and what is too long is left out. */
export function parseWarnings(value: string, mask: (text: string) => string = String): string[] {
  const start = '299 - "'
  if (Buffer.byteLength(value) > MAX_LENGTH) return []
  const texts: string[] = []
  let rest = value.trim()
  while (rest.startsWith(start)) {
    const { text, end } = readQuoted(rest, start.length)
    if (end === -1) break
    texts.push(visibleLine(redactSecrets(mask(text))))
    rest = rest.slice(end).replace(/^[\s,]+/, '')
  }
  return texts
}

/** Reads up to the closing quote; `end` is the place after it, or -1 when it is missing. */
function readQuoted(value: string, start: number): { readonly text: string; readonly end: number } {
  let text = ''
  for (let index = start; index < value.length; index++) {
    if (value[index] === '"') return { text, end: index + 1 }
    if (value[index] === '\\') index++
    text += value[index] ?? ''
  }
  return { text, end: -1 }
}

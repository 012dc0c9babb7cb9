import { formatJson } from '../../oci/encode-json.js'
import { visibleJson, visibleText } from '../../util/visible-text.js'
import type { Context, OutputStream } from '../context.js'

/**
 * Writes what a command has to say: results to stdout, notices to stderr. Everything that comes from outside passes
 * the escaper here, so that no command can forget it.
 */
export class Printer {
  readonly #stdout: OutputStream
  readonly #stderr: OutputStream
  readonly #isQuiet: boolean

  /** @param options.quiet says nothing but results */
  constructor(context: Pick<Context, 'stdout' | 'stderr'>, { quiet = false }: { readonly quiet?: boolean } = {}) {
    this.#stdout = context.stdout
    this.#stderr = context.stderr
    this.#isQuiet = quiet
  }

  /** Lines on stdout that say what was done, which nobody needs who asked for quiet. */
  status(text: string): void {
    if (!this.#isQuiet) this.line(text)
  }

  /** One or more lines of text on stdout. */
  line(text: string): void {
    this.#stdout.write(`${visibleText(text)}\n`)
  }

  /** Lines that carry colours of our own: whoever made them has made visible what comes from outside. */
  painted(text: string): void {
    this.#stdout.write(`${text}\n`)
  }

  /** Text on stdout without a line end, such as a prompt. */
  text(text: string): void {
    this.#stdout.write(visibleText(text))
  }

  /** Something worth knowing that is no result, on stderr. */
  notice(text: string): void {
    this.#stderr.write(`${visibleText(text)}\n`)
  }

  /** A value as JSON, indented by two spaces, on stdout. */
  json(value: unknown): void {
    this.#stdout.write(`${visibleJson(formatJson(value, 2))}\n`)
  }

  /** A value as compact JSON without a line end, or indented with one. */
  compactJson(value: unknown, pretty: boolean): void {
    if (pretty) this.json(value)
    else this.#stdout.write(visibleJson(formatJson(value)))
  }

  /** Content byte for byte; made visible only on a terminal, which must not be driven by it. */
  bytes(content: Uint8Array): void {
    if (this.#stdout.isTTY === true) this.#stdout.write(visibleText(Buffer.from(content).toString('utf8')))
    else this.#stdout.write(content)
  }
}

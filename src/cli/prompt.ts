import { createInterface, type Interface } from 'node:readline'
import { Writable } from 'node:stream'
import type { Context } from './context.js'
import { Printer } from './output/printer.js'

/** Asks questions on stdout and reads the answers, line by line, from one stdin. */
export class Prompt {
  readonly #context: Context
  readonly #printer: Printer
  readonly #lines: Interface
  readonly #answers: AsyncIterator<string>
  /** Stdin had been read to its end before: no line comes from there, and no end either. */
  readonly #isOver: boolean
  #isUnanswered = false

  constructor(context: Context) {
    this.#context = context
    this.#printer = new Printer(context)
    this.#isOver = context.stdin.readableEnded || context.stdin.destroyed
    // On a terminal the line editor echoes what is typed into its output: nowhere.
    const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
    this.#lines = createInterface({ input: context.stdin, output: nowhere, terminal: context.stdin.isTTY === true })
    this.#answers = this.#lines[Symbol.asyncIterator]()
    this.#lines.once('SIGINT', () => process.kill(process.pid, 'SIGINT'))
    context.signal.addEventListener('abort', this.#stop, { once: true })
  }

  /**
   * Asks for something that others may see.
   * @returns the answer without its line end; empty at the end of the input
   */
  async ask(question: string): Promise<string> {
    this.#printer.text(question)
    return this.#read((typed) => this.#printer.text(typed))
  }

  /** Asks for a secret: what is typed is not shown. */
  async askSecret(question: string): Promise<string> {
    this.#printer.text(question)
    return this.#read(() => undefined)
  }

  /** Asks a question that only a clear yes answers with yes; the end of the input does not. */
  async confirm(question: string): Promise<boolean> {
    const answer = await this.ask(`${question} [y/N] `)
    const isYes = /^\s*(?:y|yes)\s*$/i.test(answer)
    if (!isYes) this.#printer.line(this.isUnanswered ? '' : 'Operation cancelled.')
    return isYes
  }

  /** Whether the last question met the end of an input that nobody types. */
  get isUnanswered(): boolean {
    return this.#isUnanswered
  }

  /** Gives stdin back. */
  close(): void {
    this.#context.signal.removeEventListener('abort', this.#stop)
    this.#lines.close()
  }

  readonly #stop = (): void => this.#lines.close()

  async #read(echo: (typed: string) => void): Promise<string> {
    const { stdin, signal } = this.#context
    this.#isUnanswered = this.#isOver && stdin.isTTY !== true
    if (this.#isOver) return ''
    const onKey = (text: string | undefined) => echo(text ?? '')
    if (stdin.isTTY === true) stdin.on('keypress', onKey)
    try {
      const answer = await this.#answers.next()
      signal.throwIfAborted()
      this.#isUnanswered = answer.done === true && stdin.isTTY !== true
      return answer.done === true ? '' : answer.value
    } finally {
      stdin.off('keypress', onKey)
      if (stdin.isTTY === true) this.#printer.line('')
    }
  }
}

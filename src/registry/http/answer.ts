import type { CredentialRefusal } from '../auth/refused-credentials.js'
import type { AnswerContent, Method, RegistryAnswer } from './transport.js'

/** Bytes of an unwanted body that are read for the sake of the connection; beyond them closing it is cheaper. */
const MAX_DISCARDED = 64 * 1024
/** Milliseconds that an unwanted body gets to end. */
const MAX_DISCARD_TIME = 2_000

/** Headers as the connection delivers them: names in lower case, a list where a name came several times. */
export type HeaderValues = Readonly<Record<string, string | string[] | undefined>>

/** What an answer consists of. */
export interface AnswerParts {
  readonly headers: HeaderValues
  readonly body: AnswerContent
  readonly attempts?: number
  readonly refusal?: CredentialRefusal
  readonly shown?: (text: string) => string
}

/** An answer of any host. */
export class Answer implements RegistryAnswer {
  constructor(
    readonly status: number,
    readonly method: Method,
    readonly url: string,
    readonly content: AnswerParts,
  ) {}

  get body(): AnswerContent {
    return this.content.body
  }

  get attempts(): number {
    return this.content.attempts ?? 1
  }

  get refusal(): CredentialRefusal | undefined {
    return this.content.refusal
  }

  header(name: string): string | undefined {
    return this.headerValues(name)[0]
  }

  headerList(name: string): string | undefined {
    const values = this.headerValues(name)
    return values.length === 0 ? undefined : values.join(', ')
  }

  /** Every value of a header, in the order of arrival. */
  headerValues(name: string): readonly string[] {
    const value = this.content.headers[name.toLowerCase()]
    if (value === undefined) return []
    return typeof value === 'string' ? [value] : value
  }

  get shown(): ((text: string) => string) | undefined {
    return this.content.shown
  }

  /** The same answer with the mask that its texts are shown through. */
  withShown(shown: (text: string) => string): Answer {
    return new Answer(this.status, this.method, this.url, { ...this.content, shown })
  }

  /** The same answer with the number of attempts that it took. */
  withAttempts(attempts: number): Answer {
    return new Answer(this.status, this.method, this.url, { ...this.content, attempts })
  }

  /** The same answer with why it was refused. */
  withRefusal(refusal: CredentialRefusal): Answer {
    return new Answer(this.status, this.method, this.url, { ...this.content, refusal })
  }

  async discard(): Promise<void> {
    const { body } = this
    const length = Number(this.header('content-length'))
    if (this.method !== 'HEAD' && length > MAX_DISCARDED) {
      body.destroy()
      return
    }
    await drain(body)
  }
}

async function drain(body: AnswerContent): Promise<void> {
  const timer = setTimeout(() => body.destroy(), MAX_DISCARD_TIME)
  let size = 0
  try {
    for await (const chunk of body) {
      size += chunk.byteLength
      if (size > MAX_DISCARDED) break
    }
  } catch {
    // Nobody wants this body, so nobody wants to know why it broke off.
  } finally {
    clearTimeout(timer)
  }
}

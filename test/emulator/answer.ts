import type { Readable } from 'node:stream'

/** What goes back to the client; the names of headers are in lower case. */
export interface EmulatedAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  /** A stream that fails cuts the connection, after what came before has been sent. */
  readonly body: Buffer | Readable
}

type Headers = Readonly<Record<string, string>>

const NOTHING = Buffer.alloc(0)

/** An answer without a body. */
export function emptyAnswer(status: number, headers: Headers = {}): EmulatedAnswer {
  return { status, headers: status === 204 ? headers : { 'content-length': '0', ...headers }, body: NOTHING }
}

/** An answer with a text of some type. */
export function textAnswer(status: number, text: string, headers: Headers = {}): EmulatedAnswer {
  const body = Buffer.from(text)
  const own = { 'content-type': 'text/plain; charset=utf-8', 'content-length': String(body.length) }
  return { status, headers: { ...own, ...headers }, body }
}

export function jsonAnswer(status: number, value: unknown, headers: Headers = {}): EmulatedAnswer {
  return textAnswer(status, JSON.stringify(value), { 'content-type': 'application/json', ...headers })
}

/** An error in the form of the distribution-spec ("Error Codes"). */
export function errorAnswer(status: number, code: string, message: string, headers: Headers = {}): EmulatedAnswer {
  return jsonAnswer(status, { errors: [{ code, message }] }, headers)
}

/** The answer with other headers; undefined removes one. */
export function withHeaders(
  answer: EmulatedAnswer,
  changes: Readonly<Record<string, string | readonly string[] | undefined>>,
): EmulatedAnswer {
  const entries = Object.entries({ ...answer.headers, ...changes })
  const headers = Object.fromEntries(entries.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
  return { ...answer, headers }
}

/** The answer with another body, and the length that belongs to it. */
export function withBody(answer: EmulatedAnswer, body: Buffer): EmulatedAnswer {
  return withHeaders({ ...answer, body }, { 'content-length': String(body.length) })
}

/** Everything that a body holds. */
export async function readBody({ body }: EmulatedAnswer): Promise<Buffer> {
  if (Buffer.isBuffer(body)) return body
  const chunks: Buffer[] = []
  for await (const chunk of body) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** Lets go of a body that nobody wants. */
export function dropBody({ body }: EmulatedAnswer): void {
  if (!Buffer.isBuffer(body)) body.destroy()
}

/** A header that comes once. */
export function headerOf({ headers }: EmulatedAnswer, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? value : value?.[0]
}

import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Bytes } from '../../util/bytes.js'
import { visibleText } from '../../util/visible-text.js'
import type { Context } from '../context.js'

/** Large content streams, byte for byte; only on a terminal, which must not be driven by it, it is made visible. */
export async function writeToStdout(content: Bytes, { stdout }: Context): Promise<void> {
  const shown = stdout.isTTY === true ? visible(content) : content
  await pipeline(Readable.from(shown, { objectMode: false }), stdout, { end: false })
}

async function* visible(content: Bytes): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  for await (const chunk of content) {
    const decoded = decoder.decode(chunk, { stream: true })
    if (decoded !== '') yield visibleText(decoded)
  }
  const rest = decoder.decode()
  if (rest !== '') yield visibleText(rest)
}

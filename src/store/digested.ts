import type { Digester } from '../oci/digest.js'
import type { Bytes } from '../util/bytes.js'

/** The same content, digested on the way. */
export async function* digested(content: Bytes, digester: Digester): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of content) {
    digester.update(chunk)
    yield chunk
  }
}

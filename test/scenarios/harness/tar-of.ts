import { buffer } from 'node:stream/consumers'
import { pack } from 'tar-stream'

/** A tar archive of one file; the same bytes on every machine. */
export async function tarOf(name: string, content: string): Promise<Buffer> {
  const tar = pack()
  tar.entry({ name, mtime: new Date(0) }, content)
  tar.finalize()
  return buffer(tar)
}

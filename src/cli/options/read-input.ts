import { MAX_MANIFEST_SIZE } from '../../oci/manifest.js'
import { collectBytes } from '../../util/bytes.js'
import type { Context } from '../context.js'
import { UsageError } from '../usage-error.js'
import { readDocument } from './text-file.js'

/** Longest secret that is read; registry tokens are a few KiB. */
const MAX_SECRET_SIZE = 1024 * 1024

/** Refuses to read two things from one stdin. */
export function checkStdinUse(values: object): void {
  for (const flag of ['password-stdin', 'identity-token-stdin']) {
    const key = flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
    if ((values as Record<string, unknown>)[key] === true) {
      throw new UsageError(
        `\`-\` read file from input and \`--${flag}\` read ${flag.replace(/-stdin$/, '').replace('-', ' ')} from input cannot be both used`,
      )
    }
  }
}

/** Reads a manifest whole: a file, or stdin for `-`. */
export async function readManifestFile(
  file: string,
  context: Context,
  { maxManifestSize, ...flags }: Readonly<Record<string, unknown>>,
): Promise<Uint8Array> {
  const limit = typeof maxManifestSize === 'number' ? maxManifestSize : MAX_MANIFEST_SIZE
  if (file !== '-') return readDocument(file, limit)
  checkStdinUse(flags)
  return collectBytes(readStdin(context), limit, 'manifest on stdin')
}

/** Reads a secret from stdin whole; one line end at its end is not part of it. */
export async function readSecret(context: Context): Promise<string> {
  const bytes = await collectBytes(readStdin(context), MAX_SECRET_SIZE, 'secret on stdin')
  return Buffer.from(bytes)
    .toString('utf8')
    .replace(/\r?\n$/, '')
    .replace(/\r$/, '')
}

/**
 * Everything on stdin, piece by piece. Ends with the reason of the context's signal as soon as that fires: what may come
 * later on a pipe that stays open is not waited for, and does not keep the process alive.
 */
export async function* readStdin({ stdin, signal }: Context): AsyncGenerator<Uint8Array> {
  const stop = (): void => void stdin.destroy()
  signal.addEventListener('abort', stop, { once: true })
  try {
    signal.throwIfAborted()
    for await (const chunk of stdin) yield chunk as Uint8Array
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

import type { Context } from '../context.js'

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

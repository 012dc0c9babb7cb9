import { collectBytes } from '../../index.js'
import type { Context } from '../context.js'
import { readStdin } from './read-stdin.js'

/** Longest secret that is read; registry tokens are a few KiB. */
const MAX_SECRET_SIZE = 1024 * 1024

/** Reads a secret from stdin whole; one line end at its end is not part of it. */
export async function readSecret(context: Context): Promise<string> {
  const bytes = await collectBytes(readStdin(context), MAX_SECRET_SIZE, 'secret on stdin')
  return Buffer.from(bytes)
    .toString('utf8')
    .replace(/\r?\n$/, '')
    .replace(/\r$/, '')
}

import { readFile } from 'node:fs/promises'
import { collectBytes, GantryError, MAX_MANIFEST_SIZE } from '../../index.js'
import type { Context } from '../context.js'
import { UsageError } from '../usage-error.js'
import { readStdin } from './read-stdin.js'
import { reasonOf } from './text-file.js'

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

/** Reads a small document whole: a file, or stdin for `-`. */
export async function readInput(file: string, context: Context, values: object): Promise<Uint8Array> {
  if (file === '-') {
    checkStdinUse(values)
    return collectBytes(readStdin(context), MAX_MANIFEST_SIZE, 'manifest on stdin')
  }
  try {
    const bytes = await readFile(file)
    if (bytes.byteLength <= MAX_MANIFEST_SIZE) return bytes
  } catch (cause) {
    throw new GantryError('file-error', `open ${file}: ${reasonOf(cause)}`, { cause })
  }
  throw new GantryError('limit-exceeded', `${file} exceeds the limit of ${MAX_MANIFEST_SIZE} bytes`)
}

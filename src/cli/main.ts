import type { Context } from './context.js'
import { keepCode, loadProgram } from './load-program.js'
import { printVersion } from './version.js'

/**
 * Runs one command line.
 * @param words what follows the program's name
 * @returns the exit code: 0 done, 1 failed, 2 wrong usage, 3 part of the work failed, 4 conflict, 5 not authorised,
 *   130 interrupted
 */
export async function main(words: readonly string[], context: Context): Promise<number> {
  if (words.length === 1 && (words[0] === 'version' || words[0] === '--version')) {
    printVersion(context)
    return 0
  }
  const { runProgram } = await loadProgram(context)
  const code = await runProgram(words, context)
  keepCode()
  return code
}

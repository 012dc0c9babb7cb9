import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TempFile } from '../../index.js'
import type { Context } from '../context.js'
import type { Session } from '../session.js'
import { readStdin } from './read-stdin.js'

/**
 * Writes all of stdin to a temporary file, which goes with the session: content has to be opened again after a retry,
 * and stdin cannot be.
 * @returns the path of the file
 */
export async function spoolStdin(context: Context, session: Session): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-stdin-'))
  session.closeLater({ close: () => rm(folder, { recursive: true, force: true }) })
  const path = join(folder, 'stdin')
  const file = await TempFile.create(path, { mode: 0o600 })
  try {
    for await (const chunk of readStdin(context)) await file.write(chunk)
    await file.publish({ syncFolder: false })
  } catch (error) {
    await file.discard()
    throw error
  }
  return path
}

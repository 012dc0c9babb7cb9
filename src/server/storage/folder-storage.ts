import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { GantryError } from '../../errors.js'
import { isSystemError, withFileErrors } from '../../util/file-error.js'
import { acquireFileLock } from '../../util/file-lock.js'
import { makeFolder } from '../../util/make-folder.js'
import { FolderContent } from './folder-content.js'
import { IndexedStorage, type ChangeLog } from './indexed-storage.js'
import { Journal } from './journal.js'
import { RepositoryIndex } from './repository-index.js'
import type { RegistryStorage } from './storage.js'

const JOURNAL = 'journal.jsonl'

/** A lock that is held by a running process will not be given back soon. */
const LOCK_TIMEOUT = 1_000

/**
 * Opens a folder as a storage, and makes it when it is not there. One process at a time uses it.
 *
 * ```
 * lock                      who uses the folder
 * journal.jsonl             every change, one line of JSON each, behind a line that names the format
 * blobs/<algorithm>/<hex>   content, shared by all repositories
 * uploads/                  content that is arriving
 * ```
 *
 * Content is written aside, made durable and renamed before the journal names it, and a change counts once its line is
 * durable. So the process may be killed at any time: what was acknowledged is there, and what was not is cut off or
 * removed when the folder is opened again. Names of repositories and tags stand in the journal alone, never in a path.
 * @throws GantryError `locked` when another process uses the folder; `invalid-argument` when it holds something else;
 *   `invalid-content` when it has been damaged; `file-error`
 */
export async function openFolderStorage(folder: string): Promise<RegistryStorage> {
  await withFileErrors('create', folder, () => makeFolder(folder, 0o700))
  await checkFolder(folder)
  const release = await acquireFileLock(join(folder, 'lock'), { timeout: LOCK_TIMEOUT })
  try {
    const index = new RepositoryIndex()
    const journal = await openJournal(join(folder, JOURNAL), index)
    try {
      return new IndexedStorage(index, await openContent(folder, index), withRelease(journal, release))
    } catch (error) {
      await journal.close()
      throw error
    }
  } catch (error) {
    await release()
    throw error
  }
}

async function openContent(folder: string, index: RepositoryIndex): Promise<FolderContent> {
  const { content, digests } = await FolderContent.open(folder, (digest) => index.isUsed(digest))
  for (const digest of index.usedDigests()) {
    if (digests.has(digest)) continue
    throw new GantryError('invalid-content', `${folder} does not hold ${digest} any more, which its journal names`)
  }
  return content
}

/** What lies in a folder is only ever removed when it is known to be a registry's. */
async function checkFolder(folder: string): Promise<void> {
  const names = await withFileErrors('list', folder, () => readdir(folder))
  const foreign = names.filter((name) => !name.startsWith('lock') && !name.startsWith('.gantry-'))
  if (foreign.length === 0 || foreign.includes(JOURNAL)) return
  throw new GantryError('invalid-argument', `${folder} is not empty, and holds no registry`, {
    hint: 'Name a new or empty folder.',
  })
}

async function openJournal(path: string, index: RepositoryIndex): Promise<Journal> {
  try {
    return await Journal.open(path, index)
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error
    await Journal.create(path)
    return Journal.open(path, index)
  }
}

function withRelease(journal: Journal, release: () => Promise<void>): ChangeLog {
  return {
    append: (change) => journal.append(change),
    close: async () => {
      await journal.close()
      await release()
    },
  }
}

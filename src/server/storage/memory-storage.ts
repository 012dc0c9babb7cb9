import { IndexedStorage } from './indexed-storage.js'
import { MemoryContent } from './memory-content.js'
import { RepositoryIndex } from './repository-index.js'
import type { RegistryStorage } from './storage.js'

/** A storage that is gone with the process. */
export function createMemoryStorage(): RegistryStorage {
  return new IndexedStorage(new RepositoryIndex(), new MemoryContent())
}

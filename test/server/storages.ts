import type { RegistryServerOptions } from '../../src/server/registry-server.js'
import { temporaryFolder } from '../util/temporary-folder.js'

/** The two places where a registry can keep its content; for `describe.each`. */
export const STORAGES: readonly { readonly name: string; readonly options: () => RegistryServerOptions }[] = [
  { name: 'in memory', options: () => ({}) },
  { name: 'in a folder', options: () => ({ folder: temporaryFolder() }) },
]

import { realpath } from 'node:fs/promises'
import type { RegistrySettings } from '../credentials/registry-settings.js'
import type { TransportOptions } from '../registry/http/transport-options.js'
import { withFileErrors } from '../util/file-error.js'
import { readSmallFile } from '../util/read-file.js'

/** The options of a connection that a registry's settings can stand in for. */
export type SettledOptions = Pick<
  TransportOptions,
  'plainHttp' | 'tls' | 'trustedAuthHosts' | 'chunkSize' | 'concurrency'
>

const MAX_CA_FILE_SIZE = 1024 * 1024

/**
 * Fills in what a call does not say from what the user has settled for the registry. Token services add up; a file with
 * certificate authorities counts unless the call names some, or plain HTTP.
 * @throws GantryError `file-error` when that file cannot be read
 */
export async function settledAccess(given: SettledOptions, settings: RegistrySettings): Promise<SettledOptions> {
  const {
    plainHttp = settings.plainHttp,
    tls = {},
    trustedAuthHosts = [],
    chunkSize = settings.chunkSize,
    concurrency = settings.concurrency,
  } = given
  const { caFile, authHosts = [] } = settings
  const needsFile = caFile !== undefined && plainHttp !== true && tls.replaceRoots !== true
  const ca = needsFile ? await readAuthorities(caFile) : undefined
  return {
    plainHttp,
    tls: ca === undefined ? tls : { ...tls, ca: [...(tls.ca ?? []), ca], replaceRoots: true },
    trustedAuthHosts: [...new Set([...trustedAuthHosts, ...authHosts])],
    chunkSize,
    concurrency,
  }
}

/** Certificates that a cluster or a package manager provides are links. */
async function readAuthorities(path: string): Promise<string> {
  const target = await withFileErrors('read', path, () => realpath(path))
  return new TextDecoder().decode(await readSmallFile(target, MAX_CA_FILE_SIZE))
}

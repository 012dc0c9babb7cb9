import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { env } from 'node:process'

/** Where `scripts/peers` puts what it builds. */
export const peersFolder =
  env.GANTRY_PEERS_DIR ?? env.PEERS_DIR ?? join(env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'gantry-peers')

/** The path of a program of others, or undefined where it is not installed. */
export function findPeer(name: string): string | undefined {
  const folders = [peersFolder, ...(env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')]
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
}

/**
 * The path of a program of others for a suite that is about it; undefined where it is not installed, so that the suite
 * is left out. Where GANTRY_REQUIRE_PEERS is set, what is missing is an error.
 */
export function requestPeer(name: string): string | undefined {
  const path = findPeer(name)
  if (path === undefined && env.GANTRY_REQUIRE_PEERS === '1') {
    throw new Error(`${name} is not installed; scripts/peers ${name} does it`)
  }
  return path
}

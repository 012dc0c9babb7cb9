import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createCrane } from './crane.js'
import { createGantry } from './gantry.js'
import { createOras } from './oras.js'
import { createRegctl } from './regctl.js'
import { createSkopeo } from './skopeo.js'

/**
 * A tool, and the commands by which it does each task; it has no member for what it cannot do. `tune` gives the settings
 * that its documentation offers to make it faster: so many jobs at a time.
 * @typedef {{
 *   name: string,
 *   isOurs?: boolean,
 *   version: () => { program: string, words: string[] },
 *   readVersion: (text: string) => string | undefined,
 *   tune?: (jobs: number, task: string) => { label: string, jobs: number } | undefined,
 *   [task: string]: unknown,
 * }} Tool
 */

const { GANTRY_PEERS_DIR, PEERS_DIR, XDG_CACHE_HOME, PATH = '' } = process.env

/** Where `scripts/peers` puts what it builds. */
const peersFolder = GANTRY_PEERS_DIR ?? PEERS_DIR ?? join(XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'gantry-peers')

const creators = { oras: createOras, crane: createCrane, regctl: createRegctl, skopeo: createSkopeo }

/** The path of a program of others, or undefined where it is not installed. */
export function findPeer(name) {
  return [peersFolder, ...PATH.split(delimiter).filter((folder) => folder !== '')]
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path))
}

/**
 * Every tool that is there, ours first.
 * @param {{ name: string, path: string, profiles?: string }[]} ours
 * @param {string[] | undefined} names only these
 * @returns {Promise<Tool[]>}
 */
export async function findTools(ours, names) {
  const unknown = names?.find((name) => creators[name] === undefined && !ours.some((own) => own.name === name))
  if (unknown !== undefined) throw new Error(`there is no tool called ${unknown}`)
  const tools = ours.map(createGantry)
  for (const [name, create] of Object.entries(creators)) {
    const path = findPeer(name)
    if (path !== undefined) tools.push(await create(path))
  }
  return tools.filter(({ name }) => names === undefined || names.includes(name))
}

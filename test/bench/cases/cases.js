import { embeddedCases } from './embedded.js'
import { folderCases } from './folder.js'
import { growthCases } from './growth.js'
import { memoryCases } from './memory.js'
import { referrerCases } from './referrers.js'
import { startCases } from './start.js'
import { transferCases } from './transfer.js'

/**
 * Something to be measured. `repeat` multiplies the rounds, for what is over in no time. `limits` judges the rows where
 * what is to be reached is no ratio against others.
 * @typedef {{
 *   id: string,
 *   title: string,
 *   repeat?: number,
 *   goals?: Goal[],
 *   limits?: (rows: import('../results.js').Row[]) => import('../results.js').Verdict[],
 *   setUp: (bench: Bench) => Promise<import('../contenders.js').Contender[]>,
 * }} Case
 * @typedef {{ ratio: number, of: string }} Goal of the time that a tool takes with its defaults; `best`: of the fastest
 * @typedef {{
 *   workplace: import('../workplace.js').Workplace,
 *   tools: import('../tools/tools.js').Tool[],
 *   quick: boolean,
 *   large: boolean,
 * }} Bench
 */

/** Every case, in the order in which they are run. @type {Case[]} */
export const cases = [
  ...startCases,
  ...transferCases,
  ...referrerCases,
  ...folderCases,
  ...embeddedCases,
  ...growthCases,
  ...memoryCases,
]

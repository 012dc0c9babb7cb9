/**
 * Somebody who is measured: a tool with its defaults, or one with settings that make it faster.
 * `prepare` makes ready one attempt, and says what is run, how the result is checked, what is to be tidied up, and what
 * was used where that is not what the command itself used.
 * @typedef {{
 *   label: string,
 *   tool: string,
 *   isOurs: boolean,
 *   isTuned: boolean,
 *   prepare: (attempt: Attempt) => Promise<Trial>,
 * }} Contender
 * @typedef {{ round: number, number: number }} Attempt `number` is never used twice in a case
 * @typedef {{
 *   command: object,
 *   check?: (usage: import('./measure.js').Usage) => Promise<void>,
 *   cleanUp?: () => Promise<void>,
 *   used?: (usage: import('./measure.js').Usage) => Promise<object>,
 * }} Trial
 */

/**
 * Each tool that can do a task: with its defaults, and with so many jobs at a time where it has a setting for that.
 * @param {import('./tools/tools.js').Tool[]} tools
 * @param {{ task: string, jobs?: number }} work
 * @param {(attempt: Attempt) => Promise<{ given: object } & Omit<Trial, 'command'>>} prepare `given` goes to the tool
 * @returns {Contender[]}
 */
export function toolsAtWork(tools, { task, jobs }, prepare) {
  return tools
    .filter((tool) => tool[task] !== undefined)
    .flatMap((tool) => {
      const tuned = jobs === undefined ? undefined : tool.tune?.(jobs, task)
      return [undefined, ...(tuned === undefined ? [] : [tuned])].map((settings) => ({
        label: settings === undefined ? tool.name : `${tool.name} ${settings.label}`,
        tool: tool.name,
        isOurs: tool.isOurs === true,
        isTuned: settings !== undefined,
        prepare: async (attempt) => {
          const { given, ...trial } = await prepare(attempt)
          return { ...trial, command: { ...tool[task]({ ...given, settings }), environment: trustOf(given) } }
        },
      }))
    })
}

/** Tools without a flag for it take the certificate authority from where programs in Go look for it. */
function trustOf({ source, sink }) {
  const authority = source?.authority ?? sink?.authority
  return authority === undefined ? {} : { SSL_CERT_FILE: authority }
}

/** A repository of a registry as the tools name it: with the name that means plain HTTP to most of them, or not. */
export function targetIn({ port, authority }, repository, tag = 'v1') {
  const name = `${authority === undefined ? 'localhost' : '127.0.0.1'}:${port}/${repository}`
  return { repository: name, reference: `${name}:${tag}`, ...(authority === undefined ? {} : { authority }) }
}

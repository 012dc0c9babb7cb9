// Measures gantry beside the tools that are installed (see scripts/peers); what is to be reached is a ratio, as machines
// differ. `npm run bench -- --help` tells the flags.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { cases } from './cases/cases.js'
import { describeMachine, readVersions } from './environment.js'
import { formatCase } from './format-table.js'
import { measureCase } from './measure-case.js'
import { isReached } from './results.js'
import { findPeer, findTools } from './tools/tools.js'
import { Workplace } from './workplace.js'

const help = `Usage: npm run bench -- [flags]

  --case PATTERN     only cases whose name matches; several, or a regular expression
  --rounds N         how often each tool runs, in turn with the others (default: 3)
  --tools NAMES      only these, as in gantry,oras
  --json FILE        write everything that was measured
  --quick            small amounts and one round: sees that everything works, and judges no times
  --large            with a blob of 8 GiB in the cases about memory
  --also NAME=PATH   measure another bin/gantry.js too, such as that of an older version
  --profile FOLDER   let gantry write profiles of the processor (*.cpuprofile), which makes it slower
  --list             the names of the cases
`

const { values } = parseArgs({
  options: {
    case: { type: 'string', multiple: true },
    rounds: { type: 'string' },
    tools: { type: 'string' },
    json: { type: 'string' },
    quick: { type: 'boolean', default: false },
    large: { type: 'boolean', default: false },
    also: { type: 'string', multiple: true, default: [] },
    profile: { type: 'string' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

if (values.help) process.stdout.write(help)
else if (values.list) for (const { id, title } of cases) console.log(`${id.padEnd(26)}${title}`)
else process.exitCode = await run()

async function run() {
  const { quick, large } = values
  const rounds = Number(values.rounds ?? (quick ? 1 : 3))
  if (!Number.isSafeInteger(rounds) || rounds < 1) throw new Error(`--rounds ${values.rounds} is no number of rounds`)
  const selected = selectCases()
  requireRegistries()
  const gantry = join(import.meta.dirname, '../../bin/gantry.js')
  const tools = await findTools(ourBuilds(gantry), values.tools?.split(','))
  const workplace = await Workplace.create(gantry)
  const interrupt = () => process.exit(130)
  process.once('SIGINT', interrupt)
  try {
    const versions = await readVersions(workplace, tools)
    const machine = describeMachine(workplace.folder)
    console.log(
      `${machine}\n${Object.entries(versions)
        .map((entry) => entry.join(' '))
        .join(', ')}\n`,
    )
    const results = []
    for (const benchCase of selected) {
      const result = await measureCase(
        benchCase,
        { workplace, tools, quick, large },
        quick ? 1 : rounds * (benchCase.repeat ?? 1),
      )
      console.log(formatCase({ ...result, judged: !quick }))
      results.push(result)
    }
    const report = { date: new Date().toISOString(), machine, versions, rounds, quick, cases: results }
    if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(report, null, 1)}\n`)
    return summarize(results, quick)
  } finally {
    process.off('SIGINT', interrupt)
    await workplace.leave()
  }
}

function selectCases() {
  const patterns = values.case?.map((pattern) => new RegExp(pattern))
  const selected = cases.filter(({ id }) => patterns?.some((pattern) => pattern.test(id)) ?? true)
  if (selected.length === 0) throw new Error(`no case is called ${values.case.join(' or ')}; see --list`)
  return selected
}

function ourBuilds(path) {
  const others = values.also.map((text) => {
    const [name = '', place = ''] = text.split('=', 2)
    return { name, path: place }
  })
  return [{ name: 'gantry', path, ...(values.profile === undefined ? {} : { profiles: values.profile }) }, ...others]
}

function requireRegistries() {
  const missing = ['registry', 'olareg'].filter((name) => findPeer(name) === undefined)
  if (missing.length > 0) throw new Error(`there is no ${missing.join(' and no ')}: scripts/peers ${missing.join(' ')}`)
}

/** @returns {number} the exit code: 1 when something of ours does not work; a ratio that is missed is no failure */
function summarize(results, quick) {
  const ours = results.flatMap(({ id, failures }) =>
    failures.filter(({ isOurs }) => isOurs).map(({ label }) => `${label} in ${id}`),
  )
  if (!quick) {
    const verdicts = results.flatMap(({ id, verdicts: of }) => of.map((verdict) => ({ id, ...verdict })))
    const missed = verdicts.filter((verdict) => !isReached(verdict))
    console.log(`${verdicts.length - missed.length} of ${verdicts.length} goals reached`)
    if (missed.length > 0) console.log(`missed: ${[...new Set(missed.map(({ id }) => id))].join(', ')}`)
  }
  if (ours.length > 0) console.log(`FAILED: ${ours.join(', ')}`)
  return ours.length > 0 ? 1 : 0
}

// Writes docs/commands-compared.md: the commands and flags of oras and crane, and what gantry has for each.
// `--check` says whether it is written already, and fails for what nobody has looked at.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { loadTypeScript } from './load-typescript.js'

const root = join(import.meta.dirname, '..')
const target = join(root, 'docs/commands-compared.md')

const { compareCommands, describeComparison, tree } = await loadTypeScript([
  `export { compareCommands, describeComparison } from './test/cli/compared/compare-commands.js'`,
  `export { COMMAND_TREE as tree } from './src/cli/command-tree.js'`,
])
const parts = []
const open = []
for (const name of ['oras', 'crane']) {
  const tool = await readFixture(`${name}.json`)
  const comparison = await compareCommands(tool, tree, await readFixture(`${name}-reviewed.json`))
  parts.push(describeComparison(tool, comparison))
  open.push(...comparison.open.map((text) => `${name}: ${text}`))
}
const text = await format(`${head()}\n${parts.join('\n')}`, { ...(await resolveConfig(target)), parser: 'markdown' })
for (const line of open) console.error(line)
if (open.length > 0) process.exitCode = 1

if (process.argv.includes('--check')) {
  const written = await readFile(target, 'utf8').catch(() => '')
  if (written !== text) {
    console.error('docs/commands-compared.md is not what the commands say: run `npm run compared-commands`')
    process.exitCode = 1
  }
} else {
  await mkdir(join(root, 'docs'), { recursive: true })
  await writeFile(target, text)
}

function head() {
  return `<!-- Written by scripts/compared-commands.js. Do not edit. -->

# Commands compared with oras and crane

What gantry has for each command and flag of the two tools. Unless a row says otherwise, a flag has the same name and
the same letter.
`
}

async function readFixture(name) {
  return JSON.parse(await readFile(join(root, 'fixtures/commands', name), 'utf8'))
}

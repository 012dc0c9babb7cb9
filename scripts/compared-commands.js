// Writes docs/commands-compared.md: the commands and flags of oras and crane, and what gantry has for each.
// `--check` says whether it is written already, and fails for what nobody has looked at.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { format, resolveConfig } from 'prettier'

const root = join(import.meta.dirname, '..')
const target = join(root, 'docs/commands-compared.md')

const { compareCommands, describeComparison, tree } = await load()
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

/** The comparison and the tree of commands, bundled as they are TypeScript. */
async function load() {
  const folder = await mkdtemp(join(root, 'node_modules/.compared-commands-'))
  try {
    const outfile = join(folder, 'compared.mjs')
    const contents = [
      `export { compareCommands, describeComparison } from './test/cli/compared/compare-commands.js'`,
      `export { COMMAND_TREE as tree } from './src/cli/command-tree.js'`,
    ]
    await build({
      stdin: { contents: contents.join('\n'), resolveDir: root, loader: 'ts' },
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      packages: 'external',
      define: { GANTRY_VERSION: '""' },
      logLevel: 'warning',
    })
    return await import(pathToFileURL(outfile).href)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

// Writes src/cli/command-tree.ts from the files in src/cli/commands: the path of a file is the name of its command.
// `--check` says whether it is written already.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { loadTypeScript } from './load-typescript.js'

const root = join(import.meta.dirname, '..')
const target = join(root, 'src/cli/command-tree.ts')

const files = (await filesIn('')).sort()
const { commands, groups } = await load(files)
const text = await format(source(), { ...(await resolveConfig(target)), parser: 'typescript' })

if (process.argv.includes('--check')) {
  if ((await readFile(target, 'utf8')) !== text) {
    console.error('src/cli/command-tree.ts is not what the commands say: run `npm run command-tree`')
    process.exitCode = 1
  }
} else {
  await writeFile(target, text)
}

/** The names of commands: paths of files without their ending. */
async function filesIn(folder) {
  const entries = await readdir(join(root, 'src/cli/commands', folder), { withFileTypes: true })
  const names = await Promise.all(
    entries.map(async (entry) => {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      return entry.isDirectory() ? filesIn(path) : [path.replace(/\.ts$/, '')]
    }),
  )
  return names.flat()
}

/** The commands themselves, which know their summaries and aliases. */
async function load(names) {
  const loaded = await loadTypeScript([
    ...names.map((name, index) => `import c${index} from './src/cli/commands/${name}.js'`),
    `export { COMMAND_GROUPS as groups } from './src/cli/command-groups.js'`,
    `export const commands = [${names.map((_, index) => `c${index}`).join(', ')}]`,
  ])
  return { commands: new Map(names.map((name, index) => [name, loaded.commands[index]])), groups: loaded.groups }
}

function source() {
  return `// Written by scripts/command-tree.js from the files in commands/. Do not edit.
import type { CommandGroup } from './command.js'

/** Every command of gantry. Each module is imported only when its command is called. */
export const COMMAND_TREE: CommandGroup = ${group('', 'gantry')}
`
}

function group(folder, name) {
  const { summary, aliases, stage } = groups[folder] ?? {}
  if (summary === undefined) throw new Error(`src/cli/command-groups.ts says nothing of the group "${folder}"`)
  const below = files.filter((file) => folder === '' || file.startsWith(`${folder}/`))
  const inside = below.map((file) => (folder === '' ? file : file.slice(folder.length + 1)))
  const names = [...new Set(inside.map((file) => file.split('/', 1)[0]))]
  const members = names.map((member) => {
    const path = folder === '' ? member : `${folder}/${member}`
    return commands.has(path) ? entry(path, member) : group(path, member)
  })
  return object([
    ['name', JSON.stringify(name)],
    ['aliases', aliases && JSON.stringify(aliases)],
    ['stage', stage && JSON.stringify(stage)],
    ['summary', JSON.stringify(summary)],
    ['commands', `[${members.join(', ')}]`],
  ])
}

function entry(path, name) {
  const { summary, aliases, stage } = commands.get(path)
  return object([
    ['name', JSON.stringify(name)],
    ['aliases', aliases && JSON.stringify(aliases)],
    ['stage', stage && JSON.stringify(stage)],
    ['summary', JSON.stringify(summary)],
    ['load', `async () => (await import('./commands/${path}.js')).default`],
  ])
}

function object(members) {
  return `{ ${members
    .filter(([, value]) => value)
    .map(([key, value]) => `${key}: ${value}`)
    .join(', ')} }`
}

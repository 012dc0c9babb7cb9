// Writes api/*.api.md: what each entry point of the package exports, without comments, so that a review sees when the
// public surface changes. `--check` compares instead. Either way, a type in an exported signature that no entry point
// exports is an error.
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { basename, join, relative } from 'node:path'
import ts from 'typescript'

const root = join(import.meta.dirname, '..')
const folder = join(root, 'api')
const { exports } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))

/** The declarations of each entry point, by what is imported. */
const entries = new Map(
  Object.entries(exports).flatMap(([name, { types }]) =>
    types === undefined ? [] : [[`gantry${name.slice(1)}`, join(root, types.replace('./dist/types/', 'src/'))]],
  ),
)

const declarations = emitDeclarations()
const program = ts.createProgram([...entries.values()], optionsOf('tsconfig.json'), hostOf(declarations))
const checker = program.getTypeChecker()

const exported = new Map([...entries].map(([name, path]) => [name, exportsOf(path)]))
const known = new Set([...exported.values()].flatMap((symbols) => [...symbols.values()]))
const missing = new Set([...exported.values()].flatMap((symbols) => [...symbols.values()].flatMap(missingIn)))
const reports = new Map([...exported].map(([name, symbols]) => [`${fileOf(name)}.api.md`, reportOf(name, symbols)]))

for (const text of missing) console.error(`api: ${text}`)
if (process.argv.includes('--check')) await compare()
else await write()
if (missing.size > 0) process.exitCode = 1

function optionsOf(file) {
  const path = join(root, file)
  const { options, errors } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(path, ts.sys.readFile).config,
    ts.sys,
    root,
  )
  if (errors.length > 0) throw new Error(ts.formatDiagnostics(errors, ts.createCompilerHost({})))
  return options
}

/** The declarations as the package has them, without comments, by the path that they have beside their source. */
function emitDeclarations() {
  const options = { ...optionsOf('tsconfig.build.json'), removeComments: true, outDir: join(root, 'src') }
  const texts = new Map()
  const sources = [...entries.values()].map((path) => path.replace(/\.d\.ts$/, '.ts'))
  const ambient = ts.sys.readDirectory(join(root, 'src'), ['.d.ts'])
  ts.createProgram([...sources, ...ambient], options).emit(
    undefined,
    (path, text) => texts.set(path, text),
    undefined,
    true,
  )
  return texts
}

/** Reads declarations from memory, and looks at no source. */
function hostOf(texts) {
  const host = ts.createCompilerHost({})
  const isSource = (path) => path.startsWith(join(root, 'src/')) && !path.endsWith('.d.ts')
  return {
    ...host,
    fileExists: (path) => texts.has(path) || (!isSource(path) && host.fileExists(path)),
    readFile: (path) => texts.get(path) ?? host.readFile(path),
    getSourceFile: (path, version, onError) =>
      texts.has(path)
        ? ts.createSourceFile(path, texts.get(path), version, true)
        : host.getSourceFile(path, version, onError),
  }
}

/** What a file exports, by its public name. */
function exportsOf(path) {
  const module = checker.getSymbolAtLocation(program.getSourceFile(path))
  const symbols = checker.getExportsOfModule(module).map((symbol) => [symbol.name, original(symbol)])
  return new Map(symbols.sort(([first], [second]) => (first < second ? -1 : 1)))
}

function original(symbol) {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
}

/** Names that the declarations of a symbol refer to, and that cannot be imported from anywhere. */
function missingIn(symbol) {
  const found = []
  const visit = (node) => {
    if (ts.isIdentifier(node)) {
      const used = checker.getSymbolAtLocation(node)
      const target = used === undefined ? undefined : original(used)
      if (target !== undefined && isOwnAndTopLevel(target) && !known.has(target)) {
        const { fileName } = node.getSourceFile()
        found.push(`${symbol.name} (${relative(root, fileName)}) uses ${target.name}, which no entry point exports`)
      }
    }
    ts.forEachChild(node, visit)
  }
  for (const declaration of symbol.declarations) visit(declaration)
  return found
}

function isOwnAndTopLevel({ declarations: found = [] }) {
  // A constant that only brands a type is never named by anybody.
  return found.some(
    (declaration) =>
      declarations.has(declaration.getSourceFile().fileName) &&
      ts.isSourceFile(declaration.parent) &&
      !ts.isImportDeclaration(declaration),
  )
}

function reportOf(name, symbols) {
  const parts = [...symbols].map(([publicName, symbol]) => {
    const renamed = publicName === symbol.name ? '' : `// exported as ${publicName}\n`
    return `${renamed}${symbol.declarations.map(textOf).join('\n')}`
  })
  return `# What \`${name}\` exports\n\nMade by \`npm run api\`: ${symbols.size} names.\n\n\`\`\`ts\n${parts.join('\n\n')}\n\`\`\`\n`
}

function textOf(declaration) {
  const statement = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration
  return statement.getText().replace(/^export declare |^export /, '')
}

function fileOf(name) {
  return name === 'gantry' ? 'index' : basename(name)
}

async function write() {
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder)
  for (const [name, text] of reports) await writeFile(join(folder, name), text)
}

async function compare() {
  const names = new Set([...(await readdir(folder).catch(() => [])), ...reports.keys()])
  for (const name of names) {
    const kept = await readFile(join(folder, name), 'utf8').catch(() => '')
    const text = reports.get(name) ?? ''
    if (kept === text) continue
    process.exitCode = 1
    console.error(`api: ${name} does not say what is exported: run "npm run api", and look at the difference`)
    const [before, after] = [kept, text].map((one) => new Set(one.split('\n')))
    for (const line of before) if (!after.has(line)) console.error(`- ${line}`)
    for (const line of after) if (!before.has(line)) console.error(`+ ${line}`)
  }
}

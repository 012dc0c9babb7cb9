// Makes the files of the program that are loaded when a command needs them: what esbuild splits for modules is turned
// into the form that src/cli/code-loader.ts loads, whose compiled code V8 lets us keep on every version of Node.js.
import { basename, dirname, join } from 'node:path'
import { transform } from 'esbuild'

/** What every command loads is one file: each file takes a tenth of a millisecond. */
const loadedAlways = ['src/cli/program.ts', 'src/cli/run-command.ts']

/**
 * @param {import('esbuild').BuildResult} result of a build with `splitting`
 * @param {import('esbuild').TransformOptions} options of the second step
 * @returns {Promise<{ path: string, contents: Uint8Array }[]>} files with the ending `.cjs`, and what was no code
 */
export async function programFiles({ outputFiles, metafile }, options) {
  const outputs = new Map(Object.entries(metafile.outputs).map(([path, output]) => [basename(path), output]))
  const together = importedFrom(outputs, loadedAlways)
  const files = await Promise.all(
    outputFiles.map(async ({ path, text, contents }) => {
      if (!path.endsWith('.js')) return { path, contents }
      const sources = Object.keys(outputs.get(basename(path)).inputs)
      return { path: path.replace(/\.js$/, '.cjs'), code: await programFile(text, options), sources }
    }),
  )
  const inside = files.filter(({ path }) => together.has(basename(path).replace(/\.cjs$/, '.js')))
  const all = inside.map(({ path, code }) => `"./${basename(path)}":(function(exports,require,module){${code}\n})`)
  const joined = {
    path: join(dirname(inside[0].path), 'start.cjs'),
    code: `gantryFile.define({${all.join(',\n')}});module.exports=require("./program.cjs");`,
    sources: inside.flatMap(({ sources }) => sources),
  }
  return [...files.filter((file) => !inside.includes(file)), joined].map(withContents)
}

/** Names of the files that these sources are in, and of those that are loaded with them. */
function importedFrom(outputs, sources) {
  const found = new Set()
  const waiting = [...outputs.keys()].filter((name) => sources.includes(outputs.get(name).entryPoint))
  for (const name of waiting) {
    if (found.has(name)) continue
    found.add(name)
    const imports = outputs.get(name).imports.filter(({ kind, external }) => kind === 'import-statement' && !external)
    waiting.push(...imports.map(({ path }) => basename(path)))
  }
  return found
}

async function programFile(text, options) {
  const { code } = await transform(text, {
    ...options,
    format: 'cjs',
    // Files of the program are loaded by the same function, at once or later.
    supported: { 'dynamic-import': false },
    // Node.js loads a module of a millisecond for `performance`.
    define: { 'import.meta.url': 'GANTRY_MODULE_URL', 'performance.now': 'GANTRY_NOW' },
  })
  const made = withLazyBuiltins(withPlainExports(withOwnEnding(code)))
  return made
    .replaceAll('GANTRY_MODULE_URL', 'gantryFile.moduleUrl()')
    .replaceAll('GANTRY_NOW', 'gantryFile.now')
    .trimEnd()
}

function withContents({ path, contents, code, sources }) {
  if (contents !== undefined) return { path, contents }
  // The loader reads one byte for each character.
  if (/[^\0-\x7f]/.test(code)) throw new Error(`${path} is not ASCII`)
  const contained = sources
    .filter((source) => !source.startsWith('without-'))
    .map((source) => source.replace(/^.*node_modules\//, ''))
    .join(' ')
  // For whoever reads a stack trace.
  const text = `(function(exports,require,module,gantryFile){${code}\n})\n// Contains: ${contained}\n`
  return { path, contents: Buffer.from(text) }
}

/** Files of the program know each other: what one exports need not be marked as a module, and copied for it. */
function withPlainExports(code) {
  return code
    .replace(/\bmodule\.exports=__toCommonJS\((\w+)\)/, 'module.exports=$1')
    .replace(/\b__toESM\((require\("\.\/[^"]+\.cjs"\))\)/g, '$1')
    .replace(/\b0&&\(module\.exports=\{[^}]*\}\);?/, '')
}

function withOwnEnding(code) {
  return code.replace(/(\brequire\("\.\/[^"]+)\.js("\))/g, '$1.cjs$2')
}

/** Modules of Node.js are loaded when one of the properties that the file uses is first read. */
function withLazyBuiltins(code) {
  const imports = /\b(\w+)=(?:require\("(node:[\w/]+)"\)|__toESM\(require\("(node:[\w/]+)"\)\))/g
  return code.replace(imports, (whole, variable, named, name = named) => {
    const uses = [...code.matchAll(new RegExp(`(?<![\\w.$])${variable}\\b(?:\\.(\\w+))?`, 'g'))].slice(1)
    const properties = [...new Set(uses.map(([, property]) => property))].sort()
    // Where the module itself is passed on, it has to be there.
    return properties.includes(undefined)
      ? whole
      : `${variable}=gantryFile.lazyBuiltin("${name}",${JSON.stringify(properties)})`
  })
}

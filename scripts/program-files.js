// Makes the files of the program that are loaded when a command needs them: what esbuild splits for modules is turned
// into the form that src/cli/code-loader.ts loads, whose compiled code V8 lets us keep on every version of Node.js.
import { transform } from 'esbuild'

/**
 * @param {import('esbuild').BuildResult} result of a build with `splitting`
 * @param {import('esbuild').TransformOptions} options of the second step
 * @returns {Promise<{ path: string, contents: Uint8Array }[]>} files with the ending `.cjs`, and what was no code
 */
export async function programFiles({ outputFiles, metafile }, options) {
  const inputs = new Map(Object.entries(metafile.outputs).map(([path, output]) => [path, Object.keys(output.inputs)]))
  return Promise.all(
    outputFiles.map(async ({ path, text, contents }) => {
      if (!path.endsWith('.js')) return { path, contents }
      const { code } = await transform(text, {
        ...options,
        format: 'cjs',
        // Files of the program are loaded by the same function, at once or later.
        supported: { 'dynamic-import': false },
        define: { 'import.meta.url': 'GANTRY_MODULE_URL' },
      })
      const made = withLazyBuiltins(withOwnEnding(code)).replaceAll('GANTRY_MODULE_URL', 'gantryFile.moduleUrl()')
      // The loader reads one byte for each character.
      if (/[^\0-\x7f]/.test(made)) throw new Error(`${path} is not ASCII`)
      const [, sources] = [...inputs].find(([name]) => path.endsWith(`/${name}`))
      const contained = sources.map((source) => source.replace(/^.*node_modules\//, '')).join(' ')
      // For whoever reads a stack trace.
      return {
        path: path.replace(/\.js$/, '.cjs'),
        contents: Buffer.from(`${made.trimEnd()}\n// Contains: ${contained}\n`),
      }
    }),
  )
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

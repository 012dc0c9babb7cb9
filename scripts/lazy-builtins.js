import { builtinModules } from 'node:module'

/**
 * Loads Node's own modules when the code that imports them is first run. A bundle that is one file would otherwise
 * load, at every start, all that any command may ever need.
 */
export function lazyBuiltins() {
  const names = new Set(builtinModules)
  const namespace = 'lazy-builtin'
  return {
    name: 'lazy-builtins',
    setup(build) {
      build.onResolve({ filter: /^(node:)?[a-z_]+(\/[a-z_]+)?$/ }, ({ path, kind }) => {
        if (!names.has(path.replace(/^node:/, '')) || kind !== 'import-statement') return undefined
        return { path: path.replace(/^node:/, ''), namespace }
      })
      build.onLoad({ filter: /.*/, namespace }, ({ path }) => ({
        contents: `module.exports = process.getBuiltinModule('node:${path}')`,
        loader: 'js',
      }))
    },
  }
}

import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const root = join(import.meta.dirname, '..')

/**
 * Bundles a module that is written in TypeScript, and loads it.
 * @param {readonly string[]} lines the module, with paths from the root of the project
 */
export async function loadTypeScript(lines) {
  const folder = await mkdtemp(join(root, 'node_modules/.load-typescript-'))
  try {
    const outfile = join(folder, 'module.mjs')
    await build({
      stdin: { contents: lines.join('\n'), resolveDir: root, loader: 'ts' },
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

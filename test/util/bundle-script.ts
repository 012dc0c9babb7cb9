import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'

/** A TypeScript program as one JavaScript file, so that it can run as a process of its own. */
export async function bundleScript(entry: string): Promise<{ path: string; remove: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-script-'))
  const path = join(folder, 'script.mjs')
  await build({
    entryPoints: [entry],
    outfile: path,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'silent',
    // As in scripts/build.js.
    alias: { 'jsonc-parser': 'jsonc-parser/lib/esm/main.js' },
  })
  return {
    path,
    remove: () => {
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

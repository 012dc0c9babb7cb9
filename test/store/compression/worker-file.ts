import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const sources = join(import.meta.dirname, '../../../src/store/compression')

export interface WorkerFile {
  /** The worker; `gzip-blocks.js` and `compress-block.js` lie beside it. */
  readonly url: URL
  remove(): Promise<void>
}

/** The worker's program as the build makes it: one file with its libraries inside. */
export async function buildWorkerFile(): Promise<WorkerFile> {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-worker-'))
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  await build({
    entryPoints: ['gzip-worker.ts', 'gzip-blocks.ts', 'compress-block.ts'].map((name) => join(sources, name)),
    outdir: folder,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'silent',
  })
  return {
    url: pathToFileURL(join(folder, 'gzip-worker.js')),
    remove: async () => rm(folder, { recursive: true, force: true }),
  }
}

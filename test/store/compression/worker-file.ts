import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const sources = join(import.meta.dirname, '../../../src/store/compression')

export interface WorkerFile {
  /** The worker; `compress-block.mjs` lies beside it. */
  readonly url: URL
  remove(): Promise<void>
}

/** The worker's program as the build makes it: one file with its libraries inside. */
export async function buildWorkerFile(): Promise<WorkerFile> {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-worker-'))
  await build({
    entryPoints: [join(sources, 'gzip-worker.ts'), join(sources, 'compress-block.ts')],
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'silent',
  })
  return {
    url: pathToFileURL(join(folder, 'gzip-worker.mjs')),
    remove: async () => rm(folder, { recursive: true, force: true }),
  }
}

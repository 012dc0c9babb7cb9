import { readFileSync } from 'node:fs'
import { defineConfig } from 'vitest/config'

const manifest = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as { version: string }

/** A file that a machine reads the results from; people read the terminal. */
const report = process.env.GANTRY_TEST_REPORT

export default defineConfig({
  define: { GANTRY_VERSION: JSON.stringify(manifest.version) },
  test: {
    include: ['test/**/*.test.ts'],
    // What needs the programs of others is run by `npm run test:peers`.
    exclude: ['test/scenarios/peers/**'],
    provide: { registries: ['gantry'] },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Some tests watch real processes and clocks, which a busy machine may hold up; a real fault fails twice.
    retry: process.env.CI === undefined ? 0 : 1,
    // Scenarios start the built program as child processes; threads keep the rest cheap.
    pool: 'threads',
    // They wait for each other's answers more than they compute.
    maxWorkers: 4,
    reporters: report === undefined ? ['default'] : ['default', 'json'],
    ...(report === undefined ? {} : { outputFile: { json: report } }),
  },
})

declare module 'vitest' {
  export interface ProvidedContext {
    /** The registry servers that the scenarios run against. */
    registries: string[]
  }
}

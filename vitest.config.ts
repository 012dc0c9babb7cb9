import { readFileSync } from 'node:fs'
import { defineConfig, mergeConfig } from 'vitest/config'
import { RetriedTests } from './test/retried-tests.js'

const manifest = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as { version: string }

/** A file that a machine reads the results from; people read the terminal. */
const report = process.env.GANTRY_TEST_REPORT

/** What every run of tests has in common. */
export const commonConfig = defineConfig({
  define: { GANTRY_VERSION: JSON.stringify(manifest.version) },
  test: {
    // Ends a test that hangs, and measures nothing: a busy machine may take many times longer than a quiet one.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    // Some tests watch real processes and clocks, which a busy machine may hold up; a real fault fails twice.
    retry: process.env.CI === undefined ? 0 : 1,
    // Scenarios start the built program as child processes; threads keep the rest cheap.
    pool: 'threads',
    // They wait for each other's responses more than they compute.
    maxWorkers: 4,
    reporters: ['default', new RetriedTests(), ...(report === undefined ? [] : ['json'])],
    outputFile: report === undefined ? undefined : { json: report },
  },
})

/** Suites that take minutes: faults, dialects, and files that say so in their names. */
const longSuites = ['test/faults/**/*.test.ts', 'test/dialects/**/*.test.ts', 'test/**/*.long.test.ts']
/** What needs the programs of others is run by `npm run test:peers`. */
const peers = 'test/scenarios/peers/**'

export default mergeConfig(
  commonConfig,
  defineConfig({
    test: {
      provide: { registries: ['gantry'] },
      projects: [
        {
          extends: true,
          test: { name: 'short', include: ['test/**/*.test.ts'], exclude: [peers, ...longSuites] },
        },
        {
          extends: true,
          test: {
            name: 'long',
            // Properties once more, with more values.
            include: [...longSuites, 'test/**/*.property.test.ts'],
            exclude: [peers],
            env: { GANTRY_PROPERTY_RUNS: process.env.GANTRY_PROPERTY_RUNS ?? '200' },
          },
        },
      ],
    },
  }),
)

declare module 'vitest' {
  export interface ProvidedContext {
    /** The registry servers that the scenarios run against. */
    registries: string[]
  }
}

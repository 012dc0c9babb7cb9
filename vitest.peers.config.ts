import { defineConfig } from 'vitest/config'
import base from './vitest.config.js'

/** The scenarios again, on real registries, and what real clients make of our artifacts. */
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ['test/scenarios/**/*.test.ts'],
    // What the readme shows is what the embedded registry answers.
    exclude: ['test/scenarios/readme.test.ts'],
    provide: { registries: ['docker-registry', 'registry', 'olareg'] },
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})

import { defineConfig, mergeConfig } from 'vitest/config'
import { commonConfig } from './vitest.config.js'

/** The scenarios again, on real registries, and what real clients make of our artifacts. */
export default mergeConfig(
  commonConfig,
  defineConfig({
    test: {
      include: ['test/scenarios/**/*.test.ts'],
      // What the readme shows is what the embedded registry answers.
      exclude: ['test/scenarios/readme.test.ts'],
      provide: { registries: ['docker-registry', 'registry', 'olareg'] },
    },
  }),
)

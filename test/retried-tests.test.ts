import { expect, test } from 'vitest'
import type { TestCase } from 'vitest/node'
import { RetriedTests } from './retried-tests.js'

test('names the tests that passed only when they were tried again, once per run', () => {
  const lines: string[] = []
  const reporter = new RetriedTests((line) => lines.push(line))
  for (const flaky of [false, true]) {
    reporter.onTestCaseResult({
      fullName: `pull > works ${flaky ? 'at last' : 'at once'}`,
      module: { relativeModuleId: 'test/pull.test.ts' },
      diagnostic: () => ({ flaky }),
    } as unknown as TestCase)
  }
  reporter.onTestRunEnd()
  reporter.onTestRunEnd()
  expect(lines).toEqual(['Retried: test/pull.test.ts > pull > works at last'])
})

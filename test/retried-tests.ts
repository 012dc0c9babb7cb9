import type { Reporter, TestCase } from 'vitest/node'

/** Names every test that passed only when it was tried again, so that a retry is never silent. */
export class RetriedTests implements Reporter {
  readonly #names: string[] = []
  readonly #print: (line: string) => void

  /** @param print where the lines go; stdout when not given */
  constructor(print: (line: string) => void = (line) => process.stdout.write(`${line}\n`)) {
    this.#print = print
  }

  onTestCaseResult(test: TestCase): void {
    if (test.diagnostic()?.flaky === true) this.#names.push(`${test.module.relativeModuleId} > ${test.fullName}`)
  }

  onTestRunEnd(): void {
    for (const name of this.#names.splice(0)) this.#print(`Retried: ${name}`)
  }
}

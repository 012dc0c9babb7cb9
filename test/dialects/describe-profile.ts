import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CANARY, type ProfileName } from '../emulator/profiles/profile.js'
import { PROFILES } from '../emulator/profiles/profiles.js'
import { matrixLine, type Outcome } from './matrix.js'
import { OPERATIONS, Refused, type OperationName } from './operations.js'
import { REFUSALS, type Refusal } from './refusals.js'
import { expectSecretsAtHome } from './secrets.js'
import { Workbench } from './workbench.js'

/** Where the line of each registry in the matrix is written to; nowhere by default. */
const matrixFolder = process.env.GANTRY_MATRIX_FOLDER

/** Tests every operation on the emulated registries. */
export function describeProfiles(names: readonly ProfileName[]): void {
  describe.each(names)('%s', (name) => {
    const outcomes = new Map<OperationName, Outcome>()
    let bench: Workbench

    beforeAll(async () => {
      bench = await Workbench.open(PROFILES[name])
      await bench.login()
    })
    afterAll(async () => {
      await bench.close()
      if (matrixFolder === undefined) return
      await writeFile(join(matrixFolder, `${name}.json`), JSON.stringify(matrixLine(name, outcomes)))
    })

    test.each(Object.keys(OPERATIONS) as OperationName[])(`${name}: %s`, async (operation) => {
      const refusal = REFUSALS[name]?.[operation]
      if (refusal === undefined) await OPERATIONS[operation](bench)
      else await expectRefusal(bench, operation, refusal)
      expect(bench.printed).not.toContain(CANARY)
      expectSecretsAtHome(bench)
      outcomes.set(operation, refusal === undefined ? 'works' : 'refused')
    })

    test(`${name}: secrets stay where they belong, in the log of requests too`, async () => {
      await bench.seedFile('secret', 'v1', { title: 'a.txt', bytes: Buffer.from('secret\n') })
      await bench.do('pull', '--debug', `${bench.repository('secret')}:v1`, '-o', join(bench.folder, 'secret'))
      expect(bench.printed).toMatch(/"authorization": "/i)
      expect(bench.printed).not.toContain(CANARY)
      expectSecretsAtHome(bench)
    })
  })
}

async function expectRefusal(bench: Workbench, operation: OperationName, { code, stderr }: Refusal): Promise<void> {
  const outcome = await OPERATIONS[operation](bench).catch((error: unknown) => error)
  if (!(outcome instanceof Refused)) throw outcome instanceof Error ? outcome : new Error(`${operation} worked`)
  expect(outcome.result.stderr).toMatch(stderr)
  expect(outcome.result.code).toBe(code)
}

import { execFile } from 'node:child_process'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../util/temporary-folder.js'

const SCRIPT = join(import.meta.dirname, '..', '..', 'scripts', 'conformance.sh')

/** Stands for the built library: the suite that is tested here asks its registry for nothing. */
const LIBRARY = `export async function startRegistryServer() {
  const timer = setInterval(() => undefined, 1000)
  return { registry: '127.0.0.1:1', close: async () => clearInterval(timer) }
}`

const report = (result: string, failed = 0): string =>
  `echo 'OCI Conformance Result: ${result}'; echo '  FAIL..: ${failed}'; echo '  Total..: 3'; echo; printf 'Errors:\\nwhat failed\\n\\n'; `

interface Run {
  readonly status: number
  readonly output: string
}

async function runScript(suite: string, program: string): Promise<Run> {
  const folder = temporaryFolder()
  const [library, path] = [join(folder, 'library.mjs'), join(folder, 'suite')]
  await writeFile(library, LIBRARY)
  await writeFile(path, `#!/usr/bin/env bash\n${program}\n`)
  await chmod(path, 0o755)
  const environment = { ...process.env, GANTRY_LIBRARY: library, [`CONFORMANCE_${suite.toUpperCase()}`]: path }
  return new Promise((resolve) => {
    execFile('bash', [SCRIPT, suite], { env: environment }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code), output: stdout + stderr })
    })
  })
}

test.each<[string, string, string, number]>([
  ['everything passed', 'current', `${report('Pass')} exit 0`, 0],
  ['something failed', 'current', `${report('FAIL', 1)} exit 1`, 1],
  ['a failure that the exit status hides', 'current', `${report('FAIL', 1)} exit 0`, 1],
  ['a result that the exit status contradicts', 'current', `${report('Pass')} exit 1`, 1],
  ['nothing was tested', 'current', `${report('Skip')} exit 1`, 1],
  ['no result', 'current', 'echo failed to load config >&2; exit 0', 1],
  ['everything passed', 'legacy', 'echo "Ran 74 of 79 Specs"; exit 0', 0],
  ['something failed', 'legacy', 'echo "Ran 74 of 79 Specs"; echo "[Fail] a test"; exit 1', 1],
  ['nothing was tested', 'legacy', 'echo "Ran 0 of 79 Specs"; exit 0', 1],
])('%s, says the %s suite', async (_, suite, program, expected) => {
  const { status, output } = await runScript(suite, program)
  expect(output.includes('FAILED')).toBe(expected !== 0)
  expect(status, output).toBe(expected)
})

test('shows what failed', async () => {
  const { output } = await runScript('current', `${report('FAIL', 1)} exit 1`)
  expect(output).toContain('what failed')
  expect((await runScript('current', 'echo failed to load config >&2')).output).toContain('failed to load config')
})

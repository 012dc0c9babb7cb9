import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { gantryProgram, run } from '../scenarios/harness/program.js'
import { runCli } from './run-cli.js'

describe('as oras', () => {
  test.each([
    [
      ['oras', 'pull'],
      /^Error: "oras pull" requires exactly 1 argument but got 0\nUsage: oras pull .*\n.*Run "oras pull -h"/,
    ],
    [
      ['oras', 'tag', 'ls', 'x'],
      /^Error: there is no "list" sub-command for "oras tag" command\n(.*\n)*.*"oras repo tags"/,
    ],
    [['oras', 'nosuch'], /^Error: unknown command "nosuch" for "oras"\nRun 'oras --help' for usage\.\n$/],
    [['oras', 'pull', '--oci-layout', '/nonexistent/layout:v1'], /^Error: invalid argument/],
    [['oras', 'version', 'extra'], /^warning: `oras version` requires no argument, "extra" will be ignored\n$/],
  ])('%j says its name, and fails with 1', async (words, message) => {
    const { code, stderr } = await runCli(words)
    expect(stderr).toMatch(message)
    expect(code).toBe(words[1] === 'version' ? 0 : 1)
  })

  test('help names it too', async () => {
    expect((await runCli(['oras', 'push', '--help'])).stdout).toMatch(
      /Usage:\n {2}oras push (.*\n)*.* {2}oras push localhost/,
    )
    expect((await runCli(['oras', '--help'])).stdout).toContain('help for oras')
  })

  test('a link of that name is enough', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gantry-dialect-'))
    try {
      await symlink(gantryProgram, join(folder, 'oras'))
      const environment = { PATH: dirname(process.execPath), HOME: folder }
      const { stderr, exitCode } = await run(join(folder, 'oras'), ['resolve'], { folder, environment })
      expect(stderr).toMatch(/^Error: "oras resolve" requires/)
      expect(exitCode).toBe(1)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})

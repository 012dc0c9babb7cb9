import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { COMMAND_TREE } from '../../../src/cli/command-tree.js'
import { projectFolder } from '../../scenarios/harness/program.js'
import { compareCommands, type Review, type ToolCommands } from './compare-commands.js'

function readFixture(name: string): unknown {
  return JSON.parse(readFileSync(join(projectFolder, 'fixtures/commands', name), 'utf8'))
}

describe('commands of others', () => {
  test.each(['oras', 'crane'])('every command and flag of %s is taken, or somebody has looked at it', async (name) => {
    const tool = readFixture(`${name}.json`) as ToolCommands
    const review = readFixture(`${name}-reviewed.json`) as Review
    expect((await compareCommands(tool, COMMAND_TREE, review)).open).toEqual([])
  })

  test('what nobody has looked at is open, and so is a review of what is taken', async () => {
    const tool = {
      name: 'other',
      version: '1',
      commands: {
        push: { flags: ['-a, --annotation', '--nosuch', '-x, --config'] },
        repo: { aliases: ['store'], flags: [] },
        gone: { flags: [] },
        kept: { flags: [] },
      },
    }
    const review = {
      missing: { kept: 'why', push: 'stale' },
      flags: { '* --nosuch': 'why', 'push --annotation': 'stale' },
    }
    expect((await compareCommands(tool, COMMAND_TREE, review)).open).toEqual([
      '"push" does not take -x, --config',
      '"store" does not lead to "repo"',
      'the command "gone" is not there',
      'the review of "missing push" decides nothing any more',
      'the review of "flags push --annotation" decides nothing any more',
    ])
  })
})

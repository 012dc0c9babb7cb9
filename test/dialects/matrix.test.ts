import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PROFILE_NAMES } from '../emulator/profiles/profile.js'
import { expectedOutcomes, matrixLine } from './matrix.js'
import { OPERATIONS } from './operations.js'

test('the matrix in the readme is what the tests of all registries stand for', async () => {
  const readme = await readFile(join(import.meta.dirname, '../../README.md'), 'utf8')
  const section = /<!-- registries: begin -->([^]*)<!-- registries: end -->/.exec(readme)?.[1] ?? ''
  const written = section
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map(withoutPadding)
  const expected = PROFILE_NAMES.map((name) => withoutPadding(matrixLine(name, expectedOutcomes(name)).line))
  // Head and ruler come first. `node test/dialects/update-readme.js` writes the section anew.
  expect(written.slice(2)).toEqual(expected)
})

test('every operation has its place in the matrix', () => {
  expect([...expectedOutcomes('spec').keys()].sort()).toEqual(Object.keys(OPERATIONS).sort())
})

function withoutPadding(line: string): string {
  return line.replace(/ +/g, ' ')
}

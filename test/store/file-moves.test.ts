import { mkdirSync, rmdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FileMoves } from '../../src/store/file-moves.js'
import { snapshotOf } from './tar/tree-snapshot.js'

let base: string
let moves: FileMoves
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'gantry-moves-'))
  moves = new FileMoves()
  for (const folder of ['staged', 'staged/folder', 'aside', 'out', 'out/old-folder']) mkdirSync(join(base, folder))
  for (const file of ['staged/a', 'staged/b', 'staged/c', 'staged/d', 'staged/folder/x'])
    writeFileSync(join(base, file), file)
  for (const file of ['out/file', 'out/old-folder/x']) writeFileSync(join(base, file), file)
  symlinkSync('file', join(base, 'out/link'))
  symlinkSync('old-folder', join(base, 'out/folder-link'))
})
afterEach(async () => {
  await rm(base, { recursive: true })
})

function move(from: string, to: string): void {
  moves.move(join(base, 'staged', from), join(base, 'out', to), join(base, 'aside'))
}

function moveMany(): void {
  moves.makeFolder(join(base, 'out/new/deep'))
  move('a', 'new/deep/a')
  move('b', 'file')
  move('c', 'link')
  move('folder', 'folder-link')
  move('d', 'fresh')
}

describe('FileMoves', () => {
  test('moves to new names, and in the place of files and links', () => {
    moveMany()
    expect(Object.keys(snapshotOf(join(base, 'out'))).sort()).toEqual(
      ['.', './file', './folder-link', './folder-link/x', './fresh', './link', './new', './new/deep', './new/deep/a']
        .concat('./old-folder', './old-folder/x')
        .sort(),
    )
  })

  test('takes everything back', () => {
    const before = snapshotOf(join(base, 'out'))
    moveMany()
    const reason = new Error('reason')
    expect(moves.undo(reason)).toBe(reason)
    expect(snapshotOf(join(base, 'out'))).toEqual(before)
  })

  test('names the path that fails, and can take back what came before', () => {
    const before = snapshotOf(join(base, 'out'))
    move('a', 'file')
    expect(() => move('b', 'old-folder')).toThrow(/^cannot rename .*\/out\/old-folder: a folder is there$/)
    expect(() => moves.makeFolder(join(base, 'out/file/x'))).toThrow(
      /^cannot (create|read) .*\/out\/file\/x: not a directory$/,
    )
    moves.undo(undefined)
    expect(snapshotOf(join(base, 'out'))).toEqual(before)
  })

  test('says what could not be taken back', () => {
    moves.makeFolder(join(base, 'out/new'))
    rmdirSync(join(base, 'out/new'))
    expect(moves.undo(new Error('disk full'))).toMatchObject({
      code: 'file-error',
      message: expect.stringMatching(/^disk full; and what was changed before could not be taken back: /),
    })
  })
})

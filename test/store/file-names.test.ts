import { fc, processorTime } from '../properties.js'
import { describe, expect, test } from 'vitest'
import { foldName, problemOfName } from '../../src/store/file-names.js'

describe('problemOfName', () => {
  test.each([
    'a',
    'a/b/c',
    'with space.txt',
    '.hidden',
    '..a',
    '...a/b',
    'straße/日本語/🚀',
    'a'.repeat(255),
    'é'.repeat(127),
    'a/'.repeat(255) + 'a',
    'console',
    'com',
    'com10',
    'lpt',
    'nully',
    'auxiliary.txt',
    'a~1',
    '-rf',
    '~',
    '$HOME',
    'a|b?c*d"e<f>g',
  ])('takes "%s"', (name) => {
    expect(problemOfName(name)).toBeUndefined()
  })

  test.each([
    ['../x', 'escape', 'has the part ".."'],
    ['..', 'escape', 'has the part ".."'],
    ['a/../../x', 'escape', 'has the part ".."'],
    ['a/..', 'escape', 'has the part ".."'],
    ['./..', 'escape', 'has the part ".."'],
    ['nul/../x', 'escape', 'has the part ".."'],
    ['/abs', 'escape', 'is absolute'],
    ['//server/share', 'escape', 'is absolute'],
    ['\\\\server\\share', 'escape', 'has a backslash'],
    ['..\\x', 'escape', 'has a backslash'],
    ['C:x', 'escape', 'starts with a drive'],
    ['c:/x', 'escape', 'starts with a drive'],
    ['', 'invalid', 'is empty'],
    ['.', 'invalid', 'has the part "."'],
    ['./x', 'invalid', 'has the part "."'],
    ['a//b', 'invalid', 'has an empty part'],
    ['a/', 'invalid', 'has an empty part'],
    ['a\0b', 'invalid', 'has control characters'],
    ['a\nb', 'invalid', 'has control characters'],
    ['a\u007fb', 'invalid', 'has control characters'],
    ['a\u009bb', 'invalid', 'has control characters'],
    ['a\ud800b', 'invalid', 'is not valid Unicode'],
    ['a'.repeat(256), 'invalid', 'has a part longer than 255 bytes'],
    ['é'.repeat(128), 'invalid', 'has a part longer than 255 bytes'],
    ['abc/'.repeat(1100), 'invalid', 'is longer than 4096 bytes'],
    ['a/'.repeat(256) + 'a', 'invalid', 'has more than 256 parts'],
    ['dir/file:stream', 'unportable', 'has a colon'],
    ['dot.', 'unportable', 'has a part that ends with a dot or a space'],
    ['a../b', 'unportable', 'has a part that ends with a dot or a space'],
    ['space /b', 'unportable', 'has a part that ends with a dot or a space'],
    ['CON', 'unportable', 'is reserved on Windows'],
    ['dir/con.txt', 'unportable', 'is reserved on Windows'],
    ['Aux.tar.gz', 'unportable', 'is reserved on Windows'],
    ['com1', 'unportable', 'is reserved on Windows'],
    ['LPT9.x', 'unportable', 'is reserved on Windows'],
    ['com\u00b9', 'unportable', 'is reserved on Windows'],
    ['nul .txt', 'unportable', 'is reserved on Windows'],
    ['CONIN$', 'unportable', 'is reserved on Windows'],
  ])('finds in %j: %s, %s', (name, kind, reason) => {
    expect(problemOfName(name)).toEqual({ kind, reason })
  })

  test('lets nothing pass that leads out of a folder', () => {
    const part = fc.oneof(fc.constantFrom('..', '.', '', 'a', '\\', 'C:', '\0'), fc.string({ maxLength: 5 }))
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
        const name = parts.join('/')
        if (problemOfName(name) !== undefined) return
        expect(new URL(`file:///root/${name.split('/').map(encodeURIComponent).join('/')}`).pathname).toMatch(
          /^\/root\/./,
        )
        expect(name.split('/')).not.toContain('..')
        expect(name).not.toMatch(/[\\\0]/)
      }),
    )
  })

  test('takes no longer for long names', () => {
    for (const name of ['nul '.repeat(100_000), ' .'.repeat(200_000), 'a/'.repeat(300_000), '\u0301'.repeat(200_000)]) {
      expect(processorTime(() => problemOfName(name))).toBeLessThan(500)
    }
  })
})

describe('foldName', () => {
  test.each([
    ['FOO', 'foo'],
    ['É', 'é'],
    ['e\u0301', 'é'],
    ['E\u0301', 'é'],
    ['straße', 'STRASSE'],
    ['\u212a', 'k'],
    ['\u017f', 's'],
    ['ﬁ', 'FI'],
    ['Σ', 'ς'],
    ['.g\u200cit', '.git'],
    ['a\ufeffb', 'ab'],
  ])('takes %j and %j for the same', (left, right) => {
    expect(foldName(left)).toBe(foldName(right))
  })

  test.each([
    ['a', 'b'],
    ['é', 'e'],
    ['ß', 's'],
    ['a/b', 'a_b'],
  ])('tells %j from %j', (left, right) => {
    expect(foldName(left)).not.toBe(foldName(right))
  })

  test('folds what is folded to itself', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 20 }), (name) => {
        expect(foldName(foldName(name))).toBe(foldName(name))
      }),
    )
  })
})

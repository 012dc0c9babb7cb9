import { describe, expect, test } from 'vitest'
import { visibleJson, visibleLine, visibleText } from '../../src/util/visible-text.js'

const DANGEROUS = [
  '\u0000',
  '\u0007',
  '\u0008',
  '\u000b',
  '\r',
  '\u001b',
  '\u007f',
  '\u0080',
  '\u009b',
  '\u009f',
  '\u061c',
  '\u200e',
  '\u200f',
  '\u2028',
  '\u2029',
  '\u202a',
  '\u202e',
  '\u2066',
  '\u2069',
  '\ud800',
  '\udfff',
]

describe('a dangerous character', () => {
  test.each(DANGEROUS.map((character) => [character.charCodeAt(0).toString(16), character]))(
    '%s becomes visible',
    (code, character) => {
      expect(visibleText(`a${character}b`)).toBe(`a\\u{${code}}b`)
      expect(visibleLine(`a${character}b`)).toBe(`a\\u{${code}}b`)
      const json = visibleJson(JSON.stringify({ key: `a${character}b` }))
      expect(visibleText(json)).toBe(json)
      expect(JSON.parse(json)).toEqual({ key: `a${character}b` })
    },
  )
})

test('text that is visible stays, emoji and scripts of all directions among it', () => {
  const text = 'Größe שלום 你好 👩‍💻 \u{1F600}~'
  expect(visibleText(text)).toBe(text)
  expect(visibleLine(text)).toBe(text)
})

test('tab and line feed stay in a text, and not on a line', () => {
  expect(visibleText('a\tb\nc')).toBe('a\tb\nc')
  expect(visibleLine('a\tb\nc')).toBe('a\\u{9}b\\u{a}c')
})

test('a sequence that a terminal would follow is shown whole', () => {
  expect(visibleText('\u001b]0;title\u0007\u001b[2J')).toBe('\\u{1b}]0;title\\u{7}\\u{1b}[2J')
})

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const folder = join(import.meta.dirname, '..')

interface Promised {
  /** The promise in its first words. */
  readonly title: string
  readonly tests: readonly { readonly name: string; readonly file: string }[]
}

/** The promises of SECURITY.md, with the tests that each of them names. */
function readPromises(text: string): readonly Promised[] {
  const [, section = ''] = /^## What gantry promises$(.*?)^## /ms.exec(text) ?? []
  const entries = section.split(/^- /m).slice(1)
  return entries.map((entry) => {
    const line = entry.split(/^#/m)[0]!.replace(/\s+/g, ' ').trim()
    const [promise = '', held = ''] = line.split(/ Held by (?=\[)/)
    const tests = [...held.matchAll(/\[([^\]]+)\]\(([^)]+)\)/g)].map(([, name = '', file = '']) => ({ name, file }))
    return { title: promise.slice(0, 60), tests }
  })
}

/** Whether a file has a test, a table of tests or a suite with this name. */
function hasTest(source: string, name: string): boolean {
  return ["'", '"', '`'].some((quote) => {
    const literal = quote + name.replaceAll(quote, `\\${quote}`) + quote
    return source
      .split(literal)
      .slice(0, -1)
      .some((before) => /[(\s]$/.test(before))
  })
}

const promises = readPromises(readFileSync(join(folder, 'SECURITY.md'), 'utf8'))

describe('SECURITY.md', () => {
  test('makes promises', () => {
    expect(promises.length).toBeGreaterThan(20)
    expect(new Set(promises.map(({ title }) => title)).size).toBe(promises.length)
  })

  test.each(promises)('$title…: is held by tests that exist', ({ tests }) => {
    expect(tests.length).toBeGreaterThan(0)
    for (const { name, file } of tests) {
      expect(file).toMatch(/^test\/.*\.test\.ts$/)
      expect(existsSync(join(folder, file)), file).toBe(true)
      expect(hasTest(readFileSync(join(folder, file), 'utf8'), name), `${file}: ${name}`).toBe(true)
    }
  })
})

describe('the reader of promises', () => {
  const text = (held: string): string =>
    `# x\n\n## What gantry promises\n\n### A\n\n- Something\n  holds.${held}\n\n## Limits\n`

  test('finds what is missing', () => {
    expect(readPromises(text(''))).toEqual([{ title: 'Something holds.', tests: [] }])
    expect(readPromises(text('\n  Held by [a\n  b](test/x.test.ts).'))).toEqual([
      { title: 'Something holds.', tests: [{ name: 'a b', file: 'test/x.test.ts' }] },
    ])
    expect(hasTest("test('a b', () => {})", 'a b')).toBe(true)
    expect(hasTest("test('a bc', () => {})", 'a b')).toBe(false)
    expect(hasTest("test('x a b', () => {})", 'a b')).toBe(false)
  })
})

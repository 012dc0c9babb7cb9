import { fc, runs } from '../properties.js'
import { describe, expect, test } from 'vitest'
import { findJsonError, removeJsonMember, setJsonMember } from '../../src/credentials/json-text.js'

describe('the place where a text stops being JSON', () => {
  test.each([
    ['', 0],
    ['{', 1],
    ['{"a":1', 6],
    ['{"a":1,}', 7],
    ['{"a" 1}', 5],
    ['{a:1}', 1],
    ['{"a":01}', 6],
    ['{"a":tru}', 5],
    ['{"a":"\n"}', 5],
    ['{"a":"\\x"}', 5],
    ['{"a":1}x', 7],
    ['{"a":[1,2}', 9],
    ['{"é":x}', 6],
    ['nul', 0],
  ])('%j: byte %i', (text, offset) => {
    expect(findJsonError(text)).toBe(offset)
    expect(() => JSON.parse(text) as unknown).toThrow()
  })

  test.each(['{}', ' [1,-2.5e+3,"\\u00e9\\n",null,{"a":{}}] \n', '"x"', '0'])('%j is JSON', (text) => {
    expect(findJsonError(text)).toBeUndefined()
  })

  test('agrees with the engine on every text', () => {
    const piece = fc.constantFrom('{', '}', '[', ']', ',', ':', '"a"', '1', '-', 'e', '.', 'true', ' ', '\\', '"')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('')
        expect(findJsonError(text) === undefined).toBe(isJson(text))
      }),
      runs(10),
    )
  })

  test('takes long strings and refuses deep nesting', () => {
    expect(findJsonError(JSON.stringify({ a: 'x'.repeat(1024 * 1024) }))).toBeUndefined()
    expect(() => findJsonError('['.repeat(100_000))).toThrow('nested deeper than 64 levels')
  })
})

describe('setting a member', () => {
  test.each([
    ['', '{\n\t"auths": {\n\t\t"r": {\n\t\t\t"auth": "x"\n\t\t}\n\t}\n}\n'],
    ['{}', '{\n\t"auths": {\n\t\t"r": {\n\t\t\t"auth": "x"\n\t\t}\n\t}\n}'],
    ['{ "auths": {} }\n', '{ "auths": {"r":{"auth":"x"}} }\n'],
    ['{"auths":{"q":{}}}', '{"auths":{"q":{},"r":{"auth":"x"}}}'],
    ['{"auths":{"r":{"auth":"old"},"q":{}}}', '{"auths":{"r":{"auth":"x"},"q":{}}}'],
    ['{"auths":null,"n":1.0}', '{"auths":{"r":{"auth":"x"}},"n":1.0}'],
    [
      '{\r\n  "auths": {\r\n    "q": {}\r\n  },\r\n  "n": 12345678901234567890\r\n}\r\n',
      '{\r\n  "auths": {\r\n    "q": {},\r\n    "r": {\r\n      "auth": "x"\r\n    }\r\n  },\r\n  "n": 12345678901234567890\r\n}\r\n',
    ],
    [
      '{\n  "b": {"2": 1, "1": 2}\n}',
      '{\n  "b": {"2": 1, "1": 2},\n  "auths": {\n    "r": {\n      "auth": "x"\n    }\n  }\n}',
    ],
  ])('in %j', (text, expected) => {
    expect(setJsonMember(text, ['auths', 'r'], { auth: 'x' })).toBe(expected)
  })

  test('names no prototype', () => {
    const text = setJsonMember('{"auths":{}}', ['auths', '__proto__'], { auth: 'x' })
    expect(text).toBe('{"auths":{"__proto__":{"auth":"x"}}}')
    expect(setJsonMember('', ['__proto__', 'polluted'], true)).toContain('__proto__')
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })

  test('and removing it again gives the same value', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.string(),
        fc.constantFrom(0, 2, '\t'),
        (others, auths, key, indent) => {
          const before = { ...others, auths }
          const text = JSON.stringify(before, undefined, indent)
          const after = setJsonMember(text, ['auths', key], { auth: 'x' })
          expect(JSON.parse(after)).toEqual(plain({ ...others, auths: { ...auths, [key]: { auth: 'x' } } }))
          const removed = removeJsonMember(after, ['auths', key])
          const { [key]: _, ...rest } = auths
          expect(JSON.parse(removed)).toEqual(plain({ ...others, auths: rest }))
          if (!Object.hasOwn(auths, key) && Object.keys(auths).length > 0) expect(removed).toBe(text)
        },
      ),
    )
  })
})

describe('removing a member', () => {
  test.each([
    ['{"auths":{"r":1}}', '{"auths":{}}'],
    ['{"auths":{"r":1,"q":2}}', '{"auths":{"q":2}}'],
    ['{"auths":{"q":2,"r":1}}', '{"auths":{"q":2}}'],
    ['{"auths":{"r":1,"q":2,"r":3}}', '{"auths":{"q":2}}'],
    ['{"auths":{"q":2}}', '{"auths":{"q":2}}'],
    ['{"auths":[]}', '{"auths":[]}'],
    ['{}', '{}'],
    ['', ''],
    ['{\n\t"auths": {\n\t\t"q": {},\n\t\t"r": {}\n\t}\n}', '{\n\t"auths": {\n\t\t"q": {}\n\t}\n}'],
  ])('from %j', (text, expected) => {
    expect(removeJsonMember(text, ['auths', 'r'])).toBe(expected)
  })
})

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    // Told by the result.
    return false
  }
}

/** The value as JSON can hold it: there is no negative zero. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}

import { describe, expect, test } from 'vitest'
import { isJsonObject, parseJson, parseJsonObject } from '../../src/util/json.js'
import { MAX_JSON_DEPTH, MAX_JSON_PARTS } from '../../src/util/json-structure.js'
import { processorTime } from '../properties.js'

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const nested = (depth: number): Uint8Array => bytesOf('['.repeat(depth) + ']'.repeat(depth))

describe('a document', () => {
  test.each([['null'], ['[1,"a",{"b":[true]}]'], [' {"a":{"a":1}}\n'], ['"\\ud83d\\ude00"'], ['{"a":"}{\\"\\\\"}']])(
    '%s is read',
    (text) => {
      expect(parseJson(bytesOf(text), 'it')).toEqual(JSON.parse(text))
    },
  )

  test.each(['', '{', '{"a"}', '[1,]', 'undefined', "{'a':1}", '\ufeff{}', '{"a":1}}', '"\u0001"', '"', '"\\'])(
    '%j is no JSON, and the error does not quote it',
    (text) => {
      const error = expect.objectContaining({ code: 'invalid-content', message: 'the file is not valid JSON' })
      expect(() => parseJson(bytesOf(text), 'the file')).toThrow(error)
    },
  )

  test('that is no UTF-8 is refused', () => {
    const error = expect.objectContaining({ code: 'invalid-content', message: 'it is not valid UTF-8' })
    expect(() => parseJson(Uint8Array.of(0x22, 0xff, 0x22), 'it')).toThrow(error)
    expect(() => parseJson(Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22), 'it')).toThrow(error)
  })

  test('may be as deep as the limit, and no deeper', () => {
    parseJson(nested(MAX_JSON_DEPTH), 'it')
    const error = expect.objectContaining({ code: 'limit-exceeded' })
    expect(() => parseJson(nested(MAX_JSON_DEPTH + 1), 'it')).toThrow(error)
    expect(() => parseJson(nested(1_000_000), 'it')).toThrow(error)
    expect(parseJson(bytesOf(`"${'['.repeat(1000)}"`), 'it')).toHaveLength(1000)
  })

  test.each([
    ['objects', ['[', '{},', ']'], MAX_JSON_PARTS - 1],
    ['lists', ['[', '[],', ']'], MAX_JSON_PARTS - 1],
    ['names', ['{"a":{', '"":0,', '}}'], MAX_JSON_PARTS - 3],
    ['objects with a name', ['[', '{"a":1},', ']'], MAX_JSON_PARTS / 2 - 1],
  ])('may have as many %s as the limit, and no more', (_what, [before, part, after], count) => {
    const textOf = (parts: number): Uint8Array => bytesOf(`${before}${part!.repeat(parts).slice(0, -1)}${after}`)
    parseJson(textOf(count), 'it')
    expect(() => parseJson(textOf(count + 1), 'it')).toThrow(
      expect.objectContaining({
        code: 'limit-exceeded',
        message: `it has more than ${MAX_JSON_PARTS} objects, lists and names`,
      }),
    )
  })

  test('may have any number of plain values, and of characters within them', () => {
    expect(parseJson(bytesOf(`[${'1,'.repeat(400_000)}1]`), 'it')).toHaveLength(400_001)
    expect(parseJson(bytesOf(`"${'[{:'.repeat(400_000)}"`), 'it')).toHaveLength(1_200_000)
  })

  test.each([
    ['{"a":1,"b":2,"a":3}', 'a'],
    ['{"mediaType":"x","media\\u0054ype":"y"}', 'mediaType'],
    [' { "a" : 1 , "a" : 1 } ', 'a'],
    ['{"__proto__":1,"__proto__":2}', '__proto__'],
  ])('%s has a key twice', (text, key) => {
    expect(() => parseJson(bytesOf(text), 'it')).toThrow(
      expect.objectContaining({ code: 'invalid-content', message: `it has the key "${key}" twice` }),
    )
  })

  test.each(['{"a":{"b":1},"c":{"b":1}}', '[{"a":1},{"a":2}]', '["a","a"]', '{"a":"a","b":"a"}'])(
    '%s has no key twice at the top',
    (text) => {
      expect(parseJson(bytesOf(text), 'it')).toEqual(JSON.parse(text))
    },
  )

  test('cannot give its objects a prototype', () => {
    const value = parseJson(bytesOf('{"a":[{"__proto__":{"polluted":true}}]}'), 'it') as {
      a: Record<string, unknown>[]
    }
    expect(Object.getPrototypeOf(value)).toBeNull()
    expect(Object.keys(value.a[0]!)).toEqual(['__proto__'])
    expect('polluted' in value.a[0]!).toBe(false)
  })

  test('of 4 MiB is read quickly', () => {
    const bytes = bytesOf(`{"a":"${'\\"'.repeat(2 * 1024 * 1024)}"}`)
    expect(processorTime(() => parseJson(bytes, 'it'))).toBeLessThan(2000)
  })
})

test.each(['[]', 'null', '1', '"a"'])('%s is no object', (text) => {
  expect(() => parseJsonObject(bytesOf(text), 'it')).toThrow(
    expect.objectContaining({ code: 'invalid-content', message: 'it is not a JSON object' }),
  )
  expect(isJsonObject(JSON.parse(text))).toBe(false)
  expect(isJsonObject(parseJsonObject(bytesOf('{}'), 'it'))).toBe(true)
})

import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { MAX_AUTH_FILE_SIZE, parseAuthFile, readAuthFile } from '../../src/credentials/auth-file.js'
import { isGantryError } from '../../src/errors.js'
import { temporaryFolder } from '../util/temporary-folder.js'

const CANARY = 'CANARY-123'
const parse = (text: string): ReturnType<typeof parseAuthFile> =>
  parseAuthFile(new TextEncoder().encode(text), 'config.json')

describe('a credential file', () => {
  test('with everything', async () => {
    const file = await parse(
      '{"auths":{"r":{"auth":"x"},"q":null,"__proto__":{"auth":"y"}},"credsStore":"pass","credHelpers":{"g":"gcloud","h":""},"HttpHeaders":{"X":"1"},"proxies":{}}',
    )
    expect([...file.auths.keys()]).toEqual(['r', 'q', '__proto__'])
    expect(file.credsStore).toBe('pass')
    expect([...file.credHelpers]).toEqual([
      ['g', 'gcloud'],
      ['h', ''],
    ])
    expect([...file.httpHeaders]).toEqual([['X', '1']])
    expect(({} as Record<string, unknown>).auth).toBeUndefined()
  })

  test('with names in another case, and null for an empty text', async () => {
    const file = await parse('{"Auths":{"r":{}},"CredsStore":"pass","credhelpers":{"h":null}}')
    expect([...file.auths.keys()]).toEqual(['r'])
    expect(file.credsStore).toBe('pass')
    expect([...file.credHelpers]).toEqual([['h', '']])
  })

  test.each(['', ' \n', '{}', '{"auths":null,"credsStore":null}'])('that is empty: %j', async (text) => {
    expect(await parse(text)).toMatchObject({ auths: new Map(), credHelpers: new Map(), credsStore: undefined })
  })

  test.each([
    [`{"auths":{"r":{"auth":"${CANARY}"}`, 'config.json is not valid JSON (byte 35)'],
    [`{"auths":{"r":{"auth":"${CANARY}",}}}`, 'config.json is not valid JSON (byte 35)'],
    [CANARY, 'config.json is not valid JSON (byte 0)'],
    [`["${CANARY}"]`, 'config.json is not a JSON object'],
    ['\ufeff{}', 'config.json is not valid JSON: it begins with a byte order mark (byte 0)'],
    [`{"auths":["${CANARY}"]}`, '"auths" in config.json is not an object'],
    [`{"auths":{"r":"${CANARY}"}}`, '"r" below "auths" in config.json has the wrong type'],
    ['{"credsStore":{}}', '"credsStore" in config.json is not a string'],
    ['{"credHelpers":{"r":1}}', '"r" below "credHelpers" in config.json has the wrong type'],
    ['{"HttpHeaders":{"X":["1"]}}', '"X" below "HttpHeaders" in config.json has the wrong type'],
    ['{"auths":{},"auths":{}}', 'config.json has the key "auths" twice'],
    [`{"a":${'['.repeat(100)}`, 'config.json is nested deeper than 64 levels'],
    [' '.repeat(MAX_AUTH_FILE_SIZE + 1), 'config.json exceeds the limit of 1048576 bytes'],
  ])('that is broken, without showing it: %.40j', async (text, message) => {
    expect(await refusalOf(parse(text))).toMatchObject({ code: 'credential-store-error', message })
  })

  test('that is not text', async () => {
    for (const bytes of [Uint8Array.of(0xff, 0xfe, 0x7b, 0), Uint8Array.of(0x7b, 0x80)]) {
      expect((await refusalOf(parseAuthFile(bytes, 'config.json'))).message).toBe('config.json is not valid UTF-8')
    }
  })

  test('on disk', async () => {
    const folder = temporaryFolder()
    const path = join(folder, 'config.json')
    expect(await readAuthFile(path)).toBeUndefined()
    expect(await readAuthFile(join(path, 'below'))).toBeUndefined()
    writeFileSync(path, '{"auths":{"r":{}}}')
    symlinkSync(path, join(folder, 'link.json'))
    expect((await readAuthFile(join(folder, 'link.json')))?.auths.size).toBe(1)
    writeFileSync(path, 'x'.repeat(MAX_AUTH_FILE_SIZE + 1))
    await expect(readAuthFile(path)).rejects.toMatchObject({
      code: 'credential-store-error',
      message: `${path} exceeds the limit of 1048576 bytes`,
    })
    mkdirSync(join(folder, 'folder'))
    await expect(readAuthFile(join(folder, 'folder'))).rejects.toMatchObject({
      code: 'credential-store-error',
      message: `cannot read ${folder}/folder: illegal operation on a directory`,
    })
  })
})

async function refusalOf(work: Promise<unknown>): Promise<Error> {
  try {
    await work
  } catch (error) {
    if (!isGantryError(error)) throw error
    expect(`${error.message}${error.hint ?? ''}${String(error.cause)}${error.stack ?? ''}`).not.toContain(CANARY)
    return error
  }
  throw new Error('not refused')
}

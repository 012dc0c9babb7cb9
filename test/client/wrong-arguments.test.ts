import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isGantryError } from '../../src/errors.js'
import * as front from '../../src/index.js'
import { createFixture, type Fixture } from '../cli/fixture.js'

const WRONG = [undefined, null, 5, Number.NaN, true, '', {}, [], [null], [5], [{}], new Date(), Symbol('x'), () => 1]

type AnyFunction = (...values: unknown[]) => unknown

const content = [{ name: 'a.txt', content: Buffer.from('a') }]
const options = { client: { environment: {}, credentials: false, plainHttp: true } }

/** Arguments of each verb that work, so that one of them at a time can be wrong. */
const verbs = (name: string, folder: string): Readonly<Record<string, readonly unknown[]>> => ({
  copy: [`${name}:v1`, `oci-layout:${folder}/copied:v1`, options],
  push: [`${name}:v2`, content, options],
  attach: [`${name}:v1`, content, { artifactType: 'sbom/example', ...options }],
  pull: [`${name}:v1`, join(folder, 'out'), options],
  append: [`oci-layout:${folder}/appended:v1`, [Buffer.alloc(1024)], options],
  discover: [`${name}:v1`, options],
  resolve: [`${name}:v1`, options],
  fetchManifest: [`${name}:v1`, options],
  fetchBlob: [`${name}@sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb`, options],
  pushManifest: [`${name}:v3`, Buffer.from('{}'), { mediaType: 'application/vnd.example+json', ...options }],
  pushBlob: [name, Buffer.from('b'), options],
  remove: [`${name}:absent`, options],
  tag: [`${name}:v1`, ['v4'], options],
  tags: [name, options],
  repositories: [name.split('/', 1)[0], options],
  login: [
    name.split('/', 1)[0],
    { type: 'identity-token', token: 'x' },
    { client: { ...options.client, credentials: { files: [join(folder, 'config.json')] } } },
  ],
  logout: [
    name.split('/', 1)[0],
    { client: { ...options.client, credentials: { files: [join(folder, 'config.json')] } } },
  ],
})

let fixture: Fixture
let folder: string
let known: Readonly<Record<string, readonly unknown[]>>

beforeAll(async () => {
  fixture = await createFixture()
  folder = await mkdtemp(join(tmpdir(), 'gantry-wrong-'))
  known = verbs(`${fixture.registry}/wrong`, folder)
  await front.push(`${fixture.registry}/wrong:v1`, content, { client: { environment: {}, credentials: false } })
})

afterAll(async () => {
  await fixture.close()
  await rm(folder, { recursive: true, force: true })
})

async function collect(items: AsyncIterable<unknown>): Promise<void> {
  const iterator = items[Symbol.asyncIterator]()
  while ((await iterator.next()).done !== true);
}

async function failureOf(name: string, values: readonly unknown[]): Promise<unknown> {
  try {
    const result = (front as unknown as Record<string, AnyFunction>)[name]?.(...values)
    if (Symbol.asyncIterator in Object(result)) await collect(result as AsyncIterable<unknown>)
    await result
    return undefined
  } catch (error) {
    return error
  }
}

describe('wrong arguments', () => {
  const names = Object.keys(verbs('', ''))

  test('are tried on every verb', () => {
    const functions = Object.entries(front).filter(([, value]) => typeof value === 'function')
    const others = ['Client', 'GantryError', 'isGantryError', 'parseReference', 'formatReference']
    const rest = [...others, 'parsePlatform', 'formatPlatform', ...names]
    expect(functions.map(([name]) => name).filter((name) => !rest.includes(name))).toEqual([])
  })

  test.each(names)('%s fails with a GantryError, or takes the value', async (name) => {
    const right = known[name] ?? []
    const surprises: string[] = []
    for (const index of right.keys()) {
      // Without options the user's own files would be read, and no name is the folder of the tests.
      const isLast = index === right.length - 1
      for (const value of WRONG.filter((one) => one !== (isLast ? undefined : ''))) {
        const error = await failureOf(name, right.with(index, value))
        if (error !== undefined && !isGantryError(error))
          surprises.push(`${index} ${inspect(value)}: ${inspect(error)}`)
      }
    }
    expect(surprises).toEqual([])
  })

  test.each(names)('%s refuses an option that nobody reads', async (name) => {
    const right = known[name] ?? []
    const last = { ...(right.at(-1) as object), plainHtpp: true }
    const error = await failureOf(name, right.with(-1, last))
    expect(isGantryError(error, 'invalid-argument') && error.message).toContain('has no option "plainHtpp"')
  })

  test.each([null, 5, 'plain', []])('of the client of one call are refused: %j', async (client) => {
    const error = await failureOf('resolve', ['localhost:1/a:v1', { client }])
    expect(isGantryError(error, 'invalid-argument') && error.message).toContain('the option client is an object')
  })

  test('of the client are refused when it is made', () => {
    expect(() => new front.Client({ plainHttp: 'yes' } as never)).toThrow('plainHttp of client is true or false')
    expect(() => new front.Client({ plainHtpp: true } as never)).toThrow('client has no option "plainHtpp"')
    expect(() => new front.Client(null as never)).toThrow('the options of client are an object, and null was given')
  })

  test.each(['parseReference', 'parsePlatform', 'formatReference', 'formatPlatform'])('of %s are refused', (name) => {
    const call = (front as unknown as Record<string, AnyFunction>)[name]
    for (const value of WRONG) {
      try {
        call?.(value)
      } catch (error) {
        expect(isGantryError(error), `${inspect(value)}: ${inspect(error)}`).toBe(true)
      }
    }
  })
})

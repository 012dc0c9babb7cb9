import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createCredentialLookup } from '../../src/credentials/credential-lookup.js'
import { credentialSettingsOf, type CredentialSettings } from '../../src/credentials/credential-settings.js'
import { eraseCredential, storeCredential } from '../../src/credentials/credential-store.js'
import { isGantryError } from '../../src/errors.js'
import type { Credential } from '../../src/registry/auth/credential.js'
import { fc, runs } from '../properties.js'
import { temporaryFolder } from '../util/temporary-folder.js'

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
const credential: fc.Arbitrary<Credential> = fc.oneof(
  fc.record({
    type: fc.constant('basic' as const),
    username: text.filter((name) => !name.includes(':') && name !== '<token>'),
    password: text,
  }),
  fc.record({ type: fc.constant('identity-token' as const), token: text }),
)
const host = fc.constantFrom(
  'r.example',
  'r.example:5000',
  'localhost:5000',
  '[::1]:5000',
  'docker.io',
  'index.docker.io',
  'other.example',
)

/** A file as other programs leave it: members that we do not know, in any layout, and logins that are not ours. */
const unknownMembers = fc.dictionary(
  fc.oneof(
    fc.constantFrom('HttpHeaders2', 'detachKeys', 'plugins', '__proto__', 'auth', 'cliPluginsExtraDirs'),
    fc.string({ minLength: 1, maxLength: 5 }),
  ),
  fc.jsonValue(),
  { maxKeys: 4, noNullPrototype: true },
)
const foreignEntry = fc.record(
  { auth: fc.constant(Buffer.from('u:p').toString('base64')), email: fc.string(), 'x-unknown': fc.jsonValue() },
  { requiredKeys: [] },
)
const document = fc
  .record({
    unknown: unknownMembers,
    auths: fc.option(
      fc.dictionary(
        fc.constantFrom('a.example', 'b.example:443', 'https://c.example/v1/', 'r.example/team'),
        foreignEntry,
        { maxKeys: 3, noNullPrototype: true },
      ),
    ),
    indent: fc.constantFrom<string | number>('\t', 2, 0, 4),
    end: fc.constantFrom('', '\n', '\r\n\n'),
  })
  .map(({ unknown, auths, indent, end }) => {
    const { auths: _, credsStore: __, credHelpers: ___, HttpHeaders: ____, ...others } = unknown
    return `${JSON.stringify({ ...others, ...(auths === null ? {} : { auths }) }, undefined, indent)}${end}`
  })

let count = 0
const root = (): string => temporaryFolder()

function prepare(
  folder: string,
  content?: string,
): { path: string; settings: CredentialSettings; read: () => unknown } {
  const own = join(folder, String(count++))
  mkdirSync(own)
  const path = join(own, 'config.json')
  if (content !== undefined) writeFileSync(path, content, { mode: 0o600 })
  const settings = credentialSettingsOf({ env: {}, homeFolder: own, registryConfig: [path] })
  return { path, settings, read: () => JSON.parse(readFileSync(path, 'utf8')) as unknown }
}

/** A document with an empty list of logins and one without any mean the same. */
function withAuths(value: unknown): unknown {
  return { auths: {}, ...(value as object) }
}

describe('a credential file', () => {
  test('after a login holds it and all that it held before, and after the logout only that', async () => {
    const folder = root()
    await fc.assert(
      fc.asyncProperty(document, host, credential, credential, async (content, registry, first, second) => {
        const { path, settings, read } = prepare(folder, content)
        const before = read()
        for (const secret of [first, second]) {
          await storeCredential(settings, registry, secret)
          expect(await createCredentialLookup(settings)({ registry })).toEqual(secret)
          const after = read() as { auths: Record<string, unknown> }
          expect(Object.keys(after.auths).length).toBe(
            Object.keys((before as { auths?: object }).auths ?? {}).length + 1,
          )
          expect(after).toMatchObject(before as object)
          expect(statSync(path).mode & 0o777).toBe(0o600)
        }
        expect(await eraseCredential(settings, registry)).toMatchObject({ erased: true })
        expect(withAuths(read())).toEqual(withAuths(before))
        expect(await createCredentialLookup(settings)({ registry })).toBeUndefined()
        expect(await eraseCredential(settings, registry)).toMatchObject({ erased: false })
        expect(readdirSync(join(path, '..'))).toEqual(['config.json'])
        rmSync(join(path, '..'), { recursive: true })
      }),
      runs(0.5),
    )
  })

  test('loses nothing to those who write at once', async () => {
    const folder = root()
    const hosts = fc.uniqueArray(
      fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f').map((name) => `${name}.test:5000`),
      { minLength: 2 },
    )
    await fc.assert(
      fc.asyncProperty(
        document,
        hosts,
        fc.array(credential, { minLength: 6, maxLength: 6 }),
        fc.nat(5),
        async (content, names, secrets, leaving) => {
          const { path, settings, read } = prepare(folder, content)
          const before = read()
          const gone = names[leaving]
          if (gone !== undefined) await storeCredential(settings, gone, { type: 'identity-token', token: 'old' })
          await Promise.all(
            names.map((name, index) =>
              index === leaving ? eraseCredential(settings, name) : storeCredential(settings, name, secrets[index]!),
            ),
          )
          for (const [index, registry] of names.entries()) {
            const found = await createCredentialLookup(settings)({ registry })
            expect(found).toEqual(index === leaving ? undefined : secrets[index])
          }
          const after = read() as { auths?: Record<string, unknown> }
          for (const name of names) delete after.auths?.[name]
          expect(withAuths(after)).toEqual(withAuths(before))
          rmSync(join(path, '..'), { recursive: true })
        },
      ),
      runs(0.1),
    )
  })

  test('that is broken is an error, and stays as it is', async () => {
    const folder = root()
    const broken = fc.oneof(
      fc.tuple(document, fc.nat(100)).map(([content, length]) => content.slice(0, length)),
      fc.string({ unit: 'binary', minLength: 1 }),
      fc.json(),
      document.map((content) => `\ufeff${content}`),
      document.map((content) => content.replace('{', '{"auths":[],')),
    )
    await fc.assert(
      fc.asyncProperty(broken, async (content) => {
        const { path, settings } = prepare(folder, content)
        const before = readFileSync(path)
        try {
          await storeCredential(settings, 'r.example', { type: 'basic', username: 'u', password: 'p' })
          expect(await createCredentialLookup(settings)({ registry: 'r.example' })).toMatchObject({ username: 'u' })
        } catch (error) {
          expect(isGantryError(error, 'credential-store-error'), String(error)).toBe(true)
          expect(readFileSync(path).equals(before)).toBe(true)
        }
        expect(readdirSync(join(path, '..'))).toEqual(['config.json'])
        rmSync(join(path, '..'), { recursive: true })
      }),
      runs(0.5),
    )
  })
})

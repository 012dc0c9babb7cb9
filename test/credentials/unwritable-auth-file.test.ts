import type * as FileSystem from 'node:fs/promises'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { credentialSettingsOf, type CredentialSettings } from '../../src/credentials/credential-settings.js'
import { storeCredential } from '../../src/credentials/credential-store.js'
import { temporaryFolder } from '../util/temporary-folder.js'
import { FakeHelpers } from './fake-helper.js'

/** What the file system refuses; a real read-only mount needs rights that tests do not have. */
const refused = vi.hoisted(() => ({ rename: undefined as string | undefined, open: undefined as string | undefined }))

vi.mock('node:fs/promises', async (importOriginal) => {
  const fs = await importOriginal<typeof FileSystem>()
  const fail = (code: string, text: string, syscall: string): never => {
    throw Object.assign(new Error(`${code}: ${text}, ${syscall}`), { code, syscall })
  }
  return {
    ...fs,
    rename: async (...paths: Parameters<typeof fs.rename>) =>
      refused.rename === undefined ? fs.rename(...paths) : fail(refused.rename, 'resource busy or locked', 'rename'),
    open: async (...call: Parameters<typeof fs.open>) =>
      refused.open === undefined || call[1] === 'r'
        ? fs.open(...call)
        : fail(refused.open, 'read-only file system', 'open'),
  }
})

const USER = { type: 'basic', username: 'u', password: 'p' } as const
const OTHER = { ...USER, password: 'q' }

let folder: string
let path: string
let settings: CredentialSettings

beforeEach(async () => {
  folder = temporaryFolder()
  path = join(folder, 'config.json')
  settings = credentialSettingsOf({ env: { DOCKER_CONFIG: folder }, homeFolder: undefined, platform: 'linux' })
  Object.assign(refused, { rename: undefined, open: undefined })
  // In another form than ours, and with a member that is not.
  writeFileSync(path, `{"auths":{"r":{"email":"a@b","auth":"${Buffer.from('u:p').toString('base64')}"}}}`, {
    mode: 0o644,
  })
})

describe.each([
  ['that is a mount', { rename: 'EBUSY' }, 'it is a mount of its own, which cannot be replaced'],
  ['on a read-only mount', { open: 'EROFS' }, 'read-only file system'],
  ['of somebody else', { open: 'EACCES' }, 'cannot'],
])('a credential file %s', (_, codes, why) => {
  test('need not be written for the credential that it holds', async () => {
    Object.assign(refused, codes)
    const before = readFileSync(path, 'utf8')
    expect(await storeCredential(settings, 'r', USER)).toEqual({ path, isPlainText: true })
    expect(readFileSync(path, 'utf8')).toBe(before)
  })

  test('is an error that says what to do for another one, and stays as it is', async () => {
    Object.assign(refused, codes)
    const before = readFileSync(path, 'utf8')
    await expect(storeCredential(settings, 'r', OTHER)).rejects.toMatchObject({
      code: 'file-error',
      message: expect.stringContaining(why),
      hint: expect.stringContaining('name another folder with DOCKER_CONFIG or another file with REGISTRY_AUTH_FILE'),
    })
    expect(readFileSync(path, 'utf8')).toBe(before)
    expect(readdirSync(folder)).toEqual(['config.json'])
  })
})

test('a file that cannot be written and names a helper needs no entry beside it', async () => {
  const helpers = new FakeHelpers(folder)
  helpers.addWorking('x')
  const env = { ...helpers.environment, DOCKER_CONFIG: folder }
  writeFileSync(path, '{"credsStore":"x"}')
  refused.rename = 'EBUSY'
  const stored = await storeCredential(
    credentialSettingsOf({ env, homeFolder: undefined, platform: 'linux' }),
    'r',
    USER,
  )
  expect(stored).toEqual({ path, helper: 'docker-credential-x', isPlainText: false })
  expect(readFileSync(path, 'utf8')).toBe('{"credsStore":"x"}')
})

test('a file that can be written is closed to others although its text stays', async () => {
  expect(await storeCredential(settings, 'r', USER)).toEqual({ path, isPlainText: true, tightenedFrom: 0o644 })
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

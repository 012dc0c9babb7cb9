import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { credentialSettingsOf } from '../../src/credentials/credential-settings.js'
import { storeCredential } from '../../src/credentials/credential-store.js'
import { bundleScript } from '../util/bundle-script.js'
import { temporaryFolder } from '../util/temporary-folder.js'

let script: Awaited<ReturnType<typeof bundleScript>>
beforeAll(async () => {
  script = await bundleScript(join(import.meta.dirname, 'login-worker.ts'))
})
afterAll(() => {
  script.remove()
})

/** Starts a process that logs in; the promise tells its exit code, null when it was killed. */
function logIn(folder: string, hosts: readonly string[], killAfter?: number): Promise<number | null> {
  const child = spawn(process.execPath, [script.path, folder, ...hosts], { stdio: 'ignore' })
  if (killAfter !== undefined) setTimeout(() => child.kill('SIGKILL'), killAfter)
  return new Promise((resolve) => child.on('close', resolve))
}

function prepare(): { folder: string; entries: () => string[]; file: string } {
  const folder = temporaryFolder()
  const file = join(folder, '.docker', 'config.json')
  mkdirSync(join(folder, '.docker'))
  writeFileSync(file, '{\n\t"HttpHeaders": {\n\t\t"X": "1"\n\t},\n\t"later": [1.0]\n}\n', { mode: 0o666 })
  return {
    folder,
    file,
    entries: () => Object.keys((JSON.parse(readFileSync(file, 'utf8')) as { auths: object }).auths),
  }
}

test('twenty processes log in at a time: twenty entries', async () => {
  const { folder, file, entries } = prepare()
  const hosts = Array.from({ length: 20 }, (_, index) => `r${index}.example`)
  expect(await Promise.all(hosts.map((host) => logIn(folder, [host])))).toEqual(hosts.map(() => 0))
  expect(entries().sort()).toEqual(hosts.sort())
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const text = readFileSync(file, 'utf8')
  expect(text).toMatch(/^\{\n\t"HttpHeaders": \{\n\t\t"X": "1"\n\t\},\n\t"later": \[1\.0\],\n\t"auths": \{/)
  expect(readdirSync(join(folder, '.docker'))).toEqual(['config.json'])
})

test('processes that are killed on the way break nothing', async () => {
  const { folder, entries } = prepare()
  const lists = Array.from({ length: 4 }, (_, process) =>
    Array.from({ length: 40 }, (_entry, index) => `p${process}-${index}`),
  )
  const codes = await Promise.all(
    lists.map((hosts, index) => logIn(folder, hosts, index < 2 ? 150 + 70 * index : undefined)),
  )
  expect(codes.slice(2)).toEqual([0, 0])
  expect(entries()).toEqual(expect.arrayContaining([...(lists[2] ?? []), ...(lists[3] ?? [])]))
  const settings = credentialSettingsOf({ env: {}, homeFolder: folder })
  await storeCredential(settings, 'last', { type: 'basic', username: 'u', password: 'p' })
  expect(readdirSync(join(folder, '.docker'))).toEqual(['config.json'])
})

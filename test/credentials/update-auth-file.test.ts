import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { updateAuthFile } from '../../src/credentials/update-auth-file.js'
import { temporaryFolder } from '../util/temporary-folder.js'

test('a file that broke since it was looked at is not replaced', async () => {
  const folder = temporaryFolder()
  const path = join(folder, 'config.json')
  writeFileSync(path, '{"auths":')
  await expect(updateAuthFile(path, () => '{}')).rejects.toMatchObject({ code: 'credential-store-error' })
  expect(readFileSync(path, 'utf8')).toBe('{"auths":')
  expect(readdirSync(folder)).toEqual(['config.json'])
})

test('no change makes no file and no folder', async () => {
  const path = join(temporaryFolder(), 'a', 'config.json')
  expect(await updateAuthFile(path, (text) => text)).toEqual({ path, changed: false })
  expect(existsSync(join(path, '..'))).toBe(false)
})

test('a file that is as it should be is left alone', async () => {
  const path = join(temporaryFolder(), 'config.json')
  writeFileSync(path, '{}', { mode: 0o600 })
  const before = lstatSync(path).ino
  expect(await updateAuthFile(path, (text) => text)).toEqual({ path, changed: false })
  expect(lstatSync(path).ino).toBe(before)
})

test('a change that fails leaves nothing behind', async () => {
  const folder = temporaryFolder()
  const path = join(folder, 'config.json')
  writeFileSync(path, '{}')
  const fail = (): never => {
    throw new Error('change failed')
  }
  await expect(updateAuthFile(path, fail)).rejects.toThrow('change failed')
  await expect(updateAuthFile(path, () => 'x'.repeat(1024 * 1024 + 1))).rejects.toMatchObject({
    code: 'limit-exceeded',
  })
  expect(readdirSync(folder)).toEqual(['config.json'])
})

test('only a regular file is ever replaced', async () => {
  // A socket stands for everything else that can have a name: breaking it harms nobody.
  const path = join(temporaryFolder(), 'socket')
  const server = createServer().listen(path)
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
  })
  await expect(updateAuthFile(path, () => '{}')).rejects.toThrow(`${path} is not a regular file`)
  expect(lstatSync(path).isSocket()).toBe(true)
})

test('links that lead in a circle are an error', async () => {
  const folder = temporaryFolder()
  symlinkSync('b', join(folder, 'a'))
  symlinkSync('a', join(folder, 'b'))
  await expect(updateAuthFile(join(folder, 'a'), () => '{}')).rejects.toMatchObject({ code: 'file-error' })
})

test.runIf(process.getuid?.() === 0)('the owner stays the owner when root writes', async () => {
  const path = join(temporaryFolder(), 'config.json')
  writeFileSync(path, '{}')
  chownSync(path, 12345, 12346)
  await updateAuthFile(path, () => '{"n":1}')
  expect(lstatSync(path)).toMatchObject({ uid: 12345, gid: 12346 })
})

test.skipIf(process.getuid?.() === 0)('a folder that cannot be written is an error that names the file', async () => {
  const folder = join(temporaryFolder(), 'closed')
  mkdirSync(folder)
  chmodSync(folder, 0o500)
  await expect(updateAuthFile(join(folder, 'config.json'), () => '{}')).rejects.toMatchObject({ code: 'file-error' })
})

import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { commandOf, findProgram, helperProgramOf, resolveHelper } from '../../src/credentials/helper-program.js'
import { temporaryFolder } from '../util/temporary-folder.js'

describe('the name of a helper', () => {
  test.each(['osxkeychain', 'ecr-login', 'acr_env', 'x', '1.2'])('%s', (name) => {
    expect(helperProgramOf(name, 'config.json')).toBe(`docker-credential-${name}`)
  })

  test.each([
    ...['../../evil', 'a/b', 'a\\b', '-x', '.x', '', 'a b', 'a;b', '$(x)', 'a\n', 'é', 'a:b', '/abs', 'a\0'],
    'x'.repeat(200),
  ])('%j is refused', (name) => {
    expect(() => helperProgramOf(name, 'config.json')).toThrow(/^invalid helper name "[^\n]{0,140}" in config\.json$/)
  })
})

describe('a helper on PATH', () => {
  test('is the first that can be run, in a folder that is named in full', async () => {
    const folder = temporaryFolder()
    for (const name of ['a', 'b', 'c', 'd']) mkdirSync(join(folder, name))
    mkdirSync(join(folder, 'a', 'docker-credential-x'))
    writeFileSync(join(folder, 'b', 'docker-credential-x'), '')
    for (const name of ['c', 'd']) {
      writeFileSync(join(folder, name, 'docker-credential-x'), '')
      chmodSync(join(folder, name, 'docker-credential-x'), 0o755)
    }
    const PATH = ['', '.', 'c', 'a', 'b', 'c', 'd']
      .map((name) => (name.length > 0 ? join(folder, name) : name))
      .join(':')
    expect(await findProgram('docker-credential-x', { PATH })).toBe(join(folder, 'c', 'docker-credential-x'))
  })

  test('is never one in the current folder', async () => {
    const { cwd } = process
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'docker-credential-x'), '')
    chmodSync(join(folder, 'docker-credential-x'), 0o755)
    const relative = join('..'.concat('/..'.repeat(cwd().split('/').length)), folder)
    for (const PATH of [undefined, '', ':', '.', relative]) {
      expect(await findProgram('docker-credential-x', { PATH })).toBeUndefined()
    }
    expect(await findProgram('docker-credential-x', { PATH: folder })).toBeDefined()
  })

  test('that is missing is an error', async () => {
    await expect(
      resolveHelper('docker-credential-nope', { PATH: '/bin' }, { origin: 'config.json' }),
    ).rejects.toMatchObject({
      code: 'credential-store-error',
      message: 'credential helper docker-credential-nope not found',
      hint: 'install it in a folder of PATH, or take it out of config.json',
    })
  })
})

describe('starting a program', () => {
  test.each(['/usr/bin/docker-credential-x', 'C:\\Docker\\docker-credential-x.exe'])('%s', (program) => {
    expect(commandOf(program, 'get', {})).toEqual({ file: program, arguments: ['get'], verbatim: false })
  })

  test('that is a batch file goes through the command processor', () => {
    expect(
      commandOf('C:\\Program Files\\a & b\\docker-credential-gcloud.cmd', 'get', { systemroot: 'D:\\Win' }),
    ).toEqual({
      file: 'D:\\Win\\System32\\cmd.exe',
      arguments: ['/d', '/s', '/c', '""C:\\Program Files\\a & b\\docker-credential-gcloud.cmd" get"'],
      verbatim: true,
    })
    expect(() => commandOf('C:\\%USER%\\x.cmd', 'get', {})).toThrow('cannot start')
  })
})

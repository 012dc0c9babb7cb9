import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { certificateRootsOf, readRegistryCertificates } from '../../src/credentials/certs-d.js'
import { temporaryFolder } from '../util/temporary-folder.js'

const pem = (text: string, label = 'CERTIFICATE'): string =>
  `-----BEGIN ${label}-----\n${text}\n-----END ${label}-----\n`

let folder: string
beforeEach(() => {
  folder = temporaryFolder()
})

function write(path: string, content: string): void {
  const full = join(folder, path)
  mkdirSync(dirname(full), { recursive: true })
  writeFileSync(full, content)
}

const read = (registry: string, ...roots: readonly string[]): ReturnType<typeof readRegistryCertificates> =>
  readRegistryCertificates(
    registry,
    (roots.length === 0 ? ['a', 'b'] : roots).map((root) => join(folder, root)),
    { platform: 'linux' },
  )

describe('the folders for a registry', () => {
  test('add every authority, from every root, once', async () => {
    write('a/r:5000/two.crt', pem('two'))
    write('a/r:5000/one.crt', pem('one'))
    write('a/r:5000/readme.txt', 'x')
    write('b/r:5000/one.crt', pem('one'))
    write('b/r:5000/three.crt', pem('three'))
    write('b/r/other.crt', pem('other'))
    expect(await read('r:5000')).toEqual({ ca: [pem('one'), pem('two'), pem('three')] })
  })

  test('hold a client certificate, the first by name in the first folder', async () => {
    write('b/r/z.cert', pem('z'))
    write('b/r/z.key', pem('zk', 'PRIVATE KEY'))
    write('b/r/client.cert', pem('c'))
    write('b/r/client.key', pem('ck', 'EC PRIVATE KEY'))
    expect(await read('r')).toEqual({ ca: [], certificate: pem('c'), key: pem('ck', 'EC PRIVATE KEY') })
    write('a/r/y.cert', pem('y'))
    write('a/r/y.key', pem('yk', 'PRIVATE KEY'))
    expect((await read('r')).certificate).toBe(pem('y'))
  })

  test.each([
    ['r', 'r'],
    ['r', 'r:443'],
    ['r:443', 'r'],
    ['r:443', 'r:443'],
    ['[::1]:5000', '[::1]:5000'],
    ['docker.io', 'docker.io'],
    ['registry-1.docker.io', 'docker.io'],
  ])('for %s is %s', async (registry, name) => {
    write(`a/${name}/ca.crt`, pem('ca'))
    expect((await read(registry)).ca).toEqual([pem('ca')])
  })

  test.each([
    ['r:5000', 'r'],
    ['r', 'r:5000'],
    ['sub.r', 'r'],
    ['../a/r', 'r'],
    ['..', 'a'],
    ['.', '.'],
  ])('for %s is not %s', async (registry, name) => {
    write(`a/${name}/ca.crt`, pem('ca'))
    expect((await read(registry)).ca).toEqual([])
  })

  test('have no colon in their names on Windows', async () => {
    write('a/r5000/ca.crt', pem('ca'))
    expect((await readRegistryCertificates('r:5000', [join(folder, 'a')], { platform: 'win32' })).ca).toEqual([
      pem('ca'),
    ])
    expect((await read('r:5000')).ca).toEqual([])
  })

  test('may be links, as clusters make them', async () => {
    write('data/ca', pem('ca'))
    mkdirSync(join(folder, 'a', 'r'), { recursive: true })
    symlinkSync('../../data/ca', join(folder, 'a', 'r', 'ca.crt'))
    expect((await read('r')).ca).toEqual([pem('ca')])
  })

  test('that do not exist are passed over', async () => {
    write('a', 'not a folder')
    expect(await read('r')).toEqual({ ca: [] })
  })
})

describe('what is wrong in a folder is an error', () => {
  test.each([
    [{ 'x.cert': pem('x') }, 'a/r has x.cert without x.key'],
    [{ 'x.key': pem('x', 'PRIVATE KEY') }, 'a/r has x.key without x.cert'],
    [{ 'x.crt': 'DER' }, 'a/r/x.crt holds no certificate in PEM'],
    [{ 'x.cert': pem('x'), 'x.key': pem('CANARY-123') }, 'a/r/x.key holds no private key in PEM'],
  ])('%j', async (files, message) => {
    for (const [name, content] of Object.entries(files)) write(`a/r/${name}`, content)
    await expect(read('r')).rejects.toMatchObject({ code: 'invalid-content', message: join(folder, message) })
  })

  test('that is no file, or too large', async () => {
    mkdirSync(join(folder, 'a', 'r', 'x.crt'), { recursive: true })
    await expect(read('r')).rejects.toMatchObject({ code: 'file-error' })
    write('b/r/x.crt', 'x'.repeat(1024 * 1024 + 1))
    await expect(read('r', 'b')).rejects.toMatchObject({ code: 'limit-exceeded' })
  })
})

test('the roots', () => {
  expect(certificateRootsOf('/home/u', 'linux')).toEqual([
    '/home/u/.config/containers/certs.d',
    '/home/u/.config/docker/certs.d',
    '/etc/containers/certs.d',
    '/etc/docker/certs.d',
  ])
  expect(certificateRootsOf('C:\\u', 'win32')[0]).toBe('C:\\u\\.config\\containers\\certs.d')
})

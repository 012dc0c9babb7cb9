import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { settledAccess } from '../../src/client/settled-access.js'
import { temporaryFolder } from '../util/temporary-folder.js'

test('a call says more than the settings, and token services add up', async () => {
  const settings = { plainHttp: true, authHosts: ['a', 'b'], chunkSize: 5, concurrency: 2 }
  expect(await settledAccess({}, settings)).toEqual({
    plainHttp: true,
    tls: {},
    trustedAuthHosts: ['a', 'b'],
    chunkSize: 5,
    concurrency: 2,
  })
  const given = { plainHttp: false, trustedAuthHosts: ['b', 'c'], chunkSize: 7, concurrency: undefined }
  expect(await settledAccess(given, settings)).toMatchObject({
    plainHttp: false,
    trustedAuthHosts: ['b', 'c', 'a'],
    chunkSize: 7,
    concurrency: 2,
  })
})

test('certificate authorities are read where TLS is spoken and the call names none', async () => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'data.pem'), 'PEM')
  symlinkSync('data.pem', join(folder, 'ca.pem'))
  const settings = { caFile: join(folder, 'ca.pem') }
  expect((await settledAccess({}, settings)).tls).toEqual({ ca: ['PEM'], replaceRoots: true })
  expect((await settledAccess({ tls: { ca: ['OWN'], replaceRoots: true } }, settings)).tls?.ca).toEqual(['OWN'])
  const missing = { caFile: join(folder, 'none.pem') }
  expect((await settledAccess({ plainHttp: true }, missing)).tls).toEqual({})
  await expect(settledAccess({}, missing)).rejects.toMatchObject({ code: 'file-error' })
})

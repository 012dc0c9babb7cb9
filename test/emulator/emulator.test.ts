import { mkdtemp, mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { digestOf } from '../../src/oci/digest.js'
import { startTestRegistry } from '../server/test-registry.js'
import { Emulator } from './emulator.js'
import { snapshotFolder } from './folder-snapshot.js'
import { PROFILE_NAMES } from './profiles/profile.js'
import { PROFILES } from './profiles/profiles.js'
import { REPOSITORY, Wire } from './rows/row.js'

async function startWire(): Promise<Wire> {
  const emulator = await Emulator.start()
  return new Wire(emulator)
}

test('without switches an emulator answers like the registry behind it', async ({ onTestFinished }) => {
  const wire = await startWire()
  onTestFinished(() => wire.emulator.close())
  const plain = await startTestRegistry()
  const requests = [
    ['GET', '/v2/'],
    ['GET', '/v2/_catalog'],
    ['GET', `/v2/${REPOSITORY}/tags/list?n=1`],
    ['HEAD', `/v2/${REPOSITORY}/manifests/v1`],
    ['GET', `/v2/${REPOSITORY}/manifests/v1`],
    ['GET', `/v2/${REPOSITORY}/manifests/absent`],
    ['GET', `/v2/${REPOSITORY}/blobs/${digestOf('{}')}`],
    ['GET', `/v2/${REPOSITORY}/referrers/${digestOf('{}')}`],
    ['DELETE', `/v2/${REPOSITORY}/manifests/v2`],
    ['GET', '/nowhere'],
  ] as const
  for (const registry of [wire, plain]) {
    await registry.pushImage(REPOSITORY, 'v1')
    await registry.pushImage(REPOSITORY, 'v2')
  }
  for (const [method, path] of requests) {
    const [emulated, real] = [await wire.send(method, path), await plain.send(method, path)]
    const shown = ({ status, text, headers }: typeof real) => ({ status, text, headers: { ...headers, date: '' } })
    expect(shown(emulated), `${method} ${path}`).toEqual(shown(real))
  }
})

test('every request is in the log, with its headers and the status of its answer', async ({ onTestFinished }) => {
  const wire = await startWire()
  onTestFinished(() => wire.emulator.close())
  const { log, origins } = wire.emulator
  await wire.get('/v2/?a=b', { 'X-Test': 'yes' })
  await wire.at(`${origins.tokens.origin}/nothing`)
  await wire.at(`${origins.blobs.origin}/nothing`)
  expect(log.entries.map(({ role, status, url }) => [role, status, url])).toEqual([
    ['registry', 200, '/v2/?a=b'],
    ['tokens', 404, '/nothing'],
    ['blobs', 403, '/nothing'],
  ])
  expect(log.find('GET', /^\/v2\/$/)[0]?.headers['x-test']).toBe('yes')
  expect(log.lines()).toEqual(['GET /v2/ 200'])
  log.clear()
  expect(log.entries).toEqual([])
})

test('every profile starts, under its names, and asks for a login', async () => {
  expect(Object.keys(PROFILES)).toEqual(PROFILE_NAMES)
  const starts = PROFILE_NAMES.map(async (name) => {
    const { hosts, options } = PROFILES[name]
    const emulator = await Emulator.start({ ...options, hosts })
    expect(emulator.registry).toBe(hosts.registry)
    expect(emulator.resolve.join()).toContain(`${hosts.registry.split(':')[0]}:`)
    await emulator.close()
  })
  await Promise.all(starts)
})

test('a snapshot of a folder sees every change', async ({ onTestFinished }) => {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-snapshot-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  expect(await snapshotFolder(join(folder, 'absent'))).toEqual([])
  await mkdir(join(folder, 'below'))
  await writeFile(join(folder, 'below/file'), 'one', { mode: 0o600 })
  await symlink('file', join(folder, 'below/link'))
  const before = await snapshotFolder(folder)
  expect(before).toHaveLength(3)
  expect(await snapshotFolder(folder)).toEqual(before)
  await writeFile(join(folder, 'below/file'), 'two')
  expect(await snapshotFolder(folder)).not.toEqual(before)
})

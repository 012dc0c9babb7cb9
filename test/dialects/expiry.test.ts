import { describe, expect, onTestFinished, test } from 'vitest'
import { descriptorOf } from '../../src/oci/descriptor.js'
import { MediaType } from '../../src/oci/media-types.js'
import { Repository } from '../../src/registry/repository.js'
import { openBytes } from '../../src/util/bytes.js'
import { PROFILE_NAMES, type ProfileName } from '../emulator/profiles/profile.js'
import { PROFILES } from '../emulator/profiles/profiles.js'
import { bytesOf } from './operations.js'
import { Workbench } from './workbench.js'

const MIB = 1024 * 1024
const LATER = 100_000

/** Registries whose tokens end. */
const withTokens = PROFILE_NAMES.filter((name) => {
  const { auth, token } = PROFILES[name].options
  return auth?.type === 'bearer' && token?.passwordIsToken !== true
})

async function open(name: ProfileName): Promise<{ bench: Workbench; repository: Repository }> {
  const bench = await Workbench.open(PROFILES[name])
  const transport = bench.connect()
  onTestFinished(async () => {
    await transport.close()
    await bench.close()
  })
  return {
    bench,
    repository: new Repository(transport, bench.name(), { uploadChunkSize: 6 * MIB, backoff: { base: 1 } }),
  }
}

function tokenRequests({ emulator, profile }: Workbench): number {
  const path = profile.options.auth?.realmPath ?? '/token'
  return emulator.log.entries.filter((entry) => entry.path === path).length
}

describe.each(withTokens)('%s', (name) => {
  test(`${name}: a token that has expired is renewed, once`, async () => {
    const { bench, repository } = await open(name)
    const digest = await bench.seed(bench.name(), ['v1'])
    expect((await repository.resolve('v1')).digest).toBe(digest)
    const before = tokenRequests(bench)
    bench.emulator.time.advance(LATER)
    expect((await repository.readManifest('v1')).descriptor.digest).toBe(digest)
    expect(tokenRequests(bench)).toBe(before + 1)
  })

  test(`${name}: a token that expires in the middle of an upload does not end it`, async () => {
    const { bench, repository } = await open(name)
    const bytes = bytesOf(13 * MIB, 19)
    const descriptor = descriptorOf(MediaType.octetStream, bytes)
    let isLater = false
    await repository.push(descriptor, openBytes(bytes), {
      onProgress: (offset) => {
        if (isLater || offset < 5 * MIB) return
        isLater = true
        bench.emulator.time.advance(LATER)
      },
    })
    expect(isLater).toBe(true)
    expect(bench.emulator.storage.blobSize(bench.name(), descriptor.digest)).toBe(bytes.length)
  })
})

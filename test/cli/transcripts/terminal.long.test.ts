import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { descriptorOf, type Descriptor } from '../../../src/oci/descriptor.js'
import { packManifest } from '../../../src/oci/pack.js'
import type { Repository } from '../../../src/registry/repository.js'
import { openBytes } from '../../../src/util/bytes.js'
import { OrasBench } from './oras-bench.js'
import { orasFixtures, pushSeed } from './seeds.js'
import { missingTerminal, parseCaptures, readGantry, readOras, runOnTerminal } from './terminal-run.js'

const captures = parseCaptures(readFileSync(join(orasFixtures, 'terminal.txt'), 'utf8'))
const missing = missingTerminal()
if (missing !== undefined) console.warn(`terminal captures are left out: ${missing}`)

/** 30 000 000 bytes that nobody has kept; zeros stand in for them. */
const BIG = {
  bytes: Buffer.alloc(30_000_000),
  digest: `sha256:91456633c1e54bb08ff565a8498671a6f3d97b41ae76e29d14f40984a5227629`,
}
/** What was there before: an artifact with a file and the big one, and what refers to it. */
const ROOT = 'sha256:c2053f55c38e2e76def6b1e75d184a8d886d51b7835681280c8626b974440f4e'
const REFERRER = 'sha256:09b9d2ca418e064c7a62b71daa950b77b0eb9c694e5a9554e845647336c21fd7'

/** Whoever made the captures public has cut the folder out of two paths. */
const CUT_PATHS: readonly (readonly [string, string])[] = [
  ['/home/me/w.txt', '/home/me/w/tt/hi.txt'],
  ['/home/me/w.bin', '/home/me/w/tt/big.bin'],
]

function withWholePaths(text: string): string {
  return CUT_PATHS.reduce((whole, [cut, path]) => whole.replaceAll(cut, path), text)
}

async function seed(bench: OrasBench, repository: Repository): Promise<void> {
  const created = { 'org.opencontainers.image.created': '2026-11-20T21:11:27Z' }
  await pushSeed(repository, { files: ['hi.txt'], artifactType: 'test/a', tag: 'first' })
  const named = (descriptor: Descriptor, title: string) => ({
    ...descriptor,
    annotations: { 'org.opencontainers.image.title': title },
  })
  const big = descriptorOf('application/vnd.oci.image.layer.v1.tar', BIG.bytes)
  await repository.push(big, openBytes(BIG.bytes))
  const hi = descriptorOf('application/vnd.oci.image.layer.v1.tar', Buffer.from('hello\n'))
  const root = packManifest({ layers: [named(hi, 'hi.txt'), named(big, 'big.bin')], annotations: created })
  await repository.push(root.descriptor, openBytes(root.bytes), { tag: 'v1' })
  // The registry of the captures lists the config's media type as the type of the artifact.
  const artifactType = 'application/vnd.oci.empty.v1+json'
  const referrer = packManifest({ artifactType, layers: [], subject: root.descriptor, annotations: created })
  await repository.push(referrer.descriptor, openBytes(referrer.bytes))
  bench.learnDigest(big.digest, BIG.digest)
  bench.learnDigest(root.descriptor.digest, ROOT)
  bench.learnDigest(referrer.descriptor.digest, REFERRER)
}

describe.skipIf(missing !== undefined)('what oras leaves on a terminal, gantry leaves', () => {
  let bench: OrasBench
  beforeAll(async () => {
    bench = await OrasBench.open()
    await writeFile(join(bench.folderOf(1), 'big.bin'), BIG.bytes)
    await bench.inRepository('golden9/tty', (repository) => seed(bench, repository))
  })
  afterAll(() => bench.close())

  test.each(captures.map((capture) => ({ ...capture, title: capture.words.join(' ') })))('$title', async (capture) => {
    const options = { folder: bench.folderOf(1), environment: bench.environment }
    const ran = await runOnTerminal(
      capture.words.map((word) => bench.toOwn(word)),
      options,
    )
    const wanted = readOras({ ...capture, text: withWholePaths(capture.text) })
    const [recorded] = wanted.lines.flatMap((line) => /^Digest: (sha256:\w+)/.exec(line)?.[1] ?? [])
    const [own] = /(?<=Digest: )sha256:\w+/.exec(bench.toRecorded(ran.text)) ?? []
    // A manifest of its own, made now.
    if (capture.words[0] === 'push') bench.learnDigest(own ?? '', recorded ?? '')
    const shown = readGantry({ ...ran, text: bench.toRecorded(ran.text) })
    expect(shown).toEqual(wanted)
    expect(ran.exitCode === 0).toBe(capture.exitCode === 0)
  })

  test('the captures are all there', () => {
    expect(captures).toHaveLength(10)
    expect(captures.flatMap((capture) => readOras(capture).items).length).toBeGreaterThan(15)
  })
})

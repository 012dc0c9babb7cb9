import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { descriptorOf, type Descriptor } from '../../../src/oci/descriptor.js'
import { packManifest, type PackOptions } from '../../../src/oci/pack.js'
import type { Sink } from '../../../src/store/store.js'
import { openBytes } from '../../../src/util/bytes.js'
import { projectFolder } from '../../scenarios/harness/program.js'
import { CREATED } from '../fixture.js'

export const orasFixtures = join(projectFolder, 'fixtures/oras')

/** What was pushed before the second part of the transcripts: a, b and c, and what refers to a. */
const SEEDS: Readonly<Record<string, SeedSettings>> = {
  a: { files: ['hi.txt'], artifactType: 'test/a' },
  b: { files: ['bye.txt'], artifactType: 'test/b', config: ['image.config', '{"architecture":"arm64","os":"linux"}'] },
  c: { files: ['hi.txt', 'bye.txt'], config: ['me', '{}'] },
  file: { files: ['hi.txt'], artifactType: 'doc/ex', subject: 'a' },
  note: { files: [], artifactType: 'doc/ex2', subject: 'a', annotations: { k: 'v' } },
  signature: { files: [], artifactType: 'sig/x', subject: 'file', annotations: { s: 't' } },
}

const CONFIG_TYPES: Readonly<Record<string, string>> = {
  'image.config': 'application/vnd.oci.image.config.v1+json',
  me: 'application/vnd.me.config',
}

interface SeedSettings {
  readonly files: readonly string[]
  readonly artifactType?: string
  readonly config?: readonly [string, string]
  readonly subject?: string
  readonly annotations?: Readonly<Record<string, string>>
}

interface Seed extends Omit<SeedSettings, 'subject'> {
  readonly subject?: Descriptor | undefined
  readonly tag: string | undefined
}

/** Pushes all of them into one repository; what refers to something has no tag. */
export async function pushSeeds(sink: Sink): Promise<ReadonlyMap<string, Descriptor>> {
  const pushed = new Map<string, Descriptor>()
  for (const [name, settings] of Object.entries(SEEDS)) {
    const subject = settings.subject === undefined ? undefined : pushed.get(settings.subject)
    const tag = settings.subject === undefined ? name : undefined
    pushed.set(name, await pushSeed(sink, { ...settings, subject, tag }))
  }
  return pushed
}

export async function pushSeed(
  sink: Sink,
  { files, artifactType, config, subject, annotations, tag }: Seed,
): Promise<Descriptor> {
  const layers: Descriptor[] = []
  for (const name of files) {
    const bytes = await readFile(join(orasFixtures, 'inputs', name))
    const layer = descriptorOf('application/vnd.oci.image.layer.v1.tar', bytes)
    await sink.push(layer, openBytes(bytes))
    layers.push({ ...layer, annotations: { 'org.opencontainers.image.title': name } })
  }
  const created = { 'org.opencontainers.image.created': CREATED }
  const options = { layers, artifactType, subject, annotations: { ...annotations, ...created } }
  if (config === undefined) return pushPacked(sink, options, tag)
  const bytes = Buffer.from(config[1])
  const descriptor = descriptorOf(CONFIG_TYPES[config[0]] ?? config[0], bytes)
  await sink.push(descriptor, openBytes(bytes))
  return pushPacked(sink, { ...options, config: descriptor }, tag)
}

async function pushPacked(sink: Sink, options: PackOptions, tag: string | undefined): Promise<Descriptor> {
  const packed = packManifest(options)
  for (const { descriptor, bytes } of packed.blobs) await sink.push(descriptor, openBytes(bytes))
  await sink.push(packed.descriptor, openBytes(packed.bytes), { tag })
  return packed.descriptor
}

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTransport } from '../../src/registry/http/create-transport.js'
import { descriptorOf, type Descriptor } from '../../src/oci/descriptor.js'
import { MediaType } from '../../src/oci/media-types.js'
import { openBytes } from '../../src/util/bytes.js'
import { packManifest } from '../../src/oci/pack.js'
import { Repository } from '../../src/registry/repository.js'
import {
  startRegistryServer,
  type RegistryServer,
  type RegistryServerOptions,
} from '../../src/server/registry-server.js'

/** When everything in these tests was made. */
export const CREATED = '2020-01-01T00:00:00Z'

/** A registry of its own for a test, a folder, and the means to put things into both. */
export interface Fixture {
  readonly server: RegistryServer
  /** `localhost:port`: plain HTTP without a flag. */
  readonly registry: string
  readonly folder: string
  repository(name: string): Repository
  close(): Promise<void>
}

/** Starts a registry in this process. */
export async function createFixture(options: RegistryServerOptions = {}): Promise<Fixture> {
  const server = await startRegistryServer(options)
  const folder = await mkdtemp(join(tmpdir(), 'gantry-cli-'))
  const registry = server.registry.replace('127.0.0.1', 'localhost')
  const transport = createTransport({ registry, plainHttp: true })
  return {
    server,
    registry,
    folder,
    repository: (name) => new Repository(transport, name),
    close: async () => {
      await transport.close()
      await server.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export interface SeedOptions {
  /** What the file holds. */
  readonly text?: string | Uint8Array
  readonly title?: string
  readonly tag?: string
  readonly artifactType?: string
  readonly subject?: Descriptor
  readonly annotations?: Readonly<Record<string, string>>
}

/** Pushes an artifact with one file. */
export async function seedArtifact(repository: Repository, options: SeedOptions = {}): Promise<Descriptor> {
  const { text = 'hello\n', title = 'hi.txt', tag, artifactType, subject, annotations } = options
  const bytes = typeof text === 'string' ? Buffer.from(text) : text
  const layer = {
    ...descriptorOf(MediaType.imageLayer, bytes),
    annotations: { 'org.opencontainers.image.title': title },
  }
  const packed = packManifest({
    layers: [layer],
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(subject === undefined ? {} : { subject }),
    annotations: { 'org.opencontainers.image.created': CREATED, ...annotations },
  })
  await repository.push(layer, openBytes(bytes))
  for (const blob of packed.blobs) await repository.push(blob.descriptor, openBytes(blob.bytes))
  await repository.push(packed.descriptor, openBytes(packed.bytes), tag === undefined ? {} : { tag })
  return packed.descriptor
}

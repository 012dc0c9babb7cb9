import { createTransport } from '../../src/registry/http/create-transport.js'
import type { RegistryTransport } from '../../src/registry/http/transport.js'
import { Repository, type RepositoryOptions } from '../../src/registry/repository.js'
import { startRegistryServer } from '../../src/server/registry-server.js'
import { describeStore, type StoreFixture } from '../store/contract.js'

/** The same registry as it was before it learned to list referrers. */
function withoutReferrersApi(transport: RegistryTransport): RegistryTransport {
  return {
    registry: transport.registry,
    origin: transport.origin,
    request: (request) =>
      transport.request(request.url.includes('/referrers/') ? { ...request, url: '/v2/not-an-endpoint' } : request),
  }
}

async function startFixture(
  change: (transport: RegistryTransport) => RegistryTransport,
  options: RepositoryOptions = {},
): Promise<StoreFixture> {
  const server = await startRegistryServer()
  const transport = createTransport({ registry: server.registry, plainHttp: true })
  const repository = new Repository(change(transport), 'contract/test', options)
  return {
    sink: repository,
    source: async () => repository,
    close: async () => {
      await transport.close()
      await server.close()
    },
  }
}

const features = { resolvesBlobs: false }

describeStore('a repository', () => startFixture((transport) => transport), features)
describeStore('a repository without the referrers API', () => startFixture(withoutReferrersApi), features)
describeStore(
  'a repository that takes chunks',
  () => startFixture((transport) => transport, { uploadChunkSize: 100_000 }),
  features,
)

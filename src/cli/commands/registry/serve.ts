import { once } from 'node:events'
import type { AuthenticationOptions } from '../../../server/auth/authenticator.js'
import { startRegistryServer, type RegistryServerOptions } from '../../../server/registry-server.js'
import { command } from '../../command.js'
import { flag, parsed, parseSize, text, type OptionValues } from '../../options/option.js'
import { readTextFile } from '../../options/text-file.js'
import { UsageError } from '../../usage-error.js'

const options = {
  address: text('--address <host:port>', 'where to listen; port 0 is any free one (default: 127.0.0.1:0, or $PORT)'),
  disk: text('--disk <folder>', 'keep everything in this folder (default: in memory)'),
  htpasswd: text('--htpasswd <file>', 'ask for a user of this file'),
  auth: text('--auth <kind>', 'with --htpasswd: basic, or bearer for tokens (default: basic)'),
  anonymousPull: flag('--anonymous-pull', 'with --htpasswd: anybody may pull'),
  tlsCert: text('--tls-cert <file>', 'serve TLS with this certificate'),
  tlsKey: text('--tls-key <file>', 'key of the certificate'),
  readOnly: flag('--read-only', 'refuse everything that changes content'),
  maxBlobSize: parsed('--max-blob-size <size>', 'largest blob that is taken', parseSize),
  maxManifestSize: parsed('--max-manifest-size <size>', 'largest manifest that is taken (default: 4MiB)', parseSize),
  allowRemote: flag('--allow-remote', 'allow an address that other machines reach'),
  quiet: flag('-q, --quiet', 'do not log requests'),
}

export default command({
  summary: 'Serve a registry on this machine',
  description:
    'Until it is interrupted: for trying things out, for tests, for moving artifacts across. It keeps everything in memory, or in a folder. It is no replacement for a registry that is run as a service.',
  options,
  examples: [
    ["Serve a registry on a port of the system's choice", 'registry serve'],
    [
      'Serve a folder on port 5000, with users from an htpasswd file',
      'registry serve --address 127.0.0.1:5000 --disk ./registry --htpasswd ./users',
    ],
  ],
  async run({ options: values, context, signal, print, isForMachine }) {
    const { quiet, disk } = values
    const server = await startRegistryServer({
      ...(await readOptions(values, context.environment.PORT)),
      onRequest: quiet ? undefined : ({ method, url, status }) => print.notice(`${method} ${url} ${status}`),
    })
    const storage = disk ?? 'memory'
    if (isForMachine) print.json({ registry: server.registry, storage })
    else print.line(`Serving registry ${server.registry} from ${storage}`)
    if (!signal.aborted) await once(signal, 'abort')
    // Being interrupted is how this command ends well.
    await server.close()
  },
})

async function readOptions(
  values: OptionValues<typeof options>,
  port: string | undefined,
): Promise<RegistryServerOptions> {
  const { disk, htpasswd, tlsCert, tlsKey, readOnly, maxBlobSize, maxManifestSize, allowRemote } = values
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new UsageError('--tls-cert must be used in conjunction with --tls-key')
  }
  return {
    ...parseAddress(values.address, port),
    folder: disk,
    authentication: htpasswd === undefined ? undefined : await readAuthentication(htpasswd, values),
    tls:
      tlsCert === undefined || tlsKey === undefined
        ? undefined
        : { certificate: await readTextFile(tlsCert), key: await readTextFile(tlsKey) },
    readOnly,
    allowRemote,
    maxBlobSize,
    maxManifestSize,
  }
}

async function readAuthentication(
  htpasswd: string,
  { auth = 'basic', anonymousPull }: Pick<OptionValues<typeof options>, 'auth' | 'anonymousPull'>,
): Promise<AuthenticationOptions> {
  if (auth !== 'basic' && auth !== 'bearer') {
    throw new UsageError(`invalid argument "${auth}" for "--auth" flag`, { hint: 'Available options: basic, bearer' })
  }
  return { type: auth, htpasswd: await readTextFile(htpasswd), anonymousPull }
}

function parseAddress(address: string | undefined, port: string | undefined): { host: string; port: number } {
  const given = address ?? `127.0.0.1:${port ?? '0'}`
  const match = /^(\[[^\]]+\]|[^:]*):(\d{1,5})$/.exec(given)
  if (match === null || Number(match[2]) > 65535) {
    throw new UsageError(`invalid argument "${given}" for "--address" flag: expecting host:port`)
  }
  const host = (match[1] ?? '').replace(/^\[|\]$/g, '')
  return { host: host === '' ? '0.0.0.0' : host, port: Number(match[2]) }
}

import { once } from 'node:events'
import { startRegistryServer, type AuthenticationOptions, type RegistryServerOptions } from '../../index.js'
import { defineCommand } from '../define-command.js'
import { parseSize } from '../options/connection.js'
import { readTextFile } from '../options/text-file.js'
import { Printer } from '../output/printer.js'
import { UsageError } from '../usage-error.js'

interface Values {
  readonly address?: string
  readonly disk?: string
  readonly htpasswd?: string
  readonly auth?: string
  readonly anonymousPull?: boolean
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly readOnly?: boolean
  readonly maxBlobSize?: number
  readonly maxManifestSize?: number
  readonly allowRemote?: boolean
  readonly quiet?: boolean
}

export const registryServe = defineCommand<Values>({
  usage: '',
  description: `Serve a registry from this machine until it is interrupted: for trying things out, for tests, for moving
artifacts across. It keeps everything in memory, or in a folder. It is no replacement for a registry that is run as
a service.

Example - Serve a registry on a port of the system's choice:
  gantry registry serve

Example - Serve a folder on port 5000, with users from an htpasswd file:
  gantry registry serve --address 127.0.0.1:5000 --disk ./registry --htpasswd ./users`,
  arguments: { minimum: 0, as: 'nothing' },
  configure: (command) => {
    command
      .option('--address <host:port>', 'where to listen; port 0 is any free one (default: 127.0.0.1:0, or $PORT)')
      .option('--disk <folder>', 'keep everything in this folder (default: in memory)')
      .option('--htpasswd <file>', 'ask for a user of this file')
      .option('--auth <kind>', 'with --htpasswd: basic, or bearer for tokens (default: basic)')
      .option('--anonymous-pull', 'with --htpasswd: anybody may pull')
      .option('--tls-cert <file>', 'serve TLS with this certificate')
      .option('--tls-key <file>', 'key of the certificate')
      .option('--read-only', 'refuse everything that changes content')
      .option('--max-blob-size <size>', 'largest blob that is taken', parseSize)
      .option('--max-manifest-size <size>', 'largest manifest that is taken (default: 4MiB)', parseSize)
      .option('--allow-remote', 'allow an address that other machines reach')
      .option('-q, --quiet', 'do not log requests')
  },
  run: async ({ context, values }) => {
    const printer = new Printer(context)
    const options = await readOptions(values, context.environment.PORT)
    const server = await startRegistryServer({
      ...options,
      ...(values.quiet === true
        ? {}
        : { onRequest: ({ method, url, status }) => printer.notice(`${method} ${url} ${status}`) }),
    })
    printer.line(`Serving registry ${server.registry} from ${values.disk ?? 'memory'}`)
    if (!context.signal.aborted) await once(context.signal, 'abort')
    await server.close()
    // Being interrupted is how this command ends well.
    return 0
  },
})

async function readOptions(values: Values, port: string | undefined): Promise<RegistryServerOptions> {
  if ((values.tlsCert === undefined) !== (values.tlsKey === undefined)) {
    throw new UsageError('--tls-cert must be used in conjunction with --tls-key')
  }
  const { disk, htpasswd, tlsCert, tlsKey, readOnly, maxBlobSize, maxManifestSize, allowRemote } = values
  return {
    ...parseAddress(values.address, port),
    ...(disk === undefined ? {} : { folder: disk }),
    ...(htpasswd === undefined ? {} : { authentication: await readAuthentication(htpasswd, values) }),
    ...(tlsCert === undefined || tlsKey === undefined
      ? {}
      : { tls: { certificate: await readTextFile(tlsCert), key: await readTextFile(tlsKey) } }),
    readOnly: readOnly === true,
    allowRemote: allowRemote === true,
    ...(maxBlobSize === undefined ? {} : { maxBlobSize }),
    ...(maxManifestSize === undefined ? {} : { maxManifestSize }),
  }
}

async function readAuthentication(
  htpasswd: string,
  { auth = 'basic', anonymousPull }: Values,
): Promise<AuthenticationOptions> {
  if (auth !== 'basic' && auth !== 'bearer') {
    throw new UsageError(`invalid argument "${auth}" for "--auth" flag`, { hint: 'Available options: basic, bearer' })
  }
  return { type: auth, htpasswd: await readTextFile(htpasswd), anonymousPull: anonymousPull === true }
}

function parseAddress(address: string | undefined, port: string | undefined): { host: string; port: number } {
  const text = address ?? `127.0.0.1:${port ?? '0'}`
  const match = /^(\[[^\]]+\]|[^:]*):(\d{1,5})$/.exec(text)
  if (match === null || Number(match[2]) > 65535) {
    throw new UsageError(`invalid argument "${text}" for "--address" flag: expecting host:port`)
  }
  const host = (match[1] ?? '').replace(/^\[|\]$/g, '')
  return { host: host === '' ? '0.0.0.0' : host, port: Number(match[2]) }
}

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request as requestPlain } from 'node:http'
import { request as requestTls } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env } from 'node:process'
import { inject } from 'vitest'
import type * as Library from '../../../src/entry-points/testing.js'
import { htpasswd } from './accounts.js'
import { createCertificates, readCertificate } from './certificates.js'
import type { Certificates } from './certificates.js'
import { freePort } from './free-port.js'
import { requestPeer } from './peers.js'
import { projectFolder } from './program.js'

/** A registry server, and how it differs where a scenario can see it. */
export interface RegistryKind {
  readonly name: string
  /** It lists referrers itself; without that they are kept under a tag. */
  readonly listsReferrers: boolean
  /** It can ask for a password. */
  readonly knowsPasswords: boolean
  /** It takes manifests of the older `application/vnd.oci.artifact.manifest.v1+json` form. */
  readonly takesArtifactManifests: boolean
  /** It lists its repositories. */
  readonly hasCatalog: boolean
}

const kinds: readonly RegistryKind[] = [
  { name: 'gantry', listsReferrers: true, knowsPasswords: true, takesArtifactManifests: true, hasCatalog: true },
  {
    name: 'docker-registry',
    listsReferrers: false,
    knowsPasswords: true,
    takesArtifactManifests: false,
    hasCatalog: true,
  },
  { name: 'registry', listsReferrers: false, knowsPasswords: true, takesArtifactManifests: false, hasCatalog: true },
  { name: 'olareg', listsReferrers: true, knowsPasswords: false, takesArtifactManifests: false, hasCatalog: false },
]

/** The servers that this run of the tests is about, as far as they are installed. */
export function registriesUnderTest(): RegistryKind[] {
  const names = inject('registries').filter((name) => name === 'gantry' || requestPeer(name) !== undefined)
  return kinds.filter(({ name }) => names.includes(name))
}

export interface RegistryOptions {
  /** Ask for the passwords of `accounts`, where the server can. */
  readonly password?: boolean
  /** Speak TLS with a certificate of an authority that nobody knows. */
  readonly tls?: boolean
}

/** A registry that runs until it is stopped. */
export interface RunningRegistry {
  /** Host and port as in references; a name that plain HTTP is spoken to without a flag only where that is right. */
  readonly host: string
  readonly certificates: Certificates | undefined
  stop(): Promise<void>
}

/** Starts a registry on a free port, with a folder of its own that goes away with it. */
export async function startRegistry(kind: RegistryKind, options: RegistryOptions = {}): Promise<RunningRegistry> {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-registry-'))
  const certificates = options.tls ? await createCertificates(folder) : undefined
  const server =
    kind.name === 'gantry'
      ? await startEmbedded(folder, certificates, options)
      : await startPeer(kind, folder, certificates, options)
  return {
    host: `${certificates ? '127.0.0.1' : 'localhost'}:${server.port}`,
    certificates,
    stop: async () => {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

interface Server {
  readonly port: number
  stop(): Promise<void>
}

async function startEmbedded(folder: string, tls: Certificates | undefined, options: RegistryOptions): Promise<Server> {
  // The library as it is published, not its sources.
  const { startRegistryServer } = (await import(join(projectFolder, 'dist/testing.js'))) as typeof Library
  const server = await startRegistryServer({
    folder: join(folder, 'data'),
    // Scenarios reach it under names of their own.
    allowRemote: true,
    ...(tls === undefined ? {} : { tls: await readCertificate(tls) }),
    ...(options.password ? { authentication: { type: 'basic', htpasswd } } : {}),
  })
  return { port: Number(server.registry.split(':').at(-1)), stop: () => server.close() }
}

async function startPeer(
  { name }: RegistryKind,
  folder: string,
  tls: Certificates | undefined,
  options: RegistryOptions,
): Promise<Server> {
  const port = await freePort()
  const data = join(folder, 'data')
  await mkdir(data)
  const variables: Record<string, string> = tls ? { TLS_CERT: tls.certificate, TLS_KEY: tls.key } : {}
  if (options.password) {
    variables.HTPASSWD = join(folder, 'htpasswd')
    await writeFile(variables.HTPASSWD, htpasswd)
  }
  const server = spawn(join(projectFolder, 'scripts/serve'), [name, String(port), data], {
    env: { ...env, ...variables },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let complaints = ''
  server.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()))
  const stop = () => stopProcess(server)
  try {
    await untilItAnswers(port, tls !== undefined, () => server.exitCode !== null)
  } catch (cause) {
    await stop()
    throw new Error(`${name} did not start on port ${port}: ${complaints}`, { cause })
  }
  return { port, stop }
}

async function stopProcess(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  const ended = new Promise((resolve) => server.once('exit', resolve))
  server.kill('SIGTERM')
  const timer = setTimeout(() => server.kill('SIGKILL'), 5000)
  await ended
  clearTimeout(timer)
}

async function untilItAnswers(port: number, tls: boolean, hasEnded: () => boolean): Promise<void> {
  const deadline = Date.now() + 300_000
  for (;;) {
    try {
      await knock(port, tls)
      return
    } catch (error) {
      if (hasEnded() || Date.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
  }
}

function knock(port: number, tls: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path: '/v2/', agent: false }
    const request = tls ? requestTls({ ...options, rejectUnauthorized: false }) : requestPlain(options)
    request.once('error', reject)
    request.once('response', (response) => {
      response.resume()
      response.once('end', resolve)
    })
    request.end()
  })
}

import { readdir, realpath } from 'node:fs/promises'
import { join, posix, win32 } from 'node:path'
import { GantryError } from '../errors.js'
import { fileError, isSystemError } from '../util/file-error.js'
import { readSmallFile } from '../util/read-file.js'
import { readUnlessForbidden, type OnSkippedFile } from './optional-file.js'
import { isDockerHub } from './server-keys.js'

/** The largest certificate or key file that is read, in bytes. */
export const MAX_CERTIFICATE_SIZE = 1024 * 1024

/** What the folders for one registry hold, as PEM text. */
export interface RegistryCertificates {
  /** Authorities that are trusted beside those of the system. */
  readonly ca: readonly string[]
  /** Client certificate, always together with its key. */
  readonly certificate?: string
  readonly key?: string
}

export interface CertificateReading {
  /** Default: the platform that this runs on. */
  readonly platform?: NodeJS.Platform | undefined
  /** Told of each file and folder that is passed over because it may not be read. */
  readonly onSkippedFile?: OnSkippedFile | undefined
}

/**
 * The folders in which Podman and Docker look for certificates (containers-certs.d(5)): the user's before the system's.
 * @param homeFolder the user's home folder; undefined where there is none
 */
export function certificateRootsOf(
  homeFolder: string | undefined,
  platform: NodeJS.Platform = process.platform,
): readonly string[] {
  const path = platform === 'win32' ? win32 : posix
  const owners = homeFolder === undefined ? [] : ['containers', 'docker']
  const homeRoots = owners.map((owner) => path.join(homeFolder ?? '', '.config', owner, 'certs.d'))
  return platform === 'win32' ? homeRoots : [...homeRoots, '/etc/containers/certs.d', '/etc/docker/certs.d']
}

/**
 * Reads the certificates for a registry from `<root>/<host[:port]>` below every root (containers-certs.d(5)): each
 * `*.crt` is an authority; `X.cert` and `X.key` are a client certificate, the first by name in the first folder that
 * has one. Port 443 may be left out of a folder's name; Docker Hub's folder is `docker.io`.
 * @param registry host and port as in references
 * @param roots the folders above; those that do not exist, or may not be entered, are passed over, and so are files
 *   that may not be read
 * @throws GantryError `file-error` when a file cannot be read, `invalid-content` when it is not PEM or one half of a pair
 *   is missing
 */
export async function readRegistryCertificates(
  registry: string,
  roots: readonly string[],
  { platform = process.platform, onSkippedFile }: CertificateReading = {},
): Promise<RegistryCertificates> {
  const ca: string[] = []
  let pair: Pick<RegistryCertificates, 'certificate' | 'key'> = {}
  // A system's client keys are often root's.
  const read = (path: string, label: string) => readUnlessForbidden(path, () => readPem(path, label), onSkippedFile)
  for (const root of roots) {
    for (const name of folderNamesOf(registry, platform)) {
      const folder = join(root, name)
      const names = await namesIn(folder, onSkippedFile)
      for (const file of names.filter((candidate) => candidate.endsWith('.crt'))) {
        const authority = await read(join(folder, file), 'CERTIFICATE')
        if (authority !== undefined) ca.push(authority)
      }
      const stem = clientPairIn(folder, names)
      if (stem === undefined || pair.certificate !== undefined) continue
      const certificate = await read(join(folder, `${stem}.cert`), 'CERTIFICATE')
      const key = await read(join(folder, `${stem}.key`), 'PRIVATE KEY')
      if (certificate !== undefined && key !== undefined) pair = { certificate, key }
    }
  }
  return { ca: [...new Set(ca)], ...pair }
}

function folderNamesOf(registry: string, platform: NodeJS.Platform): readonly string[] {
  if (!/^[A-Za-z0-9.:[\]_-]+$/.test(registry) || /^\.+$/.test(registry)) return []
  const host = registry.replace(/:443$/, '')
  const hosts = isDockerHub(host) ? ['docker.io'] : [host]
  const hasPort = /:\d+$/.test(host)
  const names = hasPort ? hosts : hosts.flatMap((name) => [name, `${name}:443`])
  // A colon cannot be part of a name there; Docker leaves it out.
  return platform === 'win32' ? [...new Set(names.map((name) => name.replaceAll(':', '')))] : names
}

async function namesIn(folder: string, onSkippedFile: OnSkippedFile | undefined): Promise<readonly string[]> {
  const list = async (): Promise<readonly string[]> => {
    try {
      return (await readdir(folder)).sort()
    } catch (cause) {
      if (isSystemError(cause, 'ENOENT', 'ENOTDIR')) return []
      throw fileError(cause, 'list', folder)
    }
  }
  // Podman passes over folders of another user too; should the certificate matter, the connection says so.
  return (await readUnlessForbidden(folder, list, onSkippedFile)) ?? []
}

/** The name that a certificate and its key share. */
function clientPairIn(folder: string, names: readonly string[]): string | undefined {
  const stemsOf = (ending: string): string[] =>
    names.filter((name) => name.endsWith(ending)).map((name) => name.slice(0, -ending.length))
  const certificates = stemsOf('.cert')
  const keys = stemsOf('.key')
  const withoutKey = certificates.find((stem) => !keys.includes(stem))
  if (withoutKey !== undefined) {
    throw new GantryError('invalid-content', `${folder} has ${withoutKey}.cert without ${withoutKey}.key`, {
      hint: 'the certificate of an authority ends in .crt',
    })
  }
  const withoutCertificate = keys.find((stem) => !certificates.includes(stem))
  if (withoutCertificate !== undefined) {
    throw new GantryError(
      'invalid-content',
      `${folder} has ${withoutCertificate}.key without ${withoutCertificate}.cert`,
    )
  }
  return certificates[0]
}

async function readPem(path: string, label: string): Promise<string> {
  let target: string
  try {
    // Certificates that a cluster or a package manager provides are links.
    target = await realpath(path)
  } catch (cause) {
    throw fileError(cause, 'read', path)
  }
  const text = new TextDecoder().decode(await readSmallFile(target, MAX_CERTIFICATE_SIZE))
  if (text.includes('-----BEGIN ') && text.includes(`${label}-----`)) return text
  throw new GantryError('invalid-content', `${path} holds no ${label.toLowerCase()} in PEM`)
}

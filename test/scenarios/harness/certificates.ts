import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** Files of a certificate authority of one's own, and of a server that it vouches for. */
export interface Certificates {
  readonly authority: string
  readonly certificate: string
  readonly key: string
}

/** Makes an authority and a certificate for the loopback interface in a folder. */
export async function createCertificates(folder: string): Promise<Certificates> {
  const authority = join(folder, 'authority.pem')
  const certificate = join(folder, 'server.pem')
  const key = join(folder, 'server-key.pem')
  const authorityKey = join(folder, 'authority-key.pem')
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc', '-days', '2']
  const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1'
  await openssl('req', '-x509', ...newKey, '-subj', '/CN=Test authority', '-keyout', authorityKey, '-out', authority)
  await openssl(
    ...['req', '-x509', ...newKey, '-subj', '/CN=localhost', '-addext', names],
    ...['-addext', 'basicConstraints=critical,CA:false'],
    ...['-CA', authority, '-CAkey', authorityKey, '-keyout', key, '-out', certificate],
  )
  return { authority, certificate, key }
}

/** Certificate and key as text. */
export async function readCertificate({
  certificate,
  key,
}: Certificates): Promise<{ certificate: string; key: string }> {
  return { certificate: await readFile(certificate, 'utf8'), key: await readFile(key, 'utf8') }
}

async function openssl(...words: string[]): Promise<void> {
  await execute('openssl', words)
}

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'

const execute = promisify(execFile)
const root = join(import.meta.dirname, '../..')

/**
 * A registry that runs until it is stopped. `authority` is the file of the one that signed its certificate.
 * @typedef {{ port: number, pid: number, authority?: string, stop: () => Promise<void> }} Registry
 */

/** A relay in front of it has another port, which only a registry for other machines takes. */
const SERVE_FLAGS = ['--quiet', '--allow-remote']

/**
 * Starts a registry on loopback.
 * @param {string} name `registry` (Distribution v3), `olareg`, or `gantry` for the embedded one
 * @param {{ folder: string, gantry: string, certificates?: Certificates }} options
 * @returns {Promise<Registry>}
 */
export async function startRegistry(name, { folder, gantry, certificates }) {
  const port = await freePort()
  await mkdir(folder, { recursive: true })
  const { authority, certificate, key } = certificates ?? {}
  const [program, words] =
    name === 'gantry'
      ? [
          process.execPath,
          [gantry, 'registry', 'serve', ...SERVE_FLAGS, '--address', `127.0.0.1:${port}`, '--disk', folder],
        ]
      : [join(root, 'scripts/serve'), [name, String(port), folder]]
  const child = spawn(program, words, {
    env: { ...process.env, ...(certificates === undefined ? {} : { TLS_CERT: certificate, TLS_KEY: key }) },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const stop = stopper(child)
  try {
    await untilItListens(child, port)
  } catch (error) {
    await stop()
    throw new Error(`${name} did not start: ${error.message}`, { cause: error })
  }
  return { port, pid: child.pid, stop, ...(authority === undefined ? {} : { authority }) }
}

/**
 * Starts a relay in front of a port.
 * @param {{ port: number, delay?: number, rate?: number }} way see relay.js
 */
export async function startRelay({ port, delay = 0, rate }) {
  const words = ['--port', port, '--delay', delay, ...(rate === undefined ? [] : ['--rate', rate])].map(String)
  const child = spawn(process.execPath, [join(import.meta.dirname, 'relay.js'), ...words], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const stop = stopper(child)
  for await (const line of createInterface({ input: child.stdout })) return { port: Number(line), stop }
  await stop()
  throw new Error('a relay ended before it listened')
}

/**
 * Files of a certificate authority of one's own, and of a server on loopback that it vouches for.
 * @typedef {{ authority: string, certificate: string, key: string }} Certificates
 */

/** @param {string} folder @returns {Promise<Certificates>} */
export async function createCertificates(folder) {
  const pathOf = (name) => join(folder, `${name}.pem`)
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc', '-days', '2']
  const authority = ['-x509', '-subj', '/CN=Benchmark authority', '-keyout', pathOf('authority-key')]
  await execute('openssl', ['req', ...newKey, ...authority, '-out', pathOf('authority')])
  await execute('openssl', [
    ...['req', ...newKey, '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
    ...['-addext', 'basicConstraints=critical,CA:false', '-CA', pathOf('authority'), '-CAkey', pathOf('authority-key')],
    ...['-keyout', pathOf('server-key'), '-out', pathOf('server')],
  ])
  return { authority: pathOf('authority'), certificate: pathOf('server'), key: pathOf('server-key') }
}

function stopper(child) {
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  const ended = once(child, 'exit')
  return async () => {
    process.off('exit', kill)
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGTERM')
    const timer = setTimeout(kill, 5000)
    await ended
    clearTimeout(timer)
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

async function untilItListens(child, port) {
  let complaints = ''
  child.stderr.on('data', (chunk) => (complaints = `${complaints}${chunk}`.slice(-2000)))
  const deadline = performance.now() + 15_000
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(complaints)
    if (performance.now() > deadline) throw new Error(`nothing listens on port ${port}: ${complaints}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const finish = (answer) => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => finish(true))
    socket.once('error', () => finish(false))
  })
}

import { Agent, createServer, request as sendRequest, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRegistryHandler, type RegistryHandlerOptions } from '../../src/server/registry-handler.js'
import { createMemoryStorage } from '../../src/server/storage/memory-storage.js'
import type { RegistryStorage } from '../../src/server/storage/storage.js'
import type { EmulatedAnswer } from './answer.js'
import type { Call } from './call.js'

/** Headers that belong to one connection. */
const HOP_HEADERS = new Set(['connection', 'keep-alive', 'transfer-encoding', 'host', 'authorization', 'expect'])

/** The embedded registry as it is, on a port of its own that only the switches in front of it know. */
export class InnerRegistry {
  readonly storage: RegistryStorage
  readonly #server: Server
  readonly #agent = new Agent({ keepAlive: true })

  private constructor(storage: RegistryStorage, server: Server) {
    this.storage = storage
    this.#server = server
  }

  static async start(options: RegistryHandlerOptions): Promise<InnerRegistry> {
    const storage = createMemoryStorage()
    const server = createServer(createRegistryHandler(storage, options))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new InnerRegistry(storage, server)
  }

  /** Sends a call as it is now to the registry. */
  ask(call: Call): Promise<EmulatedAnswer> {
    const query = call.query.toString()
    const headers = Object.entries(call.headers).filter(([name]) => !HOP_HEADERS.has(name))
    const { port } = this.#server.address() as AddressInfo
    return new Promise((resolve, reject) => {
      const outgoing = sendRequest(
        {
          host: '127.0.0.1',
          port,
          agent: this.#agent,
          method: call.method,
          path: `${call.path}${query === '' ? '' : `?${query}`}`,
          headers: Object.fromEntries(headers),
        },
        (answer) => {
          const kept = Object.entries(answer.headers).filter(([name]) => !HOP_HEADERS.has(name) && name !== 'date')
          resolve({
            status: answer.statusCode ?? 0,
            headers: Object.fromEntries(kept) as EmulatedAnswer['headers'],
            body: answer,
          })
        },
      )
      outgoing.on('error', reject)
      if (Buffer.isBuffer(call.body)) {
        outgoing.end(call.body)
        return
      }
      // What breaks off in front breaks off behind.
      call.body.on('error', (error) => outgoing.destroy(error))
      call.request.on('close', () => {
        if (!call.request.complete) outgoing.destroy()
      })
      call.body.pipe(outgoing)
    })
  }

  async close(): Promise<void> {
    this.#agent.destroy()
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
    await this.storage.close()
  }
}

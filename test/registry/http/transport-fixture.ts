import { afterEach } from 'vitest'
import type { Clock } from '../../../src/registry/http/clock.js'
import { createTransport, type Transport } from '../../../src/registry/http/create-transport.js'
import type { RegistryAnswer, RegistryRequest } from '../../../src/registry/http/transport.js'
import type { TransportOptions } from '../../../src/registry/http/transport-options.js'
import { delay } from '../../../src/util/abort.js'
import { collectBytes, openBytes } from '../../../src/util/bytes.js'
import { startScriptedServer, type Script, type ScriptedServer, type ScriptedServerOptions } from './scripted-server.js'

export interface TransportFixture {
  serve(script: Script, options?: ScriptedServerOptions): Promise<ScriptedServer>
  /** A transport to a scripted server, plain unless `plainHttp` says otherwise. */
  connect(server: { readonly host: string }, options?: Partial<TransportOptions>, clock?: Clock): Transport
}

/** Starts servers and transports that are closed after each test. */
export function useTransports(): TransportFixture {
  const closers: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close()
  })
  return {
    serve: async (script, options) => {
      const server = await startScriptedServer(script, options)
      closers.push(() => server.close())
      return server
    },
    connect: (server, options = {}, clock) => {
      const internals = clock === undefined ? {} : { clock }
      const transport = createTransport({ registry: server.host, plainHttp: true, ...options }, internals)
      closers.push(() => transport.close())
      return transport
    },
  }
}

/** A GET that is repeated and follows redirects. */
export function get(url: string, more: Partial<RegistryRequest> = {}): RegistryRequest {
  return { method: 'GET', url, scopes: [], retry: 'free', followRedirects: true, ...more }
}

export function put(url: string, content: string | Uint8Array, more: Partial<RegistryRequest> = {}): RegistryRequest {
  const bytes = Buffer.from(content)
  const body = { content: openBytes(bytes), size: bytes.length, contentType: 'application/octet-stream' }
  return { method: 'PUT', url, scopes: [], retry: 'never', body, ...more }
}

export async function textOf(answer: RegistryAnswer): Promise<string> {
  return Buffer.from(await collectBytes(answer.body, 1_000_000, 'body')).toString()
}

/** A clock on which waiting takes no time; every wait is written down. */
export class VirtualClock implements Clock {
  readonly waits: number[] = []
  #now = 1_000_000
  #date = Date.UTC(2026, 0, 15, 12, 0, 0)

  constructor(readonly fraction = 1) {}

  now(): number {
    return this.#now
  }

  date(): number {
    return this.#date
  }

  random(): number {
    return this.fraction
  }

  /** Lets time go by. */
  advance(milliseconds: number): void {
    this.#now += milliseconds
    this.#date += milliseconds
  }

  /** Moves only the clock on the wall. */
  jump(milliseconds: number): void {
    this.#date += milliseconds
  }

  async wait(milliseconds: number, signal?: AbortSignal): Promise<void> {
    this.waits.push(milliseconds)
    await delay(0, signal)
    this.advance(milliseconds)
  }
}

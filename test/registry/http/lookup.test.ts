import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { GantryError } from '../../../src/errors.js'
import type { HostClass } from '../../../src/registry/http/host-class.js'
import { createLookup } from '../../../src/registry/http/lookup.js'
import { useTransports } from './transport-fixture.js'

const { serve } = useTransports()
const refuse = (hostname: string, hostClass: HostClass): Error =>
  new GantryError('untrusted-destination', `${hostname} is ${hostClass}`)

async function tryConnect(port: number, mayConnect: (hostClass: HostClass) => boolean): Promise<string> {
  const socket = connect({ host: 'localhost', port, lookup: createLookup(mayConnect, refuse), autoSelectFamily: true })
  return new Promise((resolve) => {
    socket.once('connect', () => {
      socket.destroy()
      resolve('connected')
    })
    socket.once('error', (error) => resolve(error.message))
  })
}

describe('createLookup', () => {
  test('hands out what may be connected to', async () => {
    const server = await serve(({ answer }) => answer(200))
    expect(await tryConnect(server.port, () => true)).toBe('connected')
  })

  test('refuses at the moment of connecting', async () => {
    const server = await serve(({ answer }) => answer(200))
    expect(await tryConnect(server.port, (hostClass) => hostClass === 'public')).toBe('localhost is loopback')
    expect(server.connections()).toBe(0)
  })

  test('passes on that there is no such name', async () => {
    const lookup = createLookup(() => true, refuse)
    const error = await new Promise((resolve) => lookup('nosuch.invalid', {}, resolve))
    expect(error).toMatchObject({ code: expect.stringMatching(/ENOTFOUND|EAI_AGAIN/) })
  })

  test('answers one address to whoever wants one', async () => {
    const lookup = createLookup(() => true, refuse)
    const address = await new Promise((resolve) => lookup('localhost', { family: 4 }, (_, found) => resolve(found)))
    expect(address).toBe('127.0.0.1')
  })
})

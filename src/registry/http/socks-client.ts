// Few need the library: the build makes a file of its own from this one, which is loaded when it is needed.
import type { Socket } from 'node:net'
import { SocksClient } from 'socks'
import type { Proxy } from './proxy.js'

/**
 * Asks a SOCKS5 proxy for a connection (RFC 1928); the proxy resolves the name.
 * @param socket an open connection to the proxy
 */
export async function openSocks(
  socket: Socket,
  { hostname, port, user }: Proxy,
  destination: { readonly host: string; readonly port: number },
): Promise<Socket> {
  const account = user === undefined ? {} : { userId: user.name, password: user.password }
  const opened = await SocksClient.createConnection({
    proxy: { host: hostname, port, type: 5, ...account },
    command: 'connect',
    destination,
    existing_socket: socket,
  })
  return opened.socket
}

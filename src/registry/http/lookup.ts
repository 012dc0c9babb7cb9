import { lookup as resolveName } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { classifyAddress, type HostClass } from './host-class.js'

/**
 * A name lookup that hands out only those addresses that may be connected to, so that a name cannot resolve to one
 * place when it is checked and to another when it is used.
 * @param mayConnect decides on the class of an address
 * @param refuse the error when none is left
 */
export function createLookup(
  mayConnect: (hostClass: HostClass) => boolean,
  refuse: (hostname: string, hostClass: HostClass) => Error,
): LookupFunction {
  return (hostname, options, callback) => {
    resolveName(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) {
        callback(error, [])
        return
      }
      const allowed = addresses.filter(({ address }) => mayConnect(classifyAddress(address)))
      const [first] = allowed
      if (first === undefined) {
        callback(refuse(hostname, classifyAddress(addresses[0]?.address ?? '')), [])
      } else if (options.all === true) callback(null, allowed)
      else callback(null, first.address, first.family)
    })
  }
}

import { BlockList, isIP } from 'node:net'

/**
 * What kind of place an address is. `reserved` stands for everything that no server can be meant by: unspecified,
 * multicast and broadcast addresses.
 */
export type HostClass = 'public' | 'private' | 'loopback' | 'link-local' | 'reserved'

const BLOCKS: readonly (readonly [HostClass, readonly string[]])[] = [
  ['loopback', ['127.0.0.0/8', '::1/128']],
  ['link-local', ['169.254.0.0/16', 'fe80::/10']],
  // Private use, shared address space of carriers, benchmarking, unique local, and the withdrawn site-local block.
  [
    'private',
    ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '198.18.0.0/15', 'fc00::/7', 'fec0::/10'],
  ],
  ['reserved', ['0.0.0.0/8', '192.0.0.0/24', '224.0.0.0/4', '240.0.0.0/4', '::/128', 'ff00::/8']],
]

const LISTS = BLOCKS.map(([hostClass, blocks]) => {
  const list = new BlockList()
  for (const block of blocks) {
    const [network = '', prefix = ''] = block.split('/')
    list.addSubnet(network, Number(prefix), network.includes(':') ? 'ipv6' : 'ipv4')
  }
  return { hostClass, list }
})

/** Prefixes of 96 bits whose last 32 are an IPv4 address: mapped, compatible, translated, NAT64 (RFC 6052, RFC 8215). */
const EMBEDDING_PREFIXES = ['0:0:0:0:0:ffff', '0:0:0:0:0:0', '0:0:0:0:ffff:0', '64:ff9b:0:0:0:0']
/** NAT64 for local use (RFC 8215), a /48 of which the last 32 bits are taken. */
const LOCAL_NAT64_PREFIX = '64:ff9b:1:'
/** 6to4 (RFC 3056) carries the IPv4 address in the 32 bits after this prefix. */
const SIX_TO_FOUR_PREFIX = '2002:'

/**
 * The class of a host as it stands in an address: a name, an IPv4 address, or an IPv6 address with or without brackets.
 * Names count as `public`, whatever they resolve to, but for those that mean this machine.
 */
export function classifyHost(host: string): HostClass {
  const bare = host.replace(/^\[|\]$/g, '')
  if (isIP(bare) !== 0) return classifyAddress(bare)
  const name = bare.toLowerCase().replace(/\.$/, '')
  return name === 'localhost' || name.endsWith('.localhost') ? 'loopback' : 'public'
}

/** Endings of names that only a local network resolves (RFC 6762, RFC 8375, and what ICANN reserves). */
const LOCAL_ENDINGS = ['.internal', '.local', '.localhost', '.home.arpa']

/** Whether a host is a name that means something in a local network only; addresses are none. */
export function isLocalName(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '')
  const name = bare.toLowerCase().replace(/\.$/, '')
  if (isIP(bare) !== 0) return false
  return !name.includes('.') || LOCAL_ENDINGS.some((ending) => name.endsWith(ending))
}

/** The class of an IP address. An IPv6 address that carries an IPv4 one has the class of the latter. */
export function classifyAddress(address: string): HostClass {
  const withoutZone = address.replace(/%.*$/, '')
  const family = isIP(withoutZone)
  if (family === 0) return 'reserved'
  if (family === 6) {
    const embedded = embeddedIPv4(withoutZone)
    if (embedded !== undefined) return classifyAddress(embedded)
  }
  const type = family === 6 ? 'ipv6' : 'ipv4'
  return LISTS.find(({ list }) => list.check(withoutZone, type))?.hostClass ?? 'public'
}

function embeddedIPv4(address: string): string | undefined {
  const groups = groupsOf(address)
  const text = groups.map((group) => group.toString(16)).join(':')
  if (text === '0:0:0:0:0:0:0:0' || text === '0:0:0:0:0:0:0:1') return undefined
  if (text.startsWith(SIX_TO_FOUR_PREFIX)) return dotted(groups[1], groups[2])
  const embeds = EMBEDDING_PREFIXES.includes(
    groups
      .slice(0, 6)
      .map((group) => group.toString(16))
      .join(':'),
  )
  return embeds || text.startsWith(LOCAL_NAT64_PREFIX) ? dotted(groups[6], groups[7]) : undefined
}

function dotted(high = 0, low = 0): string {
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}

/** The eight groups of a valid IPv6 address. */
function groupsOf(address: string): number[] {
  const [head = '', tail] = address.split('::')
  const before = parseGroups(head)
  if (tail === undefined) return before
  const after = parseGroups(tail)
  return [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after]
}

function parseGroups(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)]
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number)
    return [a * 256 + b, c * 256 + d]
  })
}

const LOCALITY: Readonly<Record<HostClass, number>> = {
  public: 0,
  private: 1,
  loopback: 2,
  'link-local': 3,
  reserved: 3,
}

/**
 * Whether a server of class `from` may send us to one of class `to`: never closer to this machine than it is itself,
 * and never to link-local (where clouds keep their metadata) and reserved addresses.
 */
export function mayPoint(from: HostClass, to: HostClass): boolean {
  return LOCALITY[to] < LOCALITY['link-local'] && LOCALITY[to] <= LOCALITY[from]
}

/** Whether `one` is further away from this machine than `other`. */
export function isMorePublic(one: HostClass, other: HostClass): boolean {
  return LOCALITY[one] < LOCALITY[other]
}

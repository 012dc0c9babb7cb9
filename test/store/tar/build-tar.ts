/** Writes archives with any field set to anything, which no library would do. */

const BLOCK = 512

export interface RawHeader {
  readonly name?: string | Uint8Array
  readonly type?: string
  readonly size?: number
  readonly linkName?: string
  readonly mode?: string
  readonly magic?: string
  readonly prefix?: string
  readonly modified?: number
  /** Bytes put over the header before the checksum is taken. */
  readonly patch?: { readonly offset: number; readonly bytes: string }
  readonly checksum?: string
}

export function header(options: RawHeader = {}): Buffer {
  const { name = 'x', type = '0', size = 0, linkName = '', mode = '0000644', magic = 'ustar\x0000' } = options
  const block = Buffer.alloc(BLOCK)
  Buffer.from(name).copy(block, 0, 0, 100)
  block.write(mode, 100, 8, 'latin1')
  block.write('0000000\x000000000', 108, 16, 'latin1')
  block.write(size.toString(8).padStart(11, '0'), 124, 12, 'latin1')
  block.write((options.modified ?? 0).toString(8).padStart(11, '0'), 136, 12, 'latin1')
  block.write(type, 156, 1, 'latin1')
  block.write(linkName, 157, 100)
  block.write(magic, 257, 'latin1')
  block.write(options.prefix ?? '', 345, 155)
  if (options.patch !== undefined) block.write(options.patch.bytes, options.patch.offset, 'latin1')
  block.fill(' ', 148, 156)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(options.checksum ?? `${sum.toString(8).padStart(6, '0')}\0 `, 148, 8, 'latin1')
  return block
}

export function padded(content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content)
  return Buffer.concat([bytes, Buffer.alloc((BLOCK - (bytes.byteLength % BLOCK)) % BLOCK)])
}

export function file(name: string, content = 'content of a file', options: RawHeader = {}): Buffer {
  return Buffer.concat([header({ name, size: Buffer.byteLength(content), ...options }), padded(content)])
}

export function folder(name: string, options: RawHeader = {}): Buffer {
  return header({ name, type: '5', mode: '0000755', ...options })
}

export function symlink(name: string, linkName: string): Buffer {
  return header({ name, type: '2', linkName, mode: '0000777' })
}

export function hardLink(name: string, linkName: string): Buffer {
  return header({ name, type: '1', linkName })
}

export function record(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`
  const size = Buffer.byteLength(rest)
  const length = size + String(size).length
  return `${size + String(length).length}${rest}`
}

export function extended(records: string | Uint8Array, type = 'x'): Buffer {
  const bytes = Buffer.from(records)
  return Buffer.concat([header({ name: 'PaxHeaders/x', type, size: bytes.byteLength }), padded(bytes)])
}

export function gnuLongName(name: string, type = 'L'): Buffer {
  const bytes = Buffer.from(`${name}\0`)
  const magic = 'ustar  \0'
  return Buffer.concat([header({ name: '././@LongLink', type, size: bytes.byteLength, magic }), padded(bytes)])
}

export const endMarker = Buffer.alloc(2 * BLOCK)

export function archive(...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat([...parts, endMarker])
}

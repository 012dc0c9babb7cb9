import { fc } from '../../properties.js'
import { archive, extended, file, folder, gnuLongName, hardLink, record, symlink } from './build-tar.js'

const BLOCK = 512

/** Sets a byte, and makes the checksum of its block right again. */
function mutate(bytes: Uint8Array, block: number, offset: number, value: number): void {
  const start = (block % (bytes.byteLength / BLOCK)) * BLOCK
  const header = Buffer.from(bytes.buffer, bytes.byteOffset + start, BLOCK)
  header[offset] = value
  if (offset >= 148 && offset < 156) return
  header.fill(' ', 148, 156)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
}

const name = fc.constantFrom('a', 'b/c', 'long/'.repeat(30) + 'x', 'é', './d', '../e')
/** One or two entries as programs write them. */
export const part = fc.oneof(
  fc
    .tuple(name, fc.constantFrom('', 'x', 'y'.repeat(512), 'z'.repeat(700)))
    .map(([path, text]) => file(path.slice(-90), text)),
  name.map((path) => folder(`${path.slice(-90)}/`)),
  fc.tuple(name, name).map(([path, target]) => symlink(path.slice(-90), target.slice(-90))),
  fc.tuple(name, name).map(([path, target]) => hardLink(path.slice(-90), target.slice(-90))),
  fc
    .tuple(name, fc.nat(2000))
    .map(([path, size]) =>
      Buffer.concat([extended(record('path', path) + record('size', String(size))), file('p', 's'.repeat(size))]),
    ),
  name.map((path) => Buffer.concat([gnuLongName(path), file('g', 'gnu', { magic: 'ustar  \0' })])),
  fc.constant(Buffer.concat([extended(record('comment', 'c'), 'g'), file('h')])),
)
const interestingByte = fc.oneof(fc.constantFrom(0, 0x20, 0x30, 0x31, 0x37, 0x39, 0x80, 0xff, 0x2f), fc.nat(255))
const interestingOffset = fc.oneof(
  fc.constantFrom(0, 1, 99, 100, 107, 108, 124, 127, 133, 134, 135, 136, 156, 157, 257, 262, 263, 264, 265, 345, 500),
  fc.nat(BLOCK - 1),
)
const mutation = fc.tuple(fc.nat(40), interestingOffset, interestingByte)
/** Archives with bytes of their headers changed, and the checksums made right again. */
export const mutated = fc
  .tuple(fc.array(part, { minLength: 1, maxLength: 5 }), fc.array(mutation, { maxLength: 3 }))
  .map(([parts, mutations]) => {
    const bytes = archive(...parts)
    for (const [block, offset, value] of mutations) mutate(bytes, block, offset, value)
    return bytes
  })

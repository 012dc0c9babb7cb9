import { describe, expect, test } from 'vitest'
import { MAX_EXTENDED_HEADER_SIZE, TarChecker } from '../../../src/store/tar/tar-checker.js'
import type { TarEntry } from '../../../src/store/tar/tar-entry.js'
import { archive, extended, file, folder, gnuLongName, hardLink, header, padded, record, symlink } from './build-tar.js'

function check(bytes: Uint8Array, chunkSize = bytes.byteLength): TarEntry[] {
  const checker = new TarChecker('test')
  const entries: TarEntry[] = []
  for (let offset = 0; offset < bytes.byteLength; offset += chunkSize) {
    entries.push(...checker.push(bytes.subarray(offset, offset + chunkSize)))
  }
  checker.finish()
  return entries
}

const good = archive(
  folder('a/'),
  file('a/one', 'first'),
  extended(record('path', 'a/long') + record('mtime', '1700000000.25') + record('SCHILY.xattr.user.x', 'y')),
  file('short', 'second'),
  gnuLongName('a/gnu'),
  gnuLongName('target', 'K'),
  symlink('short', 'short'),
  extended(record('comment', 'from git'), 'g'),
  hardLink('a/again', 'a/one'),
  file('b', '', { prefix: 'a/deep' }),
  file('old', 'gnu', { magic: 'ustar  \0' }),
  file('nul', 'x', { type: '\0' }),
)

describe('TarChecker', () => {
  test.each([good.byteLength, 1, 3, 511, 512, 513, 1000])('reads a good archive in chunks of %i bytes', (chunkSize) => {
    const entries = check(good, chunkSize)
    expect(entries.map(({ type, name, size, linkName }) => [type, name, size, linkName])).toEqual([
      ['directory', 'a/', 0, ''],
      ['file', 'a/one', 5, ''],
      ['file', 'a/long', 6, ''],
      ['symbolic link', 'a/gnu', 0, 'target'],
      ['hard link', 'a/again', 0, 'a/one'],
      ['file', 'a/deep/b', 0, ''],
      ['file', 'old', 3, ''],
      ['file', 'nul', 1, ''],
    ])
    expect(entries[2]?.modified).toBe(1_700_000_000)
    for (const { type, offset, size, name } of entries) {
      if (name === 'a/long') expect(good.subarray(offset, offset + size).toString()).toBe('second')
      if (type === 'directory') expect(offset).toBe(512)
    }
  })

  test('refuses an archive that is cut off, at every offset', () => {
    const accepted: number[] = []
    for (let end = 0; end < good.byteLength; end++) {
      try {
        check(good.subarray(0, end))
        accepted.push(end)
      } catch (error) {
        expect(error).toMatchObject({ message: 'test is not a complete tar archive' })
      }
    }
    expect(accepted).toEqual([])
  })

  test('takes zeros after the end, up to a limit', () => {
    expect(check(Buffer.concat([good, Buffer.alloc(9000)]))).toHaveLength(8)
    expect(() => check(Buffer.concat([good, Buffer.alloc(17 * 1024 * 1024)]))).toThrow(/goes on with zeros/)
  })

  test.each<[string, Uint8Array, string | RegExp]>([
    ['an entry after the end marker', Buffer.concat([good, file('evil')]), 'data after end of archive'],
    ['an entry after a single block of zeros', archive(file('a'), Buffer.alloc(512), file('evil')), 'data after end'],
    ['a byte after the end marker', Buffer.concat([good, Buffer.from('x')]), 'data after end of archive'],
    ['a single block of zeros at the end', Buffer.concat([file('a'), Buffer.alloc(512)]), 'not a complete tar'],
    ['no end marker', file('a'), 'not a complete tar archive'],
    ['nothing', Buffer.alloc(0), 'not a complete tar archive'],
    ['text', Buffer.from('hello '.repeat(200)), /checksum/],
    ['a wrong checksum', archive(header({ checksum: '000001\0 ' })), 'entry 1 of test has a wrong checksum'],
    ['a checksum with a sign', archive(header({ checksum: '+00001\0 ' })), 'no valid checksum'],
    ['an unknown format', archive(header({ magic: 'nothing\0' })), 'unknown format'],
    ['a prefix in a header of GNU', archive(header({ magic: 'ustar  \0', prefix: 'a' })), 'unknown format'],
    ['a header before ustar', archive(header({ magic: '' })), 'unknown format'],
    ['a size with letters', archive(header({ patch: { offset: 124, bytes: '0000000001x' } })), 'no valid size'],
    ['a size in decimal', archive(header({ patch: { offset: 124, bytes: '00000000009' } })), 'no valid size'],
    ['a size with a sign', archive(header({ patch: { offset: 124, bytes: '-0000000001' } })), 'no valid size'],
    [
      'digits after a NUL in the size',
      archive(header({ patch: { offset: 124, bytes: '0000\x000000010' } })),
      'no valid size',
    ],
    ['a negative size', archive(header({ patch: { offset: 124, bytes: '\xff'.repeat(12) } })), 'no valid size'],
    [
      'a size of 2^80',
      archive(header({ patch: { offset: 124, bytes: '\x80\0\x01'.padEnd(12, '\0') } })),
      'no valid size',
    ],
    ['a bad mode', archive(header({ mode: 'rw-r--r-' })), 'no valid mode'],
    ['a bad owner', archive(header({ patch: { offset: 108, bytes: 'root' } })), 'no valid owner'],
    ['an unknown type', archive(header({ type: 'S' })), 'entry 1 of test has the unknown type "S"'],
    ['a contiguous file', archive(header({ type: '7' })), 'unknown type'],
    ['a folder with content', archive(header({ type: '5', size: 512 }), file('evil')), 'a directory with content'],
    [
      'a symbolic link with content',
      archive(header({ type: '2', size: 512, linkName: 'a' }), file('evil')),
      'with content',
    ],
    [
      'a hard link with content',
      archive(header({ type: '1', size: 512, linkName: 'a' }), file('evil')),
      'with content',
    ],
    ['a file with the name of a folder', archive(file('a/')), 'a file with the name of a folder'],
    ['a name that is not UTF-8', archive(header({ name: Buffer.from([0x61, 0xff]) })), 'not valid UTF-8'],
    ['a NUL in an extended name', archive(extended(record('path', 'a\0b')), file('x')), 'no valid "path"'],
    ['an empty extended name', archive(extended(record('path', '')), file('x')), 'no valid "path"'],
    ['an extended size that is no number', archive(extended(record('size', '1e3')), file('x')), 'no valid size'],
    ['a negative extended size', archive(extended(record('size', '-1')), file('x')), 'no valid size'],
    ['an extended size of 2^60', archive(extended(record('size', String(2 ** 60))), file('x')), 'no valid size'],
    [
      'an extended size for a folder',
      archive(extended(record('size', '512')), folder('x'), file('evil')),
      'with content',
    ],
    [
      'two extended headers for an entry',
      archive(extended(record('path', 'a')), extended(record('path', 'b')), file('x')),
      'a header after its extended header',
    ],
    [
      'a long name after an extended header',
      archive(extended(record('mtime', '1')), gnuLongName('b'), file('x')),
      'a header after its extended header',
    ],
    ['two long names', archive(gnuLongName('a'), gnuLongName('b'), file('x')), 'two long names'],
    [
      'a long name of both kinds',
      archive(gnuLongName('a'), extended(record('path', 'b')), file('x')),
      'two long names',
    ],
    ['text behind the NUL of a long name', archive(gnuLongName('a\0b'), file('x')), 'no valid "path"'],
    [
      'a long name without its NUL',
      archive(header({ type: 'L', size: 2, magic: 'ustar  \0' }), padded('ab'), file('x')),
      'a long name without an end',
    ],
    ['an entry without a name', archive(header({ name: '' })), 'entry 1 of test has no name'],
    ['an extended header without an entry', archive(extended(record('mtime', '1'))), 'no header of its own'],
    ['a long name without an entry', archive(gnuLongName('a')), 'no header of its own'],
    ['an empty extended header', archive(header({ type: 'x' }), file('x')), 'empty extended header'],
    ['a malformed extended header', archive(extended('99 path=a\n'), file('x')), 'malformed extended header'],
    ['a path for all entries', archive(extended(record('path', 'a'), 'g'), file('x')), 'gives "path" for all entries'],
    ['a size for all entries', archive(extended(record('size', '5'), 'g'), file('x')), 'gives "size" for all entries'],
    ['a sparse file', archive(extended(record('GNU.sparse.major', '1')), file('x')), 'uses "GNU.sparse.major"'],
    ['another encoding of names', archive(extended(record('hdrcharset', 'BINARY')), file('x')), 'uses "hdrcharset"'],
    [
      'a large extended header',
      archive(header({ type: 'x', size: MAX_EXTENDED_HEADER_SIZE + 1 })),
      'limit of 1048576 bytes',
    ],
  ])('refuses %s', (_what, bytes, message) => {
    for (const chunkSize of [bytes.byteLength, 700]) {
      expect(() => check(bytes, Math.max(1, chunkSize))).toThrow(message)
    }
  })

  test('takes a size in binary', () => {
    const size = 600
    const binary = `\x80${'\0'.repeat(9)}\x02\x58`
    const bytes = archive(header({ patch: { offset: 124, bytes: binary } }), padded('x'.repeat(size)))
    expect(check(bytes)).toMatchObject([{ size }])
  })

  test('bounds the number of entries', () => {
    const headers = [extended(record('comment', 'a'), 'g'), ...Array.from({ length: 99 }, () => header())]
    const checker = new TarChecker('test', { maxEntries: 100 })
    expect(checker.push(Buffer.concat(headers))).toHaveLength(99)
    expect(() => checker.push(header())).toThrow('test has more than 100 entries')
    expect(() => new TarChecker('test').push(Buffer.concat([...headers, header()]))).not.toThrow()
  })

  test('takes several headers that hold for all entries', () => {
    const headers = [extended(record('comment', 'a'), 'g'), extended(record('comment', 'b'), 'g')]
    expect(check(archive(...headers, file('x')))).toMatchObject([{ name: 'x' }])
    expect(() => check(archive(...headers))).toThrow('no header of its own')
  })
})

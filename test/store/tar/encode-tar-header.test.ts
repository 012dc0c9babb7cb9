import { describe, expect, test } from 'vitest'
import { encodeTarHeader } from '../../../src/store/tar/encode-tar-header.js'
import { TarChecker } from '../../../src/store/tar/tar-checker.js'
import { endMarker } from './build-tar.js'

function textAt(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.subarray(start, end)).toString('latin1')
}

describe('encodeTarHeader', () => {
  test('writes a ustar header without owner and time', () => {
    const header = encodeTarHeader({ type: 'file', name: 'a/b.txt', mode: 0o644, size: 1234 })
    expect(header).toHaveLength(512)
    expect(textAt(header, 0, 8)).toBe('a/b.txt\0')
    expect(textAt(header, 100, 136)).toBe('0000644\x000000000\x000000000\x0000000002322\0')
    expect(textAt(header, 136, 148)).toBe('00000000000\0')
    expect(textAt(header, 156, 158)).toBe('0\0')
    expect(textAt(header, 257, 265)).toBe('ustar\x0000')
    expect(textAt(header, 265, 329)).toBe('\0'.repeat(64))
  })

  test.each([
    ['a name of 100 bytes', { name: 'n'.repeat(100) }, 512],
    ['a name of 101 bytes', { name: 'n'.repeat(101) }, 1536],
    ['a name of 3000 bytes', { name: 'n/'.repeat(1500).slice(0, -1) }, 4096],
    ['a name that is not ASCII', { name: 'straße/日本' }, 1536],
    ['a name with a control character', { name: 'a\nb' }, 1536],
    ['a name cut at a slash', { name: `${'n'.repeat(99)}/${'m'.repeat(10)}` }, 1536],
    ['8 GiB less one byte', { size: 8 ** 11 - 1 }, 512],
    ['8 GiB', { size: 8 ** 11 }, 1536],
    ['more than 8 GiB', { size: 2 ** 45 + 1 }, 1536],
  ])('keeps %s', (_what, fields, size) => {
    const entry = { type: 'file', name: 'x', mode: 0o755, size: 0, ...fields } as const
    const header = encodeTarHeader(entry)
    expect(header).toHaveLength(size)
    const [read] = new TarChecker('test').push(header)
    expect(read).toMatchObject({ ...entry, offset: size, linkName: '', modified: 0 })
    expect(textAt(header, size - 512, size - 412).replace(/\0+$/, '')).not.toMatch(/\/$/)
  })

  test.each(['short', 't'.repeat(150), '../日本'])('keeps the target of a link: %s', (linkName) => {
    const header = encodeTarHeader({ type: 'symbolic link', name: 'x', linkName, mode: 0o777, size: 0 })
    const checker = new TarChecker('test')
    expect(checker.push(Buffer.concat([header, endMarker]))).toMatchObject([{ type: 'symbolic link', linkName }])
    checker.finish()
  })
})

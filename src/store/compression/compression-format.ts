/** How a stream is compressed, told by its first bytes. */
export type CompressionFormat = 'gzip' | 'zstd'

/** How many bytes {@link compressionFormatOf} needs. */
export const COMPRESSION_MAGIC_SIZE = 4

/**
 * Tells gzip (RFC 1952, section 2.3.1) and zstd (RFC 8878, sections 3.1.1 and 3.1.2) by their magic numbers.
 * @returns undefined for everything else, which includes content that is shorter than its magic number
 */
export function compressionFormatOf(head: Uint8Array): CompressionFormat | undefined {
  const [first, second, third, fourth] = head
  if (first === 0x1f && second === 0x8b) return 'gzip'
  if (first === 0x28 && second === 0xb5 && third === 0x2f && fourth === 0xfd) return 'zstd'
  const isSkippableFrame = first !== undefined && first >= 0x50 && first <= 0x5f
  return isSkippableFrame && second === 0x2a && third === 0x4d && fourth === 0x18 ? 'zstd' : undefined
}

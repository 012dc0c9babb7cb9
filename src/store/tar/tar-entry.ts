/** Size of a block in bytes: headers are one, content is padded to whole ones (POSIX, pax interchange format). */
export const TAR_BLOCK_SIZE = 512

/** What an entry of an archive is. */
export type TarEntryType =
  | 'file'
  /** Another name for a file that came earlier. */
  | 'hard link'
  | 'symbolic link'
  | 'character device'
  | 'block device'
  | 'directory'
  | 'fifo'

/** The header of an entry, with what extended headers say about it. */
export interface TarEntry {
  readonly type: TarEntryType
  /** As it stands in the archive; a claim that nobody has checked. */
  readonly name: string
  /** Where a link points; empty for everything else. */
  readonly linkName: string
  /** Permission bits, with setuid, setgid and sticky. */
  readonly mode: number
  /** Content in bytes. */
  readonly size: number
  /** Time of the last change in seconds since 1970; 0 where the archive has none. */
  readonly modified: number
  /** Where the content starts in the archive, in bytes. */
  readonly offset: number
}

/** The padding after content of this size, in bytes. */
export function tarPaddingOf(size: number): number {
  return (TAR_BLOCK_SIZE - (size % TAR_BLOCK_SIZE)) % TAR_BLOCK_SIZE
}

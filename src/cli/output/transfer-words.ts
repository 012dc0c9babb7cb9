/** What is printed before a descriptor when something happens to it; padded so that the digests line up. */
export interface TransferWords {
  readonly started: string
  readonly finished: string
  readonly exists: string
  readonly skipped: string
  readonly mounted: string
  /** Content that is there under another name has got this one too. */
  readonly restored: string
  /** Printed behind `started` for manifests, by commands that read them to find out what follows. */
  readonly processing?: string
  /** What a finished row says on a terminal, where it differs. */
  readonly done?: string
}

export const PUSH_WORDS: TransferWords = {
  started: 'Uploading',
  finished: 'Uploaded ',
  exists: 'Exists   ',
  skipped: 'Skipped  ',
  mounted: 'Mounted  ',
  restored: 'Exists   ',
}

export const PULL_WORDS: TransferWords = {
  started: 'Downloading',
  processing: 'Processing ',
  finished: 'Downloaded ',
  exists: 'Exists     ',
  skipped: 'Skipped    ',
  mounted: 'Mounted    ',
  restored: 'Restored   ',
  done: 'Pulled     ',
}

export const BACKUP_WORDS: TransferWords = {
  started: 'Pulling  ',
  finished: 'Pulled   ',
  exists: 'Exists   ',
  skipped: 'Skipped  ',
  mounted: 'Mounted  ',
  restored: 'Skipped  ',
}

export const RESTORE_WORDS: TransferWords = {
  started: 'Pushing  ',
  finished: 'Pushed   ',
  exists: 'Exists   ',
  skipped: 'Skipped  ',
  mounted: 'Mounted  ',
  restored: 'Skipped  ',
}

export const COPY_WORDS: TransferWords = {
  started: 'Copying',
  finished: 'Copied ',
  exists: 'Exists ',
  skipped: 'Skipped',
  mounted: 'Mounted',
  restored: 'Skipped',
}

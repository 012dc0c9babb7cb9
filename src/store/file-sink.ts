import type { FileHandle } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { GantryError } from '../errors.js'
import { Annotation } from '../oci/annotations.js'
import type { Descriptor } from '../oci/descriptor.js'
import { isDigest, type Digest } from '../oci/digest.js'
import { throwIfAborted } from '../util/abort.js'
import type { OpenContent } from '../util/bytes.js'
import { Limit } from '../util/limit.js'
import { readPieces } from '../util/read-file.js'
import { syncFolder, type TempFile } from '../util/temp-file.js'
import { visibleLine } from '../util/visible-text.js'
import { moveAll, type PublishStep } from './file-moves.js'
import { cleanName } from './file-names.js'
import { FileStaging } from './file-staging.js'
import { FileTargetResolver, type FileTarget, type FileTargetOptions } from './file-target.js'
import { requireFree } from './free-space.js'
import { planMerge } from './merge-folder.js'
import { receiveContent } from './receive-content.js'
import type { CallOptions, PushOptions, Sink } from './store.js'
import { unpackFolder } from './tar/unpack-folder.js'
import { TitleSet } from './title-set.js'
import { requireText } from '../util/require-kind.js'

/** Largest content without a name that is looked at, in bytes. */
const MAX_UNNAMED_SIZE = 4 * 1024 * 1024

export interface FileSinkOptions extends FileTargetOptions {
  /**
   * Bytes that the files of all packed folders together may have, and so the copies of content that comes under several
   * names; default: what is free on the file system.
   */
  readonly maxUnpackedSize?: number
  /** Make one file with several names of content that comes under several, where the file system can. Default false. */
  readonly hardLinks?: boolean
  /** Entries that one packed folder may have; default 1 000 000. */
  readonly maxEntries?: number
}

/** A file or folder that has its name. */
export interface PublishedFile {
  /** Absolute; a folder's ends in a slash. */
  readonly path: string
  readonly descriptor: Descriptor
}

/** Content that is going to be a file, or a folder that is packed in it. */
interface ExpectedFile {
  readonly title: string
  readonly isFolder: boolean
  readonly descriptor: Descriptor
  readonly target: FileTarget
  /** Where the content is until it is published. */
  staged?: string
}

/**
 * Writes content to files that have the titles of their descriptors (image-spec, annotations.md). Everything is checked
 * and kept aside until {@link publish}; before that nothing below the folder changes. Packed folders are unpacked.
 * One of {@link publish} and {@link discard} has to be called.
 */
export class FileSink implements Sink {
  /** Absolute path of the folder; it need not be there. */
  readonly folder: string
  readonly #options: FileSinkOptions
  readonly #titles: TitleSet
  readonly #files = new Map<string, ExpectedFile>()
  readonly #byDigest = new Map<Digest, readonly ExpectedFile[]>()
  readonly #staging = new FileStaging()
  readonly #pushes = new Map<Digest, Promise<void>>()
  /** Content without a name that has been seen. */
  readonly #unnamed = new Set<Digest>()
  readonly #unpackTurn = new Limit(1)
  #unpackedSize = 0

  private constructor(folder: string, options: FileSinkOptions) {
    this.folder = resolve(folder)
    this.#options = options
    this.#titles = new TitleSet(this.folder)
  }

  /** Opens a folder to write to. It is made with the first file that is published. */
  static open(folder: string, options: FileSinkOptions = {}): FileSink {
    requireText('the folder for the files', folder)
    return new FileSink(folder, options)
  }

  /**
   * Announces content, to have all titles checked before anything is fetched. Descriptors without a title are passed
   * over, and so is a title that comes again with the same content.
   * @throws GantryError `unsafe-path` for a title that leads out of the folder, is no name everywhere, or clashes with
   *   another; `conflict` for one title with two contents; `already-exists`, `file-error`
   */
  async expect(descriptors: readonly Descriptor[]): Promise<void> {
    const targets = new FileTargetResolver(this.folder, this.#options)
    for (const descriptor of descriptors) {
      const title = cleanName(descriptor.annotations?.[Annotation.title] ?? '')
      if (title === '') continue
      const known = this.#files.get(title)
      if (known === undefined) await this.#add(title, descriptor, targets)
      else if (known.descriptor.digest !== descriptor.digest) {
        throw new GantryError('conflict', `${visibleLine(title)}: duplicate name`)
      }
    }
  }

  /**
   * Checks that there is room for everything that is expected, before anything is fetched: content may come under many
   * titles, and is a file for each.
   * @throws GantryError `limit-exceeded`
   */
  async requireSpace(): Promise<void> {
    const { maxUnpackedSize = Infinity, hardLinks = false } = this.#options
    const needed = new Map<string, number>()
    let copies = 0
    for (const [first, ...others] of this.#byDigest.values()) {
      if (first === undefined) continue
      const copied = hardLinks ? [] : others.filter(({ isFolder }) => !isFolder)
      const { size } = first.descriptor
      copies += copied.length * size
      for (const { target } of [first, ...copied]) {
        needed.set(target.ancestor, (needed.get(target.ancestor) ?? 0) + size)
      }
    }
    if (copies > maxUnpackedSize) {
      const text = `content that comes under several names takes ${copies} bytes more, and the limit is ${maxUnpackedSize}`
      throw new GantryError('limit-exceeded', text, { details: { reason: 'unpacked-size' } })
    }
    // Where nothing is written twice, a disk that is full is found out by writing.
    if (copies > 0) await requireFree(needed)
  }

  /** Whether content is kept for all titles that it is expected under. */
  async has({ digest }: Descriptor, { signal }: CallOptions = {}): Promise<boolean> {
    throwIfAborted(signal)
    return this.#isThere(digest)
  }

  /**
   * Receives content once and keeps it for all titles that it is expected under. Content without a title, such as a
   * manifest, is checked and not kept.
   * @throws GantryError `unsupported` for content above 4 MiB without a title; `digest-mismatch`, `size-mismatch`,
   *   `file-error`, `aborted`; for a folder what {@link unpackFolder} throws, and for a new title what {@link expect} does
   */
  async push(descriptor: Descriptor, open: OpenContent, options: PushOptions = {}): Promise<void> {
    await this.expect([descriptor])
    const { digest } = descriptor
    for (let other = this.#pushes.get(digest); other !== undefined; other = this.#pushes.get(digest)) await other
    if (this.#isThere(digest)) return
    const push = this.#receive(descriptor, open, options)
    this.#pushes.set(digest, push)
    try {
      await push
    } finally {
      this.#pushes.delete(digest)
    }
  }

  /** A folder of files has no tags: this only checks that the manifest has been seen. */
  async tag(descriptor: Descriptor, tag: string, options: CallOptions = {}): Promise<void> {
    if (await this.has(descriptor, options)) return
    throw new GantryError('not-found', `${descriptor.digest}: not found, cannot be tagged ${visibleLine(tag)}`)
  }

  /**
   * Gives everything its name, in the order in which it was expected. Files are replaced, folders are merged into those
   * that are there; a link is replaced itself. If one of them fails, all of them are taken back.
   * @throws GantryError as {@link expect}, for what has changed on the disk since; `file-error`; `not-found` when
   *   expected content was not pushed
   */
  async publish(): Promise<readonly PublishedFile[]> {
    const files = [...this.#files.values()]
    try {
      const targets = new FileTargetResolver(this.folder, this.#options)
      const steps: PublishStep[] = []
      for (const file of files) steps.push(await this.#planStep(file, targets))
      moveAll(steps)
      for (const folder of new Set(files.map(({ target }) => dirname(target.path)))) await syncFolder(folder)
    } finally {
      await this.#staging.discard()
    }
    return files.map(({ title, isFolder, descriptor }) => ({
      path: `${resolve(this.folder, title)}${isFolder ? '/' : ''}`,
      descriptor,
    }))
  }

  /** Drops everything; nothing to do after {@link publish}. @throws GantryError `file-error` */
  async discard(): Promise<void> {
    await this.#staging.discard()
  }

  async #add(title: string, descriptor: Descriptor, targets: FileTargetResolver): Promise<void> {
    const isFolder = descriptor.annotations?.[Annotation.unpack] === 'true'
    const target = await targets.resolve({ title, isFolder })
    await this.#titles.addOn(title, () => this.#staging.folderIn(target.ancestor))
    const file: ExpectedFile = { title, isFolder, descriptor, target }
    this.#files.set(title, file)
    this.#byDigest.set(descriptor.digest, [...this.#filesOf(descriptor.digest), file])
  }

  #filesOf(digest: Digest): readonly ExpectedFile[] {
    return this.#byDigest.get(digest) ?? []
  }

  #isThere(digest: Digest): boolean {
    const files = this.#filesOf(digest)
    return files.length === 0 ? this.#unnamed.has(digest) : files.every(({ staged }) => staged !== undefined)
  }

  async #receive(descriptor: Descriptor, open: OpenContent, options: PushOptions): Promise<void> {
    const missing = this.#filesOf(descriptor.digest).filter(({ staged }) => staged === undefined)
    const [first] = missing
    if (first === undefined) {
      await this.#receiveUnnamed(descriptor, open, options)
      return
    }
    const content = await this.#staging.receive(first.target.ancestor, descriptor, open, options)
    try {
      for (const folder of missing.filter(({ isFolder }) => isFolder)) {
        folder.staged = await this.#unpackTurn.run(() => this.#unpack(folder, content.handle, options), options.signal)
      }
      await this.#keepFiles(
        missing.filter(({ isFolder }) => !isFolder),
        content,
      )
    } finally {
      await content.discard()
    }
  }

  /** The content becomes one of the files, and is copied for the others. */
  async #keepFiles([first, ...others]: readonly ExpectedFile[], content: TempFile): Promise<void> {
    if (first === undefined) return
    await content.publish({ syncFolder: false })
    const { hardLinks = false } = this.#options
    for (const file of others) {
      file.staged = await this.#staging.copy(content.target, file.target.ancestor, { hardLinks })
    }
    first.staged = content.target
  }

  async #receiveUnnamed(descriptor: Descriptor, open: OpenContent, options: PushOptions): Promise<void> {
    if (descriptor.size > MAX_UNNAMED_SIZE) {
      throw new GantryError('unsupported', `${descriptor.digest} has no title, so there is no file to write it to`)
    }
    await receiveContent(
      descriptor,
      () => open(0, { transient: true }),
      () => undefined,
      options,
    )
    this.#unnamed.add(descriptor.digest)
  }

  /** One folder at a time, as the limit on the size is one for all. */
  async #unpack(file: ExpectedFile, content: FileHandle, { signal }: CallOptions): Promise<string> {
    const { title, descriptor, target } = file
    const destination = await this.#staging.pathIn(target.ancestor)
    const tarDigest = descriptor.annotations?.[Annotation.unpackedDigest]
    const { maxUnpackedSize, maxEntries, allowUnportableNames } = this.#options
    const what = `layer ${descriptor.digest}`
    const { size } = await unpackFolder(
      readPieces(content, { start: 0, end: descriptor.size, path: what, signal }),
      destination,
      {
        name: title,
        what,
        uncompressedDigest: tarDigest !== undefined && isDigest(tarDigest) ? tarDigest : undefined,
        maxUnpackedSize: maxUnpackedSize === undefined ? undefined : maxUnpackedSize - this.#unpackedSize,
        maxEntries,
        allowUnportableNames,
        signal,
      },
    )
    this.#unpackedSize += size
    return destination
  }

  /** What was found when the content was expected may have changed while it was fetched. */
  async #planStep(file: ExpectedFile, targets: FileTargetResolver): Promise<PublishStep> {
    const { title, isFolder, target, staged } = file
    if (staged === undefined) throw new GantryError('not-found', `${visibleLine(title)} was expected and not received`)
    const { path, isMerge } = await targets.resolve({ title, isFolder })
    if (path !== target.path) {
      throw new GantryError('conflict', `the folders on the way to ${target.path} have changed meanwhile`)
    }
    return {
      folder: dirname(path),
      aside: await this.#staging.folderIn(target.ancestor),
      moves: isMerge ? planMerge(staged, path) : [{ from: staged, to: path }],
      merged: isMerge ? path : undefined,
    }
  }
}

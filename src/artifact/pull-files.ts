import { CachedSource } from '../graph/cached-source.js'
import type { OnTransferEvent } from '../graph/events.js'
import type { GraphLimits } from '../graph/read-graph.js'
import { runGraph } from '../graph/run-graph.js'
import { readPlatformManifest } from '../graph/select-platform.js'
import { transfer } from '../graph/transfer.js'
import { TransferSpeed } from '../graph/transfer-speed.js'
import { Annotation } from '../oci/annotations.js'
import { isManifest, type Descriptor } from '../oci/descriptor.js'
import type { Platform } from '../oci/platform.js'
import { FileSink, type PublishedFile } from '../store/file-sink.js'
import type { Source, Store } from '../store/store.js'
import { readPull, type PullContent, type PulledConfig } from './read-pull.js'
import { requireText } from '../util/require-kind.js'

export interface PullFilesOptions {
  /** Pull the child of an index that is for this platform; default: all children. */
  readonly platform?: Platform
  /** A file that is there is an error; default: it is replaced. */
  readonly keepOldFiles?: boolean
  /** Let names lead out of the folder; default: such a name is an error. */
  readonly allowPathTraversal?: boolean
  /** Take names that not every system can have, such as those with a colon; default: such a name is an error. */
  readonly allowUnportableNames?: boolean
  /** Bytes that the files of all packed folders together may have; default: what is free on the file system. */
  readonly maxUnpackedSize?: number
  /** Make one file with several names of content that comes under several, where the file system can. Default false. */
  readonly hardLinks?: boolean
  /** Pull the files of the subject too, and of its subject. */
  readonly includeSubject?: boolean
  /** Makes the config a file as well. */
  readonly config?: PulledConfig
  /** Where content is kept that was fetched, and taken from when it is there. */
  readonly cache?: Store
  readonly limits?: GraphLimits
  readonly concurrency?: number
  readonly onEvent?: OnTransferEvent
  readonly signal?: AbortSignal
}

export interface PullFilesResult {
  /** What was pulled: an index, or a manifest. */
  readonly descriptor: Descriptor
  /** In the order in which the manifests list them. */
  readonly files: readonly PublishedFile[]
  /** Content that has no name and is no file therefore; the empty descriptor does not count. */
  readonly skippedUnnamed: readonly Descriptor[]
}

/**
 * Pulls the files of an artifact into a folder. All names are checked before anything is fetched, everything is received
 * and checked before anything is published: a failure leaves the folder as it was.
 * @throws GantryError `not-found` for the reference, or when nothing is for the platform; `unsafe-path`, `conflict` or
 *   `already-exists` for a name; `file-error`; errors of transfers say which side failed
 */
export async function pullFiles(
  source: Source,
  reference: string,
  folder: string,
  options: PullFilesOptions = {},
): Promise<PullFilesResult> {
  requireText('a tag or a digest', reference)
  requireText('the folder to pull into', folder)
  const from = options.cache === undefined ? source : new CachedSource(source, options.cache)
  const { platform, signal } = options
  const root = await readPlatformManifest(from, reference, {
    platform,
    signal,
  })
  const content = await readPull(from, root, options)
  const sink = FileSink.open(folder, options)
  try {
    await sink.expect(content.files)
    await sink.requireSpace()
    await receiveFiles(from, sink, content, options)
    return { descriptor: root.descriptor, files: await sink.publish(), skippedUnnamed: content.unnamed }
  } finally {
    await sink.discard()
  }
}

async function receiveFiles(
  source: Source,
  sink: FileSink,
  { graph, files, unnamed }: PullContent,
  options: PullFilesOptions,
): Promise<void> {
  const { onEvent, signal } = options
  for (const descriptor of unnamed) onEvent?.({ type: 'skipped', descriptor, reason: 'it has no name' })
  const speed = new TransferSpeed()
  const transferOptions = {
    speed,
    onEvent,
    signal,
  }
  const names = namesByDigest(files)
  const leave = async (descriptor: Descriptor): Promise<void> => {
    if (isManifest(descriptor)) return onEvent?.({ type: 'finished', descriptor })
    try {
      await transfer(source, sink, descriptor, transferOptions)
    } catch (error) {
      onEvent?.({ type: 'failed', descriptor, error })
      throw error
    }
    // The sink has written it under all of its names.
    for (const [name, other] of names.get(descriptor.digest) ?? []) {
      if (name !== nameOf(descriptor)) onEvent?.({ type: 'restored', descriptor: other })
    }
  }
  await runGraph(graph, ({ descriptor }) => leave(descriptor), { ...options, speed })
}

function namesByDigest(files: readonly Descriptor[]): ReadonlyMap<string, ReadonlyMap<string, Descriptor>> {
  const names = new Map<string, Map<string, Descriptor>>()
  for (const file of files) {
    const named = names.get(file.digest) ?? new Map<string, Descriptor>()
    names.set(file.digest, named.set(nameOf(file), file))
  }
  return names
}

function nameOf({ annotations }: Descriptor): string {
  return annotations?.[Annotation.title] ?? ''
}

import { posix, resolve, sep } from 'node:path'
import { GantryError, messageOf } from '../errors.js'
import { copyGraph } from '../graph/copy.js'
import type { OnTransferEvent } from '../graph/events.js'
import type { CopyResult, TransferAmounts } from '../graph/run-copy.js'
import { Annotation } from '../oci/annotations.js'
import type { Annotations, Descriptor } from '../oci/descriptor.js'
import type { Digest } from '../oci/digest.js'
import { successorsOf, type ManifestContent } from '../oci/manifest.js'
import { packManifest, type PackedManifest } from '../oci/pack.js'
import { FileSource } from '../store/file-source.js'
import { problemOfTitle } from '../store/file-target.js'
import type { Sink } from '../store/store.js'
import { TitleSet } from '../store/title-set.js'
import { visibleLine } from '../util/visible-text.js'
import { prepareConfig, type ConfigOptions } from './prepare-config.js'
import { requireList } from '../util/require-kind.js'

/** Name of a folder that is packed from inside. */
const CURRENT_FOLDER = '.'

/** A file or folder that becomes a layer. */
export interface FileToPush {
  readonly path: string
  /** What it is called where it is pulled; default: its title among the annotations, else the path, cleaned. */
  readonly name?: string
  /** Default: that of a tar layer, with gzip for a folder. */
  readonly mediaType?: string
  readonly annotations?: Annotations
}

export interface PushFilesOptions extends ConfigOptions {
  readonly tags?: readonly string[]
  /** What the digest of the manifest has to turn out to be. */
  readonly digest?: Digest
  /** Of the manifest. */
  readonly annotations?: Annotations
  /** Value of the annotation `org.opencontainers.image.created` where the annotations have none (RFC 3339). */
  readonly created?: string
  /** What the artifact refers to. */
  readonly subject?: Descriptor
  /** Push the manifest even if it is there, and what is missing below it. */
  readonly force?: boolean
  readonly concurrency?: number
  /** Called with the cleaned path before a file is read or a folder is packed. */
  readonly onFile?: (path: string) => void
  /**
   * Called with a cleaned path and a sentence for people when a file, or what is in a folder, has a name that is only
   * pulled where that is asked for, as not every system can have it.
   */
  readonly onUnportableNames?: (path: string, names: string) => void
  readonly onEvent?: OnTransferEvent
}

export interface PushFilesResult extends ManifestContent, TransferAmounts {
  /** The manifest's artifact type, else the media type of its config. */
  readonly artifactType: string
  readonly layers: readonly Descriptor[]
  readonly tags: readonly string[]
}

/**
 * Packs files and folders into a manifest (image-spec, manifest.md, "Guidelines for Artifact Usage") and pushes it.
 * Without files, the only layer is the empty one.
 * @throws GantryError `file-error`; `invalid-argument` for types, annotations or names that do not go together;
 *   `digest-mismatch` when the manifest has another digest than wanted; errors of transfers say which side failed
 */
export async function pushFiles(
  sink: Sink,
  files: readonly FileToPush[],
  options: PushFilesOptions = {},
): Promise<PushFilesResult> {
  requireList('what is pushed', files)
  const named = files.map((file) => ({ ...file, name: nameOf(file) }))
  checkNames(named.map(({ name }) => name))
  const source = new FileSource()
  try {
    // One after the other: hashing keeps one thread busy, and packing a folder all of them.
    const layers: Descriptor[] = []
    for (const file of named) layers.push(await addFile(source, file, options))
    const packed = await pack(source, layers, options)
    const { descriptor, bytes, artifactType } = packed
    if (options.digest !== undefined && options.digest !== descriptor.digest) {
      throw new GantryError('digest-mismatch', `digest mismatch: wanted ${options.digest}, packed ${descriptor.digest}`)
    }
    const { tags, copied, mounted, existing } = await pushPacked(source, sink, packed, options)
    return { descriptor, bytes, artifactType, layers, tags, copied, mounted, existing }
  } finally {
    await source.close()
  }
}

function nameOf({ path, name, annotations }: FileToPush): string {
  return annotations?.[Annotation.title] ?? name ?? cleanName(path)
}

/** A path in the form in which it is a name everywhere: `/` between its parts, and no detours. */
function cleanName(path: string): string {
  const clean = posix.normalize(sep === '\\' ? path.replaceAll('\\', '/') : path)
  return clean.length > 1 && clean.endsWith('/') ? clean.slice(0, -1) : clean
}

/** What nobody could pull is not pushed; names that are pulled only on request are. */
function checkNames(names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw new GantryError('invalid-argument', `${twice}: duplicate name`)
  // Any folder will do: what matters is how the names lie to each other.
  const titles = new TitleSet(resolve('output'))
  for (const name of names.filter((one) => one !== '' && one !== CURRENT_FOLDER)) {
    const problem = problemOfTitle(name, { allowPathTraversal: true })
    if (problem !== undefined) {
      throw new GantryError(
        'invalid-argument',
        `"${visibleLine(name)}" could not be pulled: the name ${problem.reason}`,
      )
    }
    try {
      titles.add(name)
    } catch (cause) {
      throw new GantryError('invalid-argument', `${messageOf(cause)}: they could not be pulled together`, { cause })
    }
  }
}

/** Completes the name of a file that is pulled only where such names are allowed. */
function unportableName(name: string): string | undefined {
  const problem = problemOfTitle(name)
  return problem?.kind === 'unportable' ? `"${visibleLine(name)}" ${problem.reason}` : undefined
}

async function addFile(
  source: FileSource,
  { path, name, mediaType, annotations }: FileToPush & { readonly name: string },
  { onFile, onUnportableNames, signal }: PushFilesOptions,
): Promise<Descriptor> {
  onFile?.(cleanName(path))
  const unportable = unportableName(name)
  if (unportable !== undefined) onUnportableNames?.(cleanName(path), unportable)
  return source.add(path, {
    name,
    onUnportableNames: (names) => onUnportableNames?.(cleanName(path), names),
    mediaType,
    annotations,
    signal,
  })
}

async function pack(
  source: FileSource,
  layers: readonly Descriptor[],
  options: PushFilesOptions,
): Promise<PackedManifest> {
  const { subject, created } = options
  const packed = packManifest({
    ...(await prepareConfig(source, options)),
    layers,
    subject,
    annotations: {
      ...(created === undefined ? {} : { [Annotation.created]: created }),
      ...options.annotations,
    },
  })
  for (const { descriptor, bytes } of [...packed.blobs, packed]) source.addBytes(descriptor, bytes)
  return packed
}

async function pushPacked(
  source: FileSource,
  sink: Sink,
  packed: PackedManifest,
  options: PushFilesOptions,
): Promise<CopyResult> {
  const { tags = [], force = false, concurrency, onEvent } = options
  return copyGraph(source, sink, packed.descriptor, {
    tags,
    force,
    concurrency,
    onEvent,
    ...signalOf(options),
    // The subject is at the sink, or will be: it is not here.
    successorsOf: (manifest) => successorsOf(manifest).filter((successor) => successor !== manifest.subject),
  })
}

function signalOf({ signal }: PushFilesOptions): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal }
}

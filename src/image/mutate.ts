import { GantryError } from '../errors.js'
import { copyGraph } from '../graph/copy.js'
import type { Annotations } from '../oci/descriptor.js'
import type { Platform } from '../oci/platform.js'
import type { Sink } from '../store/store.js'
import type { JsonObject } from '../util/json.js'
import { LayerFiles, withAnnotations, withLayers } from './append.js'
import { editAndPush, type EditAndPushOptions } from './edit-images.js'
import { listIn, objectIn, type Image, type ImageSource } from './image.js'
import type { PushedImage } from './push-image.js'
import { WorkFolder } from './work-folder.js'

/** What is changed in an image. Undefined leaves a value as it is; an empty text or list clears it. */
export interface ImageChanges {
  /** Annotations of the manifest. */
  readonly annotations?: Annotations | undefined
  readonly removeAnnotations?: readonly string[] | undefined
  readonly labels?: Readonly<Record<string, string>> | undefined
  readonly removeLabels?: readonly string[] | undefined
  /** `NAME=value`; a variable that the image has is replaced in its place. */
  readonly env?: readonly string[] | undefined
  readonly removeEnv?: readonly string[] | undefined
  /** A new entrypoint clears the command, which belonged to the old one. */
  readonly entrypoint?: readonly string[] | undefined
  readonly cmd?: readonly string[] | undefined
  readonly user?: string | undefined
  readonly workdir?: string | undefined
  /** Such as `80/tcp`; all that the image exposes. */
  readonly exposedPorts?: readonly string[] | undefined
  /** What the config says the image runs on. */
  readonly setPlatform?: Platform | undefined
  /** When the image was created, RFC 3339. */
  readonly created?: string | undefined
  /** Paths of tar files that become layers, the lowest one first. */
  readonly append?: readonly string[] | undefined
}

export interface MutateOptions extends EditAndPushOptions {
  /** Where layers are put while they are compressed; default: the system's folder for temporary files. */
  readonly temporaryFolder?: string | undefined
}

/**
 * Changes an image, or every image of an index, and pushes the result. Fields that are not known here stay, and so does
 * the subject. Without changes the image is pushed as it is.
 * @throws GantryError `not-found`; `unsupported` for changes of a config that is not that of a runnable image;
 *   `invalid-argument` for a malformed variable
 */
export async function mutate(
  from: ImageSource,
  sink: Sink,
  changes: ImageChanges,
  options: MutateOptions = {},
): Promise<PushedImage> {
  const { signal, temporaryFolder, platform } = options
  if (platform === undefined && Object.values(changes).every((change) => change === undefined)) {
    const { source, reference } = from
    const content = await source.readManifest(reference, { signal })
    const { tags, ...amounts } = await copyGraph(source, sink, content.descriptor, options)
    return { ...amounts, ...content, tags }
  }
  const work = new WorkFolder(temporaryFolder)
  try {
    const files = new LayerFiles(changes.append ?? [], work, signal)
    const edit = async (image: Image): Promise<Image> => {
      const appended = changes.append === undefined ? image : withLayers(image, await files.readFor(image))
      return changeImage(appended, changes)
    }
    return await editAndPush(from, sink, edit, options)
  } finally {
    await work.discard()
  }
}

/**
 * An image with changes; its layers stay as they are.
 * @throws GantryError as {@link mutate}
 */
export function changeImage(image: Image, changes: ImageChanges): Image {
  const { annotations = {}, removeAnnotations = [] } = changes
  const annotated = without(withAnnotations(image, annotations), removeAnnotations)
  const { document, mediaType } = image.config
  if (document !== undefined) {
    return { ...annotated, config: { ...image.config, document: changeConfig(document, changes) } }
  }
  const { annotations: _, removeAnnotations: _removed, append: _append, created: _created, ...ofConfig } = changes
  const changed: readonly unknown[] = Object.values(ofConfig)
  if (changed.every((change) => change === undefined)) return annotated
  throw new GantryError('unsupported', `the config is ${mediaType}, and not that of an image`, {
    hint: 'Only annotations and layers of an artifact can be changed.',
  })
}

function changeConfig(document: JsonObject, changes: ImageChanges): JsonObject {
  const { setPlatform, created = document.created } = changes
  const { labels = {}, removeLabels = [], env = [], removeEnv = [], entrypoint, exposedPorts } = changes
  const config = objectIn(document, 'config')
  const clearsCmd = (entrypoint ?? []).length > 0
  const { user = config.User, workdir = config.WorkingDir, cmd = clearsCmd ? undefined : config.Cmd } = changes
  const variables = changeEnv(listIn(config, 'Env'), env, { removed: removeEnv, os: document.os })
  return {
    ...document,
    ...(setPlatform && platformFields(setPlatform)),
    created,
    config: {
      ...config,
      Labels: omit({ ...objectIn(config, 'Labels'), ...labels }, removeLabels),
      Env: variables,
      Entrypoint: entrypoint ?? config.Entrypoint,
      Cmd: cmd,
      User: user,
      WorkingDir: workdir,
      ExposedPorts: exposedPorts === undefined ? config.ExposedPorts : emptyObjects(exposedPorts),
    },
  }
}

function platformFields(platform: Platform): JsonObject {
  const { os, architecture, variant, 'os.version': osVersion } = platform
  return { os, architecture, variant, 'os.version': osVersion }
}

/** Names of variables of Windows are known in upper case. */
function changeEnv(
  current: readonly unknown[],
  changes: readonly string[],
  { removed, os }: { readonly removed: readonly string[]; readonly os: unknown },
): readonly unknown[] {
  const kept = current.filter((entry) => !removed.includes(nameOf(String(entry))))
  const result = [...kept]
  for (const change of changes) {
    const name = nameOf(change)
    if (name === '' || name === change) {
      throw new GantryError('invalid-argument', `"${change}" is not a variable in the form of NAME=value`)
    }
    const index = kept.findIndex((entry) => nameOf(String(entry)) === name)
    if (index !== -1) result[index] = change
    else result.push(os === 'windows' ? `${name.toUpperCase()}${change.slice(name.length)}` : change)
  }
  return result
}

/** What is before the equals sign of a variable. */
function nameOf(variable: string): string {
  return variable.split('=', 1)[0] ?? ''
}

function without(image: Image, annotations: readonly string[]): Image {
  const { manifest } = image
  return { ...image, manifest: { ...manifest, annotations: omit(objectIn(manifest, 'annotations'), annotations) } }
}

function omit(map: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(map).filter(([key]) => !keys.includes(key)))
}

function emptyObjects(keys: readonly string[]): JsonObject {
  return Object.fromEntries(keys.map((key) => [key, {}]))
}

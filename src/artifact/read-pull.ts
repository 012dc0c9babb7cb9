import type { OnTransferEvent } from '../graph/events.js'
import {
  nodeKeyOf,
  orderOf,
  readGraph,
  type Graph,
  type GraphLimits,
  type GraphNode,
  type NodeKey,
} from '../graph/read-graph.js'
import { blame } from '../graph/transfer.js'
import { Annotation } from '../oci/annotations.js'
import type { Descriptor } from '../oci/descriptor.js'
import { parseManifest, type Manifest, type ManifestContent } from '../oci/manifest.js'
import { isManifestType, MediaType } from '../oci/media-types.js'
import { EMPTY_DESCRIPTOR } from '../oci/pack.js'
import type { Source } from '../store/store.js'
import { readContent } from '../store/verify.js'

/** Makes the config of a manifest a file. */
export interface PulledConfig {
  /** Name of the file, below the folder that everything is pulled into. */
  readonly path: string
  /** Only a config of this type; default: the first one, whatever its type. */
  readonly mediaType?: string
}

export interface ReadPullOptions {
  readonly includeSubject?: boolean
  readonly config?: PulledConfig
  readonly limits?: GraphLimits
  readonly concurrency?: number
  readonly onEvent?: OnTransferEvent
  readonly signal?: AbortSignal
}

/** What a pull is made of. */
export interface PullContent {
  /** The manifests, and below each of them the blobs that become files. */
  readonly graph: Graph
  /** Everything that has a name, in the order in which the manifests list it. */
  readonly files: readonly Descriptor[]
  /** Everything that has none, each once; the empty descriptor does not count. */
  readonly unnamed: readonly Descriptor[]
}

/**
 * Reads the manifests of a pull: the root, the children of an index, and subjects where they are wanted.
 * @throws GantryError `limit-exceeded`; what the source throws, and says that it did
 */
export async function readPull(
  source: Source,
  root: ManifestContent,
  options: ReadPullOptions = {},
): Promise<PullContent> {
  const { includeSubject = false, onEvent, signal, limits, concurrency } = options
  const callOptions = signal === undefined ? {} : { signal }
  const manifests = new Map<NodeKey, Manifest>()
  const rootKey = nodeKeyOf(root.descriptor)
  const next = async (descriptor: Descriptor): Promise<{ needs: readonly Descriptor[] } | undefined> => {
    const key = nodeKeyOf(descriptor)
    onEvent?.({ type: 'started', descriptor })
    const bytes = key === rootKey ? root.bytes : await readBlamed(source, descriptor, callOptions)
    const manifest = parseManifest({ descriptor, bytes })
    onEvent?.({ type: 'progress', descriptor, offset: bytes.byteLength })
    manifests.set(key, manifest)
    return { needs: neighboursOf(manifest, includeSubject) }
  }
  const graph = await readGraph([root.descriptor], next, {
    ...callOptions,
    limits,
    concurrency,
  })
  return contentOf(graph, manifests, options.config)
}

async function readBlamed(
  source: Source,
  descriptor: Descriptor,
  options: { readonly signal?: AbortSignal },
): Promise<Uint8Array> {
  try {
    return await readContent(source, descriptor, options)
  } catch (error) {
    throw blame(error, 'source')
  }
}

function neighboursOf(manifest: Manifest, includeSubject: boolean): readonly Descriptor[] {
  const children = manifest.kind === 'index' ? manifest.manifests.filter(isManifest) : []
  return includeSubject && manifest.subject !== undefined ? [...children, manifest.subject] : children
}

function isManifest({ mediaType }: Descriptor): boolean {
  return isManifestType(mediaType)
}

function contentOf(
  graph: Graph,
  manifests: ReadonlyMap<NodeKey, Manifest>,
  config: PulledConfig | undefined,
): PullContent {
  const nodes = new Map<NodeKey, GraphNode>(graph.nodes)
  const files: Descriptor[] = []
  const unnamed = new Map<NodeKey, Descriptor>()
  const configName = new ConfigName(config)
  for (const node of orderOf(graph)) {
    const key = nodeKeyOf(node.descriptor)
    const manifest = manifests.get(key)
    const blobs = manifest === undefined ? [] : blobsOf(manifest, configName)
    const named = blobs.filter(hasName)
    for (const blob of named) {
      const blobKey = nodeKeyOf(blob)
      if (!nodes.has(blobKey)) nodes.set(blobKey, { descriptor: blob, depth: node.depth + 1, needs: [], visit: [] })
    }
    for (const blob of blobs) if (!hasName(blob)) unnamed.set(nodeKeyOf(blob), blob)
    const keys = named.map(nodeKeyOf)
    nodes.set(key, { ...node, needs: [...keys, ...node.needs], visit: [...keys, ...node.visit] })
    files.push(...named)
  }
  return { graph: { roots: graph.roots, nodes }, files, unnamed: [...unnamed.values()] }
}

/** Everything that could become a file; what stands for nothing could not. */
function blobsOf(manifest: Manifest, configName: ConfigName): readonly Descriptor[] {
  switch (manifest.kind) {
    case 'image': {
      const config = configName.applyTo(manifest.config)
      const isNothing = config.digest === EMPTY_DESCRIPTOR.digest && !hasName(config)
      return [...(isNothing ? [] : [config]), ...manifest.layers.filter((layer) => !isEmptyLayer(layer))]
    }
    case 'index':
      return manifest.manifests.filter((child) => !isManifest(child))
    case 'artifact':
      return manifest.blobs.filter((blob) => !isEmptyLayer(blob))
  }
}

function isEmptyLayer(layer: Descriptor): boolean {
  return layer.mediaType === MediaType.empty && layer.digest === EMPTY_DESCRIPTOR.digest && !hasName(layer)
}

function hasName({ annotations }: Descriptor): boolean {
  return (annotations?.[Annotation.title] ?? '') !== ''
}

/** The name for the first config that it fits. */
class ConfigName {
  #wanted: PulledConfig | undefined

  constructor(wanted: PulledConfig | undefined) {
    this.#wanted = wanted
  }

  applyTo(config: Descriptor): Descriptor {
    const wanted = this.#wanted
    if (wanted === undefined || (wanted.mediaType ?? config.mediaType) !== config.mediaType) return config
    this.#wanted = undefined
    return { ...config, annotations: { ...config.annotations, [Annotation.title]: wanted.path } }
  }
}

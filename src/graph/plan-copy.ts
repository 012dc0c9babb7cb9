import { GantryError, isGantryError } from '../errors.js'
import { asManifest, isManifest, type Descriptor } from '../oci/descriptor.js'
import type { Digest } from '../oci/digest.js'
import { isIndexType } from '../oci/media-types.js'
import type { Platform } from '../oci/platform.js'
import type { Sink, Source } from '../store/store.js'
import { callOptionsOf } from './call-options.js'
import type { CopyPlan } from './copy-plan.js'
import { CopyReader, type CopyReaderOptions } from './copy-reader.js'
import { DigestTagSearch, type FoundTag } from './digest-tags.js'
import { EarlyQuestion } from './early-question.js'
import { nodeKeyOf, orderOf, type Graph } from './read-graph.js'
import { planTags, tagsAt } from './plan-tags.js'
import { restrictIndex } from './restrict-index.js'
import { selectPlatform } from './select-platform.js'
import { blame } from './transfer.js'

export interface CopyGraphOptions extends CopyReaderOptions {
  /** What the root is called at the sink; default: nothing, it is there by its digest alone. */
  readonly tags?: readonly string[]
  /** Copy everything that refers to the root, to a child of it, or to one of these. */
  readonly referrers?: boolean
  /**
   * With `referrers`, copy what belongs to a manifest by a tag made from its digest too, such as signatures that predate
   * referrers. Default: true unless only some types are copied.
   */
  readonly digestTags?: boolean
}

export interface CopyOptions extends CopyGraphOptions {
  /**
   * One: the child of an index that is for it becomes the root. Several: a new index with only those children becomes
   * the root, and referrers of the old index stay behind. Default: everything.
   */
  readonly platforms?: readonly Platform[]
  /** The digest that the root has to have at the sink; with another one nothing is written. */
  readonly digest?: Digest
}

/** A root, with its bytes where they are at hand. */
export interface CopyRoot {
  readonly descriptor: Descriptor
  readonly bytes?: Uint8Array
}

/**
 * Finds out what {@link copy} would do with the same arguments; nothing is written.
 * @throws GantryError as {@link copy}
 */
export async function planCopy(
  source: Source,
  reference: string,
  sink: Sink,
  options: CopyOptions = {},
): Promise<CopyPlan> {
  return withTags(sink, options, async (current) => {
    const root = await readRoot(source, reference, options)
    requireDigest(root, options.digest)
    return planBelow(source, sink, options, { root, current })
  })
}

/** @throws GantryError `conflict` unless the root is what the caller wants to have at the sink */
function requireDigest({ descriptor: { digest } }: CopyRoot, wanted: Digest | undefined): void {
  if (wanted === undefined || wanted === digest) return
  throw new GantryError(
    'conflict',
    `the destination names ${wanted}, and the source is ${digest}: nothing was copied`,
    {
      hint: 'leave the digest out of the destination, or copy the source by that digest',
      side: 'destination',
    },
  )
}

/** Finds out what has to be done to copy the graph below a root. */
export async function planGraph(
  source: Source,
  root: CopyRoot,
  sink: Sink,
  options: CopyGraphOptions = {},
): Promise<CopyPlan> {
  return withTags(sink, options, async (current) => planBelow(source, sink, options, { root, current }))
}

/** What the tags point at in the sink, which is on its way. */
type CurrentTags = Promise<ReadonlyMap<string, Descriptor>>

/**
 * Asks about the tags beside everything else, so that no time passes between knowing the graph and knowing the tags, and
 * the way to the sink is open when the graph needs it.
 */
async function withTags(
  sink: Sink,
  options: CopyGraphOptions,
  plan: (current: CurrentTags) => Promise<CopyPlan>,
): Promise<CopyPlan> {
  const question = new EarlyQuestion((callOptions) => tagsAt(sink, tagsOf(options), callOptions), options)
  try {
    return await plan(question.answer)
  } finally {
    await question.end()
  }
}

async function planBelow(
  source: Source,
  sink: Sink,
  options: CopyGraphOptions,
  { root, current }: { readonly root: CopyRoot; readonly current: CurrentTags },
): Promise<CopyPlan> {
  const search = new DigestTagSearch(source, options)
  const onReferrers = (count: number): void => {
    if (looksForDigestTags(options)) search.expect(count)
  }
  const reader = new CopyReader(source, sink, { ...options, onReferrers })
  if (root.bytes !== undefined) reader.manifests.add({ descriptor: root.descriptor, bytes: root.bytes })
  try {
    const { graph, digestTags } = await readWithDigestTags(reader, search, root.descriptor, options)
    const wanted = tagsOf(options).map((tag) => ({ tag, descriptor: root.descriptor }))
    return {
      root: root.descriptor,
      nodes: orderOf(graph).map(({ descriptor }) => ({ descriptor, ...reader.stateOf(nodeKeyOf(descriptor)) })),
      tags: [
        ...planTags(digestTags, await tagsAt(sink, existing(reader, digestTags), options)),
        ...planTags(wanted, await current),
      ],
      referrers: reader.referrers,
      nodesToMove: reader.nodesToMove,
      bytesToMove: reader.bytesToMove,
      tagsLast: reader.referrers > 0 || digestTags.length > 0,
      graph,
      manifests: reader.manifests.kept,
    }
  } finally {
    await search.end()
  }
}

function tagsOf({ tags }: CopyGraphOptions): readonly string[] {
  return [...new Set(tags)]
}

function looksForDigestTags(options: CopyGraphOptions): boolean {
  const { referrers = false, artifactTypes, digestTags = artifactTypes === undefined } = options
  return referrers && digestTags
}

/** The graph, and the tags made from digests that were found for it, with what they point at. */
async function readWithDigestTags(
  reader: CopyReader,
  search: DigestTagSearch,
  root: Descriptor,
  options: CopyGraphOptions,
): Promise<{ graph: Graph; digestTags: readonly FoundTag[] }> {
  const graph = await reader.read([root], options.referrers ?? false)
  if (!looksForDigestTags(options)) return { graph, digestTags: [] }
  const found = await search.find(manifestDigests(reader, graph)).catch((error: unknown) => {
    throw blame(error, 'source')
  })
  const roots = found.map(({ descriptor }) => descriptor)
  return { graph: roots.length === 0 ? graph : await reader.read(roots, false, graph), digestTags: found }
}

function manifestDigests(reader: CopyReader, graph: Graph): readonly Digest[] {
  return [...graph.nodes]
    .filter(([key, { descriptor }]) => isManifest(descriptor) && reader.stateOf(key).action !== 'skip')
    .map(([, { descriptor }]) => descriptor.digest)
}

function existing(reader: CopyReader, tags: readonly FoundTag[]): readonly string[] {
  return tags
    .filter(({ descriptor }) => reader.stateOf(nodeKeyOf(descriptor)).action === 'exists')
    .map(({ tag }) => tag)
}

async function readRoot(source: Source, reference: string, options: CopyOptions): Promise<CopyRoot> {
  const { platforms = [] } = options
  const callOptions = callOptionsOf(options)
  try {
    const content = await source.readManifest(reference, callOptions)
    const [first, ...others] = platforms
    if (first === undefined) return { ...content, descriptor: asManifest(content.descriptor) }
    if (others.length > 0 && isIndexType(content.descriptor.mediaType)) return restrictIndex(content, platforms)
    const selected = await selectFirst(platforms, (platform) => selectPlatform(source, content, platform, callOptions))
    return selected.digest === content.descriptor.digest ? content : { descriptor: selected }
  } catch (error) {
    throw blame(error, 'source')
  }
}

async function selectFirst(
  platforms: readonly Platform[],
  select: (platform: Platform) => Promise<Descriptor>,
): Promise<Descriptor> {
  let failure: unknown
  for (const platform of platforms) {
    try {
      return await select(platform)
    } catch (error) {
      if (!isGantryError(error, 'not-found')) throw error
      failure ??= error
    }
  }
  throw failure
}

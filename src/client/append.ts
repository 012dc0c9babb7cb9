import { appendLayers, type AppendOptions as LayerOptions, type AppendResult } from '../image/append.js'
import type { Platform } from '../oci/platform.js'
import type { SinkReference, SourceReference } from './open-target.js'
import type { Opener } from './opener.js'
import { withTotals, type OnProgress } from './progress.js'
import { checkArgument } from './check-arguments.js'
import { pathOfContent, type PushedContent } from './spool-content.js'
import { tagsOf, withReference } from './target.js'

/** What an image is built on, and how it is pushed. */
export interface AppendOptions extends Omit<LayerOptions, 'base' | 'onEvent'> {
  readonly onEvent?: OnProgress
  /** The image that the layers are put on top of. Default: an empty image. */
  readonly base?: SourceReference
  /** Which image of an index is the base. Default: linux/amd64. */
  readonly platform?: Platform
}

/** Appends layers to an image and pushes the result. */
export async function append(
  opener: Opener,
  to: SinkReference,
  layers: readonly PushedContent[],
  { base, platform, ...options }: AppendOptions,
): Promise<AppendResult> {
  checkArgument('what is appended', 'list', layers)
  const target = await opener.openSink(to)
  const { tags = tagsOf(target), signal } = options
  const files = await pathsOf(layers, opener, signal)
  const opened = base === undefined ? undefined : withReference(await opener.open(base))
  return appendLayers(target.store, files, {
    ...options,
    onEvent: withTotals(options.onEvent),
    tags,
    base:
      opened === undefined
        ? undefined
        : {
            source: opened.store,
            reference: opened.reference,
            // A digest is no name that the image could be found by again.
            name: opened.digest === undefined ? opened.typed : undefined,
            platform,
          },
  })
}

/** A stream that is given twice is read once. */
async function pathsOf(
  layers: readonly PushedContent[],
  opener: Opener,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const paths = new Map<PushedContent, string>()
  for (const layer of layers) {
    if (!paths.has(layer)) paths.set(layer, await pathOfContent(layer, opener, signal))
  }
  return layers.map((layer) => paths.get(layer) ?? '')
}

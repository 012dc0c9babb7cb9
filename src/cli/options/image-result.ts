import type { CopyTarget, Target } from '../../client/open-target.js'
import type { Client } from '../../client/client.js'
import type { OpenOptions } from '../../client/opener.js'
import { tagsOf } from '../../client/target.js'
import type { PushedImage } from '../../image/push-image.js'
import type { NamedTarget } from '../arguments.js'
import { contentResultOf, type ContentResult } from '../output/content-result.js'
import { text } from './option.js'

/** The flag of commands that make a new image out of another one. */
export const imageResultOptions = {
  tag: text('-t, --tag <image>', 'what the new image is called (default: it takes the place of the old one)'),
}

interface Edit {
  readonly client: Client
  readonly source: NamedTarget<Target['store']>
  readonly access: OpenOptions
  /** Where the new image goes; undefined: to the tag of the source, or there by its digest alone. */
  readonly target: string | undefined
}

/** The result of a command that makes an image. */
export interface ImageResult extends ContentResult {
  readonly referenceAsTags: readonly string[]
}

/**
 * Opens the place of a new image, and has it pushed there. A tag that the source is named by besides a digest is kept.
 * @param push pushes to the target; `inPlace` when the image takes the place of the old one
 */
export async function pushResult(
  { client, source, access, target }: Edit,
  push: (
    sink: CopyTarget['store'],
    naming: { readonly tags: readonly string[]; readonly digest: CopyTarget['digest']; readonly inPlace: boolean },
  ) => Promise<PushedImage>,
): Promise<ImageResult> {
  const inPlace = target === undefined
  const sink = await client.openCopySink(target ?? source.typed, access)
  try {
    // The digest of the source is not that of the result.
    const digest = inPlace ? undefined : sink.digest
    const { descriptor, tags } = await push(sink.store, { tags: tagsOf(sink), digest, inPlace })
    await sink.complete()
    return { ...contentResultOf(sink.path, descriptor), referenceAsTags: tags.map((tag) => `${sink.path}:${tag}`) }
  } catch (error) {
    await sink.abandon()
    throw error
  }
}

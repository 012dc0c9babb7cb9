import { GantryError, isGantryError } from '../errors.js'
import { resolvePlatform } from '../graph/select-platform.js'
import { plainDescriptor, type Descriptor } from '../oci/descriptor.js'
import type { Platform } from '../oci/platform.js'
import { isReferrerSink, type Store } from '../store/store.js'
import { pushFiles, type FileToPush, type PushFilesOptions, type PushFilesResult } from './push-files.js'

export interface AttachOptions extends Omit<PushFilesOptions, 'subject' | 'imageSpec' | 'artifactType'> {
  /** `type/subtype` of what is attached. */
  readonly artifactType: string
  /** Attach to the child of an index that is for this platform. */
  readonly platform?: Platform
}

export interface AttachResult extends PushFilesResult {
  readonly subject: Descriptor
}

/**
 * Packs files into a manifest that refers to another one in the same store, and pushes it (image-spec, manifest.md,
 * "subject").
 * @param reference tag or digest of the subject
 * @throws GantryError `not-found` for the subject; `conflict` when the list of its referrers cannot be kept; `invalid-argument` when there is neither a file nor an annotation;
 *   and as {@link pushFiles}
 */
export async function attach(
  store: Store,
  reference: string,
  files: readonly FileToPush[],
  options: AttachOptions,
): Promise<AttachResult> {
  const { platform, signal, annotations = {} } = options
  if (files.length === 0 && Object.keys(annotations).length === 0) {
    throw new GantryError('invalid-argument', 'neither file nor annotation provided')
  }
  const subject = await resolvePlatform(store, reference, { platform, signal }).catch((error: unknown) => {
    if (!isGantryError(error, 'not-found')) throw error
    throw new GantryError(error.code, `failed to resolve ${reference}: ${error.message}`, error.options)
  })
  // Nobody would find a manifest that is in no list.
  if (isReferrerSink(store)) await store.checkReferrers(subject, { signal })
  const result = await pushFiles(store, files, { ...options, imageSpec: 'v1.1', subject })
  return { ...result, subject: plainDescriptor(subject) }
}

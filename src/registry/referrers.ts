import { GantryError, isGantryError } from '../errors.js'
import { parseDescriptor, type Descriptor } from '../oci/descriptor.js'
import type { Digest } from '../oci/digest.js'
import { MANIFEST_KEYS } from '../oci/document-keys.js'
import { MediaType } from '../oci/media-types.js'
import type { CallOptions, ReferrerOptions } from '../store/store.js'
import { isJsonObject } from '../util/json.js'
import { deniesWhatIsAbsent } from './denied-lookup.js'
import { referrersPath } from './endpoints.js'
import type { RegistryTransport } from './http/transport.js'
import { MAX_LIST_LENGTH, tooMany } from './name-list.js'
import { readPages, type Page } from './pages.js'
import { readReferrersTag } from './referrers-fallback.js'
import {
  isConclusive,
  isMissingApi,
  noteReferrersSupport,
  referrersSupport,
  requireReferrersAnswer,
} from './referrers-support.js'
import { referenceIn, scopesOf, type RepositoryContext } from './repository-context.js'

/**
 * How referrers are found and recorded: by the referrers API (`api`), under a tag made from the subject's digest (`tag`),
 * or by the API where the registry has it and else by tag (`auto`).
 */
export type ReferrersMode = 'auto' | 'api' | 'tag'

/** The annotation by which a list says that it was filtered, before there was a header for it. */
const FILTERS_ANNOTATION = 'org.opencontainers.referrers.filtersApplied'

/**
 * Lists what refers to a manifest (distribution-spec, "Listing Referrers"). Every referrer is listed once.
 * @throws GantryError `not-found` when there is no such repository; `unsupported` in mode `api` without the API
 */
export async function listReferrers(
  context: RepositoryContext,
  mode: ReferrersMode,
  subject: Digest,
  options: ReferrerOptions = {},
): Promise<readonly Descriptor[]> {
  const { transport } = context
  const useApi = mode === 'api' || (mode === 'auto' && referrersSupport(transport) !== 'unsupported')
  if (useApi) {
    const found = await askApi(context, subject, options).catch((error: unknown) => {
      if (mode === 'auto' && isGantryError(error) && deniesWhatIsAbsent(context, error)) return error
      throw error
    })
    if (!(found instanceof GantryError)) return found
    if (mode === 'api') {
      throw new GantryError('unsupported', `${transport.registry} has no referrers API`, {
        response: found.response,
        cause: found,
      })
    }
  }
  const index = await readReferrersTag(context, subject, options)
  return selectReferrers(index.referrers, options.artifactType)
}

/** One question for all who want to know it at the same time. */
const probes = new WeakMap<RegistryTransport, Promise<boolean>>()

/**
 * Whether the registry has the referrers API. The answer is kept for all repositories of the registry; that a pushed
 * manifest was answered with `OCI-Subject` is no answer, as there are registries that send it without having the API.
 */
export async function hasReferrersApi(
  context: RepositoryContext,
  subject: Digest,
  { signal }: CallOptions = {},
): Promise<boolean> {
  const support = referrersSupport(context.transport)
  if (support !== undefined) return support === 'supported'
  const running = probes.get(context.transport)
  if (running !== undefined) return running
  const probe = askApi(context, subject, { signal })
    .then((found) => !(found instanceof GantryError))
    .finally(() => probes.delete(context.transport))
  probes.set(context.transport, probe)
  return probe
}

/** The referrers by the API, or the failure that shows that it is missing; what that says of the registry is noted. */
async function askApi(
  context: RepositoryContext,
  subject: Digest,
  options: ReferrerOptions,
): Promise<readonly Descriptor[] | GantryError> {
  const { transport } = context
  let isAnswered = false as boolean
  const pages = readPages(transport, {
    path: referrersPath(context.name, subject, options.artifactType),
    scopes: scopesOf(context, 'pull'),
    limit: context.maxManifestSize,
    repetition: context.repetition,
    what: `referrers of ${referenceIn(context, subject)}`,
    accept: MediaType.imageIndex,
    shape: MANIFEST_KEYS,
    maxPages: options.maxListLength,
    isEmpty: ({ manifests }) => !Array.isArray(manifests) || manifests.length === 0,
    signal: options.signal,
    check: (answer) => {
      requireReferrersAnswer(answer, transport.registry)
      isAnswered = true
      noteReferrersSupport(transport, 'supported')
    },
  })
  try {
    return await collectReferrers(pages, context, subject, options)
  } catch (error) {
    if (isAnswered || !isMissingApi(error)) throw error
    if (isConclusive(error) && referrersSupport(transport) === undefined) noteReferrersSupport(transport, 'unsupported')
    return error
  }
}

async function collectReferrers(
  pages: AsyncIterable<Page>,
  context: RepositoryContext,
  subject: Digest,
  { artifactType, maxListLength = MAX_LIST_LENGTH }: ReferrerOptions,
): Promise<readonly Descriptor[]> {
  const where = `referrers of ${referenceIn(context, subject)}`
  const found: Descriptor[] = []
  for await (const page of pages) {
    const { manifests } = page.document
    if (manifests === null || manifests === undefined) continue
    if (!Array.isArray(manifests)) throw new GantryError('invalid-content', `the ${where} are not a list`)
    const descriptors = manifests.map((entry, index) => parseDescriptor(entry, `${where} [${index}]`))
    const isFiltered = artifactType === undefined || filtersOf(page).includes('artifactType')
    found.push(...(isFiltered ? descriptors : selectReferrers(descriptors, artifactType)))
    if (found.length > maxListLength) throw tooMany(where, maxListLength)
  }
  return selectReferrers(found)
}

function filtersOf({ document, answer }: Page): readonly string[] {
  const annotation = isJsonObject(document.annotations) ? document.annotations[FILTERS_ANNOTATION] : undefined
  const text = answer.headerList('oci-filters-applied') ?? (typeof annotation === 'string' ? annotation : '')
  return text.split(',').map((filter) => filter.trim())
}

/** Each one once, and only those of a type where one is given. */
function selectReferrers(descriptors: readonly Descriptor[], artifactType?: string): readonly Descriptor[] {
  const unique = new Map(descriptors.map((descriptor) => [descriptor.digest, descriptor]))
  const all = [...unique.values()]
  return artifactType === undefined ? all : all.filter((descriptor) => descriptor.artifactType === artifactType)
}

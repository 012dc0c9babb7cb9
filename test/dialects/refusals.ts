import type { ProfileName } from '../emulator/profiles/profile.js'
import type { OperationName } from './operations.js'

/** Why something does not work on a registry, or not in full. */
export interface Limit {
  /** Number of its note below the matrix. */
  readonly note: number
  readonly why: string
}

/** How gantry says that a registry does not offer something. */
export interface Refusal extends Limit {
  readonly code: number
  /** What stderr has to match. */
  readonly stderr: RegExp
}

const noDelete: Refusal = {
  note: 1,
  why: 'The registry deletes nothing over this interface; gantry says so.',
  code: 1,
  stderr: /unsupported: .*\nthe registry does not delete manifests, or not without being configured to\n$/,
}
const noBlobDelete: Refusal = {
  note: 2,
  why: 'The registry itself removes blobs that nothing needs; gantry says so.',
  code: 1,
  stderr: /unsupported: .*\nthe registry does not delete blobs, or not without being configured to\n$/,
}
const catalog: Limit = {
  note: 3,
  why: 'The registry does not list its repositories, or only to its administrators; gantry says so.',
}
const noCatalog: Refusal = { ...catalog, code: 1, stderr: /does not list its repositories\n$/ }
const forAdministrators: Refusal = { ...catalog, code: 5, stderr: /unauthorized: authentication required/ }

const list: Limit = {
  note: 4,
  why: 'The registry has no place for lists of referrers; `attach` stores the artifact and fails, as nobody would find it.',
}
const noList: Refusal = { ...list, code: 1, stderr: /takes \S+ for the subject itself and keeps no list there/ }

const collected: Limit = {
  note: 5,
  why: 'Referrers have no tags, and what has none is removed by the registry itself, some time after its subject.',
}

const ociOnly: Limit = {
  note: 6,
  why: 'The registry takes no Docker media types unless it is configured to; `append` needs `--oci-empty-base`, and says so.',
}

const noDeletes = { 'delete by tag': noDelete, 'delete by digest': noDelete, 'delete -r': noDelete }

type OfProfiles<Kind> = Readonly<Partial<Record<ProfileName, Readonly<Partial<Record<OperationName, Kind>>>>>>

/** What registries do not offer; everything else has to work. */
export const REFUSALS: OfProfiles<Refusal> = {
  gar: { 'delete a blob': noBlobDelete },
  gcr: { 'delete a blob': noBlobDelete },
  quay: { 'delete a blob': noBlobDelete },
  harbor: { 'list repositories': forAdministrators },
  ncr: { 'list repositories': forAdministrators },
  openshift: noDeletes,
  'docker-hub': { ...noDeletes, 'delete a blob': noBlobDelete, 'list repositories': forAdministrators },
  ghcr: { ...noDeletes, 'delete a blob': noBlobDelete, 'list repositories': noCatalog },
  gitlab: { attach: noList },
}

/** What works without some of its results; the operations know which. */
export const LIMITS: OfProfiles<Limit> = {
  gitlab: { discover: list, 'copy -r': list, 'delete -r': list },
  quay: { 'delete -r': collected },
  zot: { append: ociOnly },
}

/** Every note of the matrix. */
export const NOTES: readonly Limit[] = [noDelete, noBlobDelete, catalog, list, collected, ociOnly]

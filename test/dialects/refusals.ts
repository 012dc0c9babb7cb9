import type { ProfileName } from '../emulator/profiles/profile.js'
import type { OperationName } from './operations.js'

/** How gantry says that a registry does not offer something. */
export interface Refusal {
  readonly code: number
  /** The whole of stderr matches. */
  readonly stderr: RegExp
  /** Of what the registry is said not to do, for the matrix. */
  readonly why: string
}

const noDelete: Refusal = {
  code: 1,
  stderr: /unsupported: .*\nthe registry does not delete manifests, or not without being configured to\n$/,
  why: 'the registry deletes nothing over this interface',
}
const noBlobDelete: Refusal = {
  code: 1,
  stderr: /unsupported: .*\nthe registry does not delete blobs, or not without being configured to\n$/,
  why: 'the registry removes blobs itself when nothing needs them',
}
const noCatalog: Refusal = {
  code: 1,
  stderr: /does not list its repositories\n$/,
  why: 'the registry does not list its repositories',
}
const forAdministrators: Refusal = {
  code: 5,
  stderr: /unauthorized: authentication required/,
  why: 'the registry lists its repositories to nobody, or to administrators alone',
}
const noList: Refusal = {
  code: 1,
  stderr: /takes \S+ for the subject itself and keeps no list there/,
  why: 'the registry keeps no list of referrers',
}

const noDeletes = { 'delete by tag': noDelete, 'delete by digest': noDelete, 'delete -r': noDelete }

/** What registries do not offer; everything else has to work. */
export const REFUSALS: Readonly<Partial<Record<ProfileName, Readonly<Partial<Record<OperationName, Refusal>>>>>> = {
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

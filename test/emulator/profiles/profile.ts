import type { Account } from '../auth/auth-switches.js'
import type { EmulatorHosts, EmulatorOptions } from '../emulator-options.js'

/** A registry product or service, as a set of switches. */
export interface Profile {
  readonly name: ProfileName
  readonly hosts: EmulatorHosts
  /** The registry as people write it in references; default its host. */
  readonly registry?: string
  /** Who logs in in tests. */
  readonly account: Account
  /** Repositories of the form that the vendor wants; `project/app` by default. */
  readonly namespace?: string
  readonly options: EmulatorOptions
}

export const PROFILE_NAMES = [
  'spec',
  'acr',
  'gar',
  'gcr',
  'quay',
  'harbor',
  'ncr',
  'openshift',
  'docker-hub',
  'ecr',
  'ecr-public',
  'ghcr',
  'gitlab',
  'artifactory',
  'nexus',
  'gitea',
  'zot',
  'distribution-2.8',
  'distribution-3',
] as const

export type ProfileName = (typeof PROFILE_NAMES)[number]

/** Stands in every secret of a profile, so that it can be looked for where it must not appear. */
export const CANARY = 'CANARY'

/** A password that no output may hold. */
export function secretOf(name: string): string {
  return `${CANARY}-${name}-s3cret`
}

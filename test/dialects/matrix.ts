import { PROFILE_NAMES, type ProfileName } from '../emulator/profiles/profile.js'
import type { OperationName } from './operations.js'
import { LIMITS, NOTES, REFUSALS } from './refusals.js'

/** What came of an operation on a registry: it worked, or was refused with the error that was expected. */
export type Outcome = 'works' | 'refused'

export type Outcomes = ReadonlyMap<OperationName, Outcome>

/** The columns of the matrix, each for one or more operations. */
const COLUMNS: Readonly<Record<string, readonly OperationName[]>> = {
  login: ['log in'],
  push: ['push a file', 'push a folder', 'push 64 MiB', 'push in chunks'],
  pull: ['pull'],
  append: ['append'],
  attach: ['attach'],
  discover: ['discover'],
  copy: ['copy in', 'copy out', 'copy within'],
  'copy -r': ['copy -r'],
  'repo tags': ['list tags'],
  'repo ls': ['list repositories'],
  'manifest delete': ['delete by tag', 'delete by digest'],
  'manifest delete -r': ['delete -r'],
  'blob delete': ['delete a blob'],
}

const TITLES: Readonly<Record<ProfileName, string>> = {
  spec: 'the specification',
  acr: 'Azure Container Registry',
  gar: 'Google Artifact Registry',
  gcr: 'Google Container Registry',
  quay: 'Quay',
  harbor: 'Harbor',
  ncr: 'NHN Container Registry',
  openshift: 'OpenShift',
  'docker-hub': 'Docker Hub',
  ecr: 'Amazon ECR',
  'ecr-public': 'Amazon ECR Public',
  ghcr: 'GitHub Container Registry',
  gitlab: 'GitLab',
  artifactory: 'Artifactory',
  nexus: 'Nexus',
  gitea: 'Gitea, Forgejo',
  zot: 'zot',
  'distribution-2.8': 'Distribution 2.8',
  'distribution-3': 'Distribution 3',
}

/** One line of the matrix, and all that the whole needs besides. */
export interface MatrixLine {
  readonly position: number
  readonly line: string
  readonly head: readonly string[]
  readonly notes: readonly string[]
}

/** The line of a registry. */
export function matrixLine(profile: ProfileName, outcomes: Outcomes): MatrixLine {
  const cells = Object.values(COLUMNS).map((operations) => cellOf(profile, operations, outcomes))
  const names = Object.keys(COLUMNS).map((name) => `\`${name}\``)
  return {
    position: PROFILE_NAMES.indexOf(profile),
    line: `| ${[TITLES[profile], ...cells].join(' | ')} |`,
    head: [`| registry | ${names.join(' | ')} |`, `| --- |${' :---: |'.repeat(names.length)}`],
    notes: NOTES.map(({ note, why }) => `${note}. ${why}`),
  }
}

function cellOf(profile: ProfileName, operations: readonly OperationName[], outcomes: Outcomes): string {
  const tried = operations.map((operation) => outcomes.get(operation))
  if (tried.includes(undefined)) return '?'
  const limits = operations.flatMap((name) => REFUSALS[profile]?.[name] ?? LIMITS[profile]?.[name] ?? [])
  const notes = [...new Set(limits.map(({ note }) => `<sup>${note}</sup>`))].join('')
  return `${tried.includes('refused') ? '–' : '✓'}${notes}`
}

/** What the matrix says where everything turns out as expected. */
export function expectedOutcomes(profile: ProfileName): Outcomes {
  const operations = Object.values(COLUMNS).flat()
  return new Map(operations.map((name) => [name, REFUSALS[profile]?.[name] === undefined ? 'works' : 'refused']))
}

import type { Stage } from './options/option.js'

/** What a group of commands is called beside its name, and what it is for; its commands are the files in its folder. */
export interface GroupSummary {
  readonly summary: string
  readonly aliases?: readonly string[]
  readonly stage?: Stage
}

/** The groups by the folder of their commands; the empty name is the program itself. */
export const COMMAND_GROUPS: Readonly<Record<string, GroupSummary>> = {
  '': { summary: 'Move artifacts between container registries' },
  manifest: { summary: 'Work with manifests' },
  'manifest/index': { summary: 'Work with indexes', stage: 'experimental' },
  blob: { summary: 'Work with blobs' },
  layout: { summary: 'Work with image layouts' },
  repo: { summary: 'Work with repositories', aliases: ['repository'] },
  completion: { summary: 'Print the completion script for a shell' },
  registry: { summary: 'Run a registry of your own, and keep settings of others' },
}

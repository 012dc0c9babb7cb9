import type { Command } from 'commander'
import type { Context } from '../context.js'
import { UsageError } from '../usage-error.js'
import { checkExclusive } from './exclusive.js'
import { valuesOf, type FlagPrefix } from './prefix.js'
import { declareRemote, readRemote, type RemoteDeclaration, type RemoteOptions } from './remote.js'

/** What a reference on the command line opens, as the flags say it. */
export type TargetOptions =
  | { readonly type: 'registry'; readonly remote: RemoteOptions }
  | {
      readonly type: 'oci-layout'
      /** The folder or tar; undefined when the reference itself names it. */
      readonly layoutPath?: string
    }

interface TargetValues {
  readonly ociLayout: boolean
  readonly ociLayoutPath: string
  readonly header: readonly string[]
}

/** Declares the flags of a target that may be a registry or an image layout. */
export function declareTarget(command: Command, declaration: RemoteDeclaration = {}): void {
  const prefix = declaration.prefix ?? ''
  declareRemote(command, declaration)
  command
    .option(`--${prefix}oci-layout`, 'the reference is <path>[:<tag>|@<digest>] of an OCI image layout')
    .option(`--${prefix}oci-layout-path <path>`, 'the OCI image layout that the reference is looked up in')
}

/** Reads the flags that {@link declareTarget} declares. */
export async function readTarget(
  values: Readonly<Record<string, unknown>>,
  context: Context,
  prefix: FlagPrefix = '',
): Promise<TargetOptions> {
  const target = valuesOf<TargetValues>(values, prefix, ['oci-layout', 'oci-layout-path', 'header'])
  checkExclusive({
    [`${prefix}oci-layout-path`]: target.ociLayoutPath,
    [`${prefix}oci-layout`]: target.ociLayout,
  })
  if (target.ociLayout !== true && target.ociLayoutPath === undefined) {
    return { type: 'registry', remote: await readRemote(values, context, prefix) }
  }
  if (target.header !== undefined) {
    throw new UsageError('custom header flags cannot be used on an OCI image layout target')
  }
  return {
    type: 'oci-layout',
    ...(target.ociLayoutPath === undefined ? {} : { layoutPath: target.ociLayoutPath }),
  }
}

import type { Digest } from '../index.js'
import { referenceOf, type Target } from './open-target.js'
import { UsageError } from './usage-error.js'

/**
 * The tag or digest that a target has to name.
 * @throws UsageError when it names neither
 */
export function requireReference(target: Target, call: { readonly name: string; readonly usage: string }): string {
  const reference = referenceOf(target)
  if (reference !== undefined) return reference
  throw new UsageError(`"${target.typed}": no tag or digest specified`, {
    usage: call.usage,
    hint: `Please specify a reference in the form of "<name>:<tag>" or "<name>@<digest>". Run "${call.name} -h" for more options and examples`,
  })
}

/**
 * The digest that a target has to name.
 * @throws UsageError when it names none
 */
export function requireDigest(target: Target, call: { readonly name: string; readonly usage: string }): Digest {
  if (target.digest !== undefined) return target.digest
  throw new UsageError(`"${target.typed}": no digest specified`, {
    usage: call.usage,
    hint: `Please specify a reference in the form of "<name>@<digest>". Run "${call.name} -h" for more options and examples`,
  })
}

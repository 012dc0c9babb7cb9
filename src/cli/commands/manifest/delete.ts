import { GantryError, isGantryError } from '../../../errors.js'
import { deleteGraph, planDelete, type DeletePlan } from '../../../graph/delete.js'
import type { Descriptor } from '../../../oci/descriptor.js'
import { describeTarget, namedSink } from '../../arguments.js'
import { command } from '../../command.js'
import { checkForce, confirm, confirmOptions } from '../../options/confirm.js'
import { checkExclusive } from '../../options/exclusive.js'
import { flag } from '../../options/option.js'

export default command({
  summary: 'Delete a manifest, or a whole graph',
  aliases: ['remove', 'rm'],
  description: 'A manifest goes with all tags that point at it. The command asks first.',
  arguments: { target: namedSink({ referrers: true }) },
  needs: 'the manifest to delete',
  options: {
    ...confirmOptions,
    recursive: flag('-r, --recursive', 'delete everything that refers to the manifest too, leaves first'),
    descriptor: flag('--descriptor', 'print the descriptor of the deleted manifest'),
    pretty: flag('--pretty', 'indent the JSON that is printed'),
  },
  examples: [
    ['Delete a manifest without a question', 'manifest delete --force localhost:5000/hello:v1'],
    [
      'Delete an artifact with its signatures, SBOMs and everything else that refers to it',
      'manifest delete -r -f localhost:5000/hello:v1',
    ],
  ],
  check({ options, format }) {
    checkForce(options)
    checkExclusive({ format, descriptor: options.descriptor })
  },
  async run({ target, options, context, signal, print, isForMachine }) {
    const { force, recursive, descriptor } = options
    const root = await target.store.resolve(target.reference, { signal }).catch((error: unknown) => {
      if (!isGantryError(error, 'not-found')) throw error
      if (force && !descriptor) return undefined
      throw new GantryError('not-found', `${target.typed}: the specified manifest does not exist`, { cause: error })
    })
    if (root === undefined) return { reference: target.typed, outcome: 'missing' as const, deleted: [] }
    const plan = await planDelete(target.store, root, { referrers: recursive, signal })
    if (!force && !(await confirm(questionFor(plan), context))) {
      return { reference: target.typed, outcome: 'cancelled' as const, deleted: [] }
    }
    const deleted: Descriptor[] = []
    await deleteGraph(target.store, plan, {
      signal,
      onEvent: (event) => {
        if (event.type !== 'deleted') return
        deleted.push(event.descriptor)
        if (event.descriptor.digest === root.digest || descriptor || isForMachine) return
        print.line(`Deleted ${event.descriptor.digest}`)
      },
    })
    return { reference: target.typed, outcome: 'deleted' as const, descriptor: root, deleted }
  },
  text({ outcome, descriptor }, print, { target, options }) {
    if (outcome === 'missing') print.line(`Missing ${target.typed}`)
    if (outcome !== 'deleted') return
    if (options.descriptor) print.compactJson(descriptor, options.pretty)
    else print.line(`Deleted ${describeTarget(target)}`)
  },
})

function questionFor({ root, nodes }: DeletePlan): string {
  const others = nodes.length - 1
  const referrers =
    others === 0 ? '' : `, the ${others} ${others === 1 ? 'manifest that refers' : 'manifests that refer'} to it,`
  return `Are you sure you want to delete the manifest "${root.digest}"${referrers} and all tags associated with it?`
}

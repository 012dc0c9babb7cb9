import type { RemovalPlan } from '../../../client/remove.js'
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
  async run({ target, options, client, context, signal, print, isForMachine }) {
    const { force, recursive, descriptor: isAsked } = options
    const { outcome, descriptor, deleted } = await client.remove(target, {
      referrers: recursive,
      ignoreMissing: force && !isAsked,
      confirm: force ? undefined : (plan) => confirm(questionFor(plan), context, { isForMachine }),
      onDeleted: ({ digest }, plan) => {
        if (digest !== plan.descriptor.digest && !isAsked && !isForMachine) print.line(`Deleted ${digest}`)
      },
      signal,
    })
    return { reference: target.typed, outcome, descriptor, deleted }
  },
  text({ outcome, descriptor }, print, { target, options }) {
    if (outcome === 'missing') print.line(`Missing ${target.typed}`)
    if (outcome !== 'deleted') return
    if (options.descriptor) print.compactJson(descriptor, options.pretty)
    else print.line(`Deleted ${describeTarget(target)}`)
  },
})

function questionFor({ descriptor, nodes }: RemovalPlan): string {
  const others = nodes.length - 1
  const referrers =
    others === 0 ? '' : `, the ${others} ${others === 1 ? 'manifest that refers' : 'manifests that refer'} to it,`
  return `Are you sure you want to delete the manifest "${descriptor.digest}"${referrers} and all tags associated with it?`
}

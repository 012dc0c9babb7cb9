import { blobSink, describeTarget } from '../../arguments.js'
import { command } from '../../command.js'
import { checkForce, confirm, confirmOptions } from '../../options/confirm.js'
import { checkExclusive } from '../../options/exclusive.js'
import { flag } from '../../options/option.js'

export default command({
  summary: 'Delete a blob',
  aliases: ['remove', 'rm'],
  description: 'The command asks first.',
  arguments: { target: blobSink() },
  needs: 'the target blob to delete',
  options: {
    ...confirmOptions,
    descriptor: flag('--descriptor', 'print the descriptor of the deleted blob'),
    pretty: flag('--pretty', 'indent the JSON that is printed'),
  },
  examples: [['Delete a blob without a question', 'blob delete --force localhost:5000/hello@sha256:…']],
  check({ options, format }) {
    checkForce(options)
    checkExclusive({ format, descriptor: options.descriptor })
  },
  async run({ target, options: { force, descriptor: isAsked }, client, context, signal, isForMachine }) {
    const { outcome, descriptor } = await client.remove(target, {
      kind: 'blob',
      ignoreMissing: force && !isAsked,
      confirm: force
        ? undefined
        : () => confirm(`Are you sure you want to delete the blob "${target.digest}"?`, context, { isForMachine }),
      signal,
    })
    return { reference: target.typed, outcome, descriptor }
  },
  text({ outcome, descriptor }, print, { target, options }) {
    if (outcome === 'missing') print.line(`Missing ${target.typed}`)
    if (outcome !== 'deleted') return
    if (options.descriptor) print.compactJson(descriptor, options.pretty)
    else print.line(`Deleted ${describeTarget(target)}`)
  },
})

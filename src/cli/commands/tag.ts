import { GantryError } from '../../index.js'
import { defineCommand } from '../define-command.js'
import { describeTarget, openSink } from '../open-target.js'
import { declareConnection } from '../options/connection.js'
import { declareTarget, readTarget } from '../options/target.js'
import { declareTransfer, type TransferValues } from '../options/transfer.js'
import { Printer } from '../output/printer.js'
import { requireReference } from '../require-reference.js'
import { UsageError } from '../usage-error.js'
import { withSession } from '../with-session.js'

export const tag = defineCommand<TransferValues>({
  usage: '<name>{:<tag>|@<digest>} <new_tag> [...]',
  description: `Point one or more further tags at a manifest.

Example - Tag the manifest 'v1' as 'latest' and 'stable':
  gantry tag localhost:5000/hello:v1 latest stable`,
  arguments: { minimum: 1, maximum: Infinity, as: 'the to-be-retagged reference and the new tags' },
  configure: (command) => {
    declareTarget(command)
    declareConnection(command)
    declareTransfer(command)
  },
  run: (call) =>
    withSession(call.context, call.values, async (session) => {
      const { context, values } = call
      const [typed = '', ...tags] = call.arguments
      checkTags(typed, tags, call)
      const target = await openSink(session, typed, await readTarget({ ...values }, context))
      const { signal } = context
      const { descriptor } = await target.store.readManifest(requireReference(target, call), { signal })
      const printer = new Printer(context)
      printer.line(`Tagging ${describeTarget(target, `${target.path}@${descriptor.digest}`)}`)
      for (const newTag of tags) {
        await target.store.tag(descriptor, newTag, { signal })
        printer.line(`Tagged ${newTag}`)
      }
    }),
})

function checkTags(typed: string, tags: readonly string[], { usage }: { readonly usage: string }): void {
  if (typed === 'ls' || typed === 'list') {
    throw new UsageError(`there is no "${typed}" sub-command for "gantry tag" command`, {
      usage,
      hint: 'If you want to list available tags in a repository, use "gantry repo tags"',
    })
  }
  if (tags.length === 0) throw new GantryError('invalid-argument', `no new tag given for "${typed}"`)
}

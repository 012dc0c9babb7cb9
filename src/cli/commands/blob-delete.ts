import { GantryError, isGantryError } from '../../index.js'
import { defineCommand, type CommandCall } from '../define-command.js'
import { describeTarget, openSink, type Target, type WritableStore } from '../open-target.js'
import { confirm, declareConfirm, type ConfirmValues } from '../options/confirm.js'
import { declareConnection } from '../options/connection.js'
import { declareTarget, readTarget } from '../options/target.js'
import { Printer } from '../output/printer.js'
import { requireDigest } from '../require-reference.js'
import { UsageError } from '../usage-error.js'
import { withSession } from '../with-session.js'

interface Values extends ConfirmValues {
  readonly descriptor?: boolean
  readonly pretty?: boolean
}

export const blobDelete = defineCommand<Values>({
  usage: '<name>@<digest>',
  description: `Delete a blob. Asks first.

Example - Delete a blob without a question:
  gantry blob delete --force localhost:5000/hello@sha256:…`,
  arguments: { minimum: 1, as: 'the target blob to delete' },
  configure: (command) => {
    command
      .option('--descriptor', 'print the descriptor of the deleted blob')
      .option('--pretty', 'indent the JSON that is printed')
    declareConfirm(command)
    declareTarget(command)
    declareConnection(command)
  },
  run: (call) =>
    withSession(call.context, call.values, async (session) => {
      checkForce(call.values)
      const target = await openSink(
        session,
        call.arguments[0] ?? '',
        await readTarget({ ...call.values }, call.context),
      )
      await deleteBlob(target, call)
    }),
})

/** What `--descriptor` prints is for a program, which cannot answer a question. */
export function checkForce({ descriptor, force }: Values): void {
  if (descriptor === true && force !== true) {
    throw new UsageError('must apply --force to confirm the deletion if the descriptor is outputted')
  }
}

async function deleteBlob(target: Target<WritableStore>, call: CommandCall<Values>): Promise<void> {
  const { context, values } = call
  const { signal } = context
  const printer = new Printer(context)
  const digest = requireDigest(target, call)
  const descriptor = await target.store.resolveBlob(digest, { signal }).catch((error: unknown) => {
    if (isGantryError(error, 'not-found')) return undefined
    throw error
  })
  if (descriptor === undefined) {
    if (values.force === true && values.descriptor !== true) {
      printer.line(`Missing ${target.typed}`)
      return
    }
    throw new GantryError('not-found', `${target.typed}: the specified blob does not exist`)
  }
  const question = `Are you sure you want to delete the blob "${digest}"?`
  if (values.force !== true && !(await confirm(question, context))) return
  await target.store.delete(descriptor, { signal })
  if (values.descriptor === true) printer.compactJson(descriptor, values.pretty === true)
  else printer.line(`Deleted ${describeTarget(target)}`)
}

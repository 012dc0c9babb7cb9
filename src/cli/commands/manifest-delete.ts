import { deleteGraph, GantryError, isGantryError, planDelete, type DeletePlan, type Descriptor } from '../../index.js'
import { defineCommand, type CommandCall } from '../define-command.js'
import { describeTarget, openSink, type Target, type WritableStore } from '../open-target.js'
import { confirm, declareConfirm, type ConfirmValues } from '../options/confirm.js'
import { declareConnection } from '../options/connection.js'
import { declareTarget, readTarget } from '../options/target.js'
import { Printer } from '../output/printer.js'
import { requireReference } from '../require-reference.js'
import { withSession } from '../with-session.js'
import { checkForce } from './blob-delete.js'

interface Values extends ConfirmValues {
  readonly descriptor?: boolean
  readonly pretty?: boolean
  readonly recursive?: boolean
}

export const manifestDelete = defineCommand<Values>({
  usage: '<name>{:<tag>|@<digest>}',
  description: `Delete a manifest, with all tags that point at it. Asks first.

Example - Delete a manifest without a question:
  gantry manifest delete --force localhost:5000/hello:v1

Example - Delete an artifact with its signatures, SBOMs and everything else that refers to it:
  gantry manifest delete -r -f localhost:5000/hello:v1`,
  arguments: { minimum: 1, as: 'the manifest to delete' },
  configure: (command) => {
    command
      .option('-r, --recursive', 'delete everything that refers to the manifest too, leaves first')
      .option('--descriptor', 'print the descriptor of the deleted manifest')
      .option('--pretty', 'indent the JSON that is printed')
    declareConfirm(command)
    declareTarget(command, { distributionSpec: true })
    declareConnection(command)
  },
  run: (call) =>
    withSession(call.context, call.values, async (session) => {
      const { context, values } = call
      checkForce(values)
      const target = await openSink(session, call.arguments[0] ?? '', await readTarget({ ...values }, context))
      const reference = requireReference(target, call)
      const printer = new Printer(context)
      const root = await resolveOrMissing(target, reference, call)
      if (root === undefined) {
        printer.line(`Missing ${target.typed}`)
        return
      }
      const plan = await planDelete(target.store, root, {
        referrers: values.recursive === true,
        signal: context.signal,
      })
      if (values.force !== true && !(await confirm(questionFor(plan), context))) return
      await deletePlanned(target, plan, call)
      if (values.descriptor === true) printer.compactJson(root, values.pretty === true)
      else printer.line(`Deleted ${describeTarget(target)}`)
    }),
})

/** Undefined when the manifest is not there, and that is fine. */
async function resolveOrMissing(
  target: Target<WritableStore>,
  reference: string,
  { context, values }: CommandCall<Values>,
): Promise<Descriptor | undefined> {
  try {
    return await target.store.resolve(reference, { signal: context.signal })
  } catch (error) {
    if (!isGantryError(error, 'not-found')) throw error
    if (values.force === true && values.descriptor !== true) return undefined
    throw new GantryError('not-found', `${target.typed}: the specified manifest does not exist`, { cause: error })
  }
}

function questionFor({ root, nodes }: DeletePlan): string {
  const others = nodes.length - 1
  const referrers =
    others === 0 ? '' : `, the ${others} ${others === 1 ? 'manifest that refers' : 'manifests that refer'} to it,`
  return `Are you sure you want to delete the manifest "${root.digest}"${referrers} and all tags associated with it?`
}

async function deletePlanned(
  { store }: Target<WritableStore>,
  plan: DeletePlan,
  { context, values }: CommandCall<Values>,
): Promise<void> {
  const printer = new Printer(context)
  await deleteGraph(store, plan, {
    signal: context.signal,
    onEvent: (event) => {
      if (event.type !== 'deleted' || event.descriptor.digest === plan.root.digest || values.descriptor === true) return
      printer.line(`Deleted ${event.descriptor.digest}`)
    },
  })
}

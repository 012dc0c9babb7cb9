import { defineCommand } from '../define-command.js'
import { openSource } from '../open-target.js'
import { declareConnection } from '../options/connection.js'
import { declarePlatform, readPlatform, type PlatformValues } from '../options/platform.js'
import { declareTarget, readTarget } from '../options/target.js'
import { Printer } from '../output/printer.js'
import { requireReference } from '../require-reference.js'
import { resolvePlatform } from '../../index.js'
import { withSession } from '../with-session.js'

interface Values extends PlatformValues {
  readonly fullReference?: boolean
}

export const resolve = defineCommand<Values>({
  usage: '<name>{:<tag>|@<digest>}',
  description: `Show the digest that a tag, or a platform of an index, stands for.

Example - Resolve a tag:
  gantry resolve localhost:5000/hello:v1

Example - Resolve one platform of an index, as a full reference:
  gantry resolve --platform linux/arm64 -l localhost:5000/hello:v1`,
  arguments: { minimum: 1, as: 'the artifact reference to resolve' },
  configure: (command) => {
    command.option('-l, --full-reference', 'print <name>@<digest>')
    declareTarget(command)
    declarePlatform(command)
    declareConnection(command)
  },
  run: (call) =>
    withSession(call.context, call.values, async (session) => {
      const { context, values } = call
      const target = await openSource(session, call.arguments[0] ?? '', await readTarget({ ...values }, context))
      const reference = requireReference(target, call)
      const { signal } = context
      const descriptor = await resolvePlatform(target.store, reference, { ...readPlatform(values), signal })
      const prefix = values.fullReference === true ? `${target.path}@` : ''
      new Printer(context).line(`${prefix}${descriptor.digest}`)
    }),
})

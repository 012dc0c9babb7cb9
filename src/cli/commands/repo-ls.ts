import { Registry } from '../../index.js'
import { defineCommand } from '../define-command.js'
import { declareConnection } from '../options/connection.js'
import { declareFormat, readFormat, type FormatValues } from '../options/format.js'
import { declareRemote, readRemote } from '../options/remote.js'
import { Printer } from '../output/printer.js'
import { showResult } from '../output/show-result.js'
import { withSession } from '../with-session.js'

interface Values extends FormatValues {
  readonly last?: string
}

export const repoLs = defineCommand<Values>({
  usage: '<registry>[/<namespace>]',
  description: `List the repositories of a registry, as far as it shows them.

Example - List all repositories:
  gantry repo ls localhost:5000

Example - List the repositories below a namespace, after one of them:
  gantry repo ls --last team/app localhost:5000/team`,
  arguments: { minimum: 1, as: 'the registry to list repositories of' },
  configure: (command) => {
    command.option('--last <last>', 'start after this repository')
    declareFormat(command)
    declareRemote(command)
    declareConnection(command)
  },
  run: (call) =>
    withSession(call.context, call.values, async (session) => {
      const { context, values } = call
      const format = readFormat(values)
      const [registry = '', ...path] = (call.arguments[0] ?? '').split('/')
      const prefix = path.length === 0 || path.join('/') === '' ? '' : `${path.join('/').replace(/\/+$/, '')}/`
      const transport = await session.transport(registry, await readRemote({ ...values }, context))
      const names = new Registry(transport).catalog({
        signal: context.signal,
        ...(values.last === undefined ? {} : { last: values.last }),
      })
      const printer = new Printer(context)
      const repositories: string[] = []
      for await (const name of names) {
        if (!name.startsWith(prefix)) continue
        // Pages may be many: what is known is printed at once.
        if (format.type === 'text') printer.line(name.slice(prefix.length))
        else repositories.push(name)
      }
      if (format.type !== 'text') await showResult(context, format, { registry, repositories }, () => undefined)
    }),
})

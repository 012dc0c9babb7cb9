import { Registry } from '../../../registry/registry.js'
import { registry } from '../../arguments.js'
import { command, programOf } from '../../command.js'
import { text } from '../../options/option.js'
import { listOptions } from '../../options/transfer.js'
import { InterruptedList } from '../../output/interrupted-list.js'
import { withoutScheme } from '../../options/registry-name.js'
import { UsageError } from '../../usage-error.js'

export default command({
  summary: 'List the repositories of a registry',
  aliases: ['list'],
  description: 'As far as the registry shows them.',
  arguments: { place: registry('<registry>[/<namespace>]') },
  needs: 'the target registry to list repositories from',
  options: { last: text('--last <last>', 'start after this repository'), ...listOptions },
  examples: [
    ['List all repositories', 'repo ls localhost:5000'],
    ['List the repositories below a namespace, after one of them', 'repo ls --last team/app localhost:5000/team'],
  ],
  check({ words: [place = ''], name, usage }) {
    const rest = withoutScheme(place)
    const path = rest.slice(Math.max(rest.indexOf('/'), 0))
    if (!rest.includes('/') || !/[:@]/.test(path)) return
    throw new UsageError(`"${place}": tags or digests should not be provided`, {
      usage,
      hint: `To list the tags of a repository, use "${programOf(name)} repo tags".`,
    })
  },
  async run({ place, options: { last, maxListLength }, client, signal, print, isForMachine }) {
    const [host = '', ...path] = place.split('/')
    const prefix = path.length === 0 || path.join('/') === '' ? '' : `${path.join('/').replace(/\/+$/, '')}/`
    const names = new Registry(await client.transport(host)).catalog({ signal, last, maxListLength })
    const repositories: string[] = []
    try {
      for await (const name of names) {
        if (!name.startsWith(prefix)) continue
        // Pages may be many: what is known is printed at once.
        if (isForMachine) repositories.push(name)
        else print.line(name.slice(prefix.length))
      }
    } catch (error) {
      throw repositories.length === 0 ? error : new InterruptedList({ registry: host, repositories }, error)
    }
    return { registry: host, repositories }
  },
})

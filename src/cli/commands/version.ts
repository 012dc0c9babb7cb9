import { words } from '../arguments.js'
import { command } from '../command.js'
import { osAndArchitecture, printVersion, VERSION } from '../version.js'

export default command({
  summary: 'Show the version',
  description: 'Shows the version of gantry, of Node.js and of the platform.',
  arguments: { extra: words('') },
  run({ extra, context, name }) {
    if (extra.length > 0) {
      context.stderr.write(`warning: \`${name}\` requires no argument, "${extra.join(',')}" will be ignored\n`)
    }
    return Promise.resolve({ version: VERSION, node: process.versions.node, platform: osAndArchitecture() })
  },
  text: (_result, _print, { context }) => printVersion(context),
})

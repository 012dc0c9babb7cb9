import type { Context } from '../context.js'
import { defineCommand } from '../define-command.js'
import { VERSION } from '../version.js'

export const version = defineCommand({
  usage: '',
  description: 'Show the version of gantry, of Node.js and of the platform.',
  arguments: { minimum: 0, maximum: Infinity, as: 'nothing' },
  run: ({ context, arguments: extra }) => {
    const [first] = extra
    if (first !== undefined) {
      context.stderr.write(`warning: \`gantry version\` requires no argument, "${first}" will be ignored\n`)
    }
    printVersion(context)
    return Promise.resolve()
  },
})

/** Prints the version; needs nothing but this file, so that it costs little more than starting Node. */
export function printVersion(context: Context): void {
  context.stdout.write(
    [
      `Version:         ${VERSION}`,
      `Node.js version: ${process.versions.node}`,
      `OS/Arch:         ${osAndArchitecture()}`,
      '',
    ].join('\n'),
  )
}

function osAndArchitecture(): string {
  const os = process.platform === 'win32' ? 'windows' : process.platform
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch
  return `${os}/${architecture}`
}

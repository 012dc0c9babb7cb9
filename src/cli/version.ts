import type { Context } from './context.js'

/** Filled in by the build from package.json. */
declare const GANTRY_VERSION: string | undefined

/** The version of gantry; `development` when it runs from its sources. */
export const VERSION: string = typeof GANTRY_VERSION === 'undefined' ? 'development' : GANTRY_VERSION

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

/** The platform in the words of Go programs. */
export function osAndArchitecture(): string {
  const os = process.platform === 'win32' ? 'windows' : process.platform
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch
  return `${os}/${architecture}`
}

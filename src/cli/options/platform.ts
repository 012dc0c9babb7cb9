import type { Command } from 'commander'
import { architectureOf, parsePlatform, type Platform } from '../../index.js'
import { repeatable } from './repeatable.js'

export interface PlatformValues {
  readonly platform?: string
}

/** Declares `--platform` for commands that work on one platform. */
export function declarePlatform(command: Command): void {
  command.option('--platform <os[/arch][/variant][:os_version]>', 'choose this platform of an index')
}

/** Declares `--platform` for commands that can work on several. */
export function declarePlatforms(command: Command): void {
  command.option(
    '--platform <os[/arch][/variant][:os_version]>',
    'only this platform of an index; given several times, or with commas, an index of these alone',
    repeatable,
  )
}

/** Reads a platform; `all` means that none was chosen. A missing architecture is that of this machine. */
export function readPlatform({ platform }: PlatformValues): { readonly platform?: Platform } {
  if (platform === undefined || platform === 'all') return {}
  return { platform: parsePlatform(platform, architectureOf(process.arch)) }
}

/** Reads platforms that may have been given several times, or with commas. */
export function readPlatforms({ platform = [] }: { readonly platform?: readonly string[] }): readonly Platform[] {
  return platform
    .flatMap((text) => text.split(','))
    .filter((text) => text !== 'all')
    .map((text) => parsePlatform(text, architectureOf(process.arch)))
}

import { architectureOf, parsePlatform, type Platform } from '../../oci/platform.js'
import { list, parsed } from './option.js'

const SPELLING = '--platform <os[/arch][/variant][:os_version]>'

/** The flag of commands that work on one platform; `all` means that none was chosen. */
export const platformOptions = {
  platform: parsed(SPELLING, 'choose this platform of an index', readPlatform),
}

/** The flag of commands that can work on several; read with {@link readPlatforms}. */
export const platformsOptions = {
  platform: list(
    SPELLING,
    'only this platform of an index; given several times, or with commas, an index of these alone',
  ),
}

/** Reads a platform; a missing architecture is that of this machine. */
export function readPlatform(text: string): Platform | undefined {
  return text === 'all' ? undefined : parsePlatform(text, architectureOf(process.arch))
}

/** Reads platforms that may have been given several times, or with commas. */
export function readPlatforms(texts: readonly string[]): readonly Platform[] {
  return texts
    .flatMap((text) => text.split(','))
    .map(readPlatform)
    .filter((platform) => platform !== undefined)
}

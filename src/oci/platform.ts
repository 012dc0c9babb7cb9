import { requireObject, requireText } from '../util/require-kind.js'
import { GantryError } from '../errors.js'

/** What an image runs on (image-spec, image-index.md, "platform"). */
export interface Platform {
  readonly architecture: string
  readonly os: string
  readonly 'os.version'?: string
  readonly 'os.features'?: readonly string[]
  readonly variant?: string
}

/**
 * Parses `os[/architecture][/variant][:os_version]`.
 * @param defaultArchitecture in Go's spelling; taken when the text names none
 * @throws GantryError `invalid-platform`
 */
export function parsePlatform(text: string, defaultArchitecture: string): Platform {
  requireText('a platform', text)
  requireText('an architecture', defaultArchitecture)
  const colon = text.indexOf(':')
  const [os = '', architecture = defaultArchitecture, variant, ...rest] = (
    colon === -1 ? text : text.slice(0, colon)
  ).split('/')
  const osVersion = colon === -1 ? undefined : text.slice(colon + 1)
  if (rest.length > 0) {
    throw new GantryError('invalid-platform', `failed to parse platform "${text}": expected format os[/arch[/variant]]`)
  }
  if (os === '') throw new GantryError('invalid-platform', 'invalid platform: OS cannot be empty')
  if (architecture === '') throw new GantryError('invalid-platform', 'invalid platform: Architecture cannot be empty')
  return {
    architecture,
    os,
    'os.version': osVersion,
    variant,
  }
}

/** The text of a platform; the inverse of {@link parsePlatform}. */
export function formatPlatform(platform: Platform): string {
  requireObject('a platform in its parts', platform)
  const variant = platform.variant === undefined ? '' : `/${platform.variant}`
  const osVersion = platform['os.version'] === undefined ? '' : `:${platform['os.version']}`
  return `${platform.os}/${platform.architecture}${variant}${osVersion}`
}

/** Whether `offered` is what was asked for: os and architecture must agree, the rest only where it is wanted. */
export function matchesPlatform(wanted: Platform, offered: Platform): boolean {
  return (
    wanted.os === offered.os &&
    wanted.architecture === offered.architecture &&
    (wanted.variant === undefined || wanted.variant === offered.variant) &&
    (wanted['os.version'] === undefined || wanted['os.version'] === offered['os.version']) &&
    (wanted['os.features'] ?? []).every((feature) => offered['os.features']?.includes(feature) === true)
  )
}

const GO_ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: 'amd64',
  ia32: '386',
  ppc64: 'ppc64le',
  mipsel: 'mipsle',
}

/** A Node `process.arch` in the spelling of images (Go's GOARCH). */
export function architectureOf(nodeArchitecture: string): string {
  return GO_ARCHITECTURES[nodeArchitecture] ?? nodeArchitecture
}

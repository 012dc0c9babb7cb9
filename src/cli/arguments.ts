import type { Client } from '../client/client.js'
import type { OpenOptions } from '../client/opener.js'
import type { CopyTarget, Target, WritableStore } from '../client/open-target.js'
import type { Digest } from '../oci/digest.js'
import type { RepositoryOptions } from '../registry/repository.js'
import { withoutScheme } from './options/registry-name.js'
import { UsageError } from './usage-error.js'

/** The side of a copy that flags are for; empty where there is one target. */
export type Side = '' | 'from-' | 'to-'

/** What an argument is opened with. */
export interface Opening {
  readonly client: Client
  /** How a target of a side is reached, as the flags say. */
  readonly access: (side: Side) => Promise<OpenOptions>
  /** Told of what was understood differently from how it was typed. */
  readonly notice: (text: string) => void
  readonly values: Readonly<Record<string, unknown>>
  readonly name: string
  readonly usage: string
}

/** A positional argument: how it is written, and what it opens. */
export interface Argument<Value> {
  /** Such as `<name>{:<tag>|@<digest>}`. */
  readonly usage: string
  /** How many words it takes at least; 1 for most. */
  readonly minimum: number
  /** Infinity for the last argument of a command that takes any number. */
  readonly maximum: number
  /** The side whose flags say how to reach it; undefined for what is no target. */
  readonly side: Side | undefined
  /** Whether flags say how referrers are kept, and that the target may be a layout. */
  readonly flags: { readonly referrers: boolean; readonly layout: boolean }
  open(words: readonly string[], opening: Opening): Promise<Value>
}

export type Arguments = Readonly<Record<string, Argument<unknown>>>

export type ArgumentValues<Taken extends Arguments> = {
  readonly [Name in keyof Taken]: Taken[Name] extends Argument<infer Value> ? Value : never
}

export interface TargetSettings {
  readonly usage?: string
  readonly side?: Side
  /** Whether the command has `--distribution-spec`. */
  readonly referrers?: boolean
  /** How the repository is read, by the flags of the command. */
  readonly repository?: (values: Readonly<Record<string, unknown>>, options: OpenOptions) => RepositoryOptions
}

/** A target whose reference is known to be there. */
export type NamedTarget<Store> = Target<Store> & { readonly reference: string }

const REFERENCE = '<name>{:<tag>|@<digest>}'

/** A target to read from that has to name a tag or a digest. */
export function source(settings: TargetSettings = {}): Argument<NamedTarget<Target['store']>> {
  return target(settings, async (text, opening, options) =>
    withReference(await opening.client.open(text, options), opening),
  )
}

/** A target to read from, whatever it names. */
export function place(settings: TargetSettings = {}): Argument<Target> {
  return target({ usage: '<name>[:<tag>|@<digest>]', ...settings }, (text, { client }, options) =>
    client.open(text, options),
  )
}

/** A target to read a blob from. */
export function blobSource(settings: TargetSettings = {}): Argument<Target & { readonly digest: Digest }> {
  return target({ usage: '<name>@<digest>', ...settings }, async (text, opening, options) =>
    withDigest(await opening.client.open(text, options), opening),
  )
}

/** A target to write to, whatever it names. */
export function sink(settings: TargetSettings = {}): Argument<Target<WritableStore>> {
  return target({ usage: '<name>[:<tag>]', ...settings }, (text, { client }, options) => client.openSink(text, options))
}

/** A target to write to that has to name a tag or a digest. */
export function namedSink(settings: TargetSettings = {}): Argument<NamedTarget<WritableStore>> {
  return target(settings, async (text, opening, options) =>
    withReference(await opening.client.openSink(text, options), opening),
  )
}

/** Words of which the last one is a target to write to. */
export function wordsAndSink(settings: TargetSettings = {}): Argument<{
  readonly words: readonly string[]
  readonly sink: Target<WritableStore>
}> {
  const last = sink(settings)
  return {
    ...last,
    maximum: Infinity,
    open: async (texts, opening) => ({
      words: texts.slice(0, -1),
      sink: await last.open(texts.slice(-1), opening),
    }),
  }
}

/** A target to change a blob in. */
export function blobSink(settings: TargetSettings = {}): Argument<Target<WritableStore> & { readonly digest: Digest }> {
  return target({ usage: '<name>@<digest>', ...settings }, async (text, opening, options) =>
    withDigest(await opening.client.openSink(text, options), opening),
  )
}

/** The destination of a copy. */
export function copySink(settings: TargetSettings = {}): Argument<CopyTarget> {
  return target({ usage: '<name>[:<tag>[,<tag>][...]]', ...settings }, (text, { client }, options) =>
    client.openCopySink(text, options),
  )
}

/** A word that the command reads itself: a registry, which flags say how to reach. */
export function registry(usage = '<registry>'): Argument<string> {
  return { ...word(usage), side: '', flags: { referrers: false, layout: false } }
}

/** No word, and the flags of a target: the command opens what its own flags name. */
export function targetFlags(): Argument<OpenOptions> {
  return {
    usage: '',
    minimum: 0,
    maximum: 0,
    side: '',
    flags: { referrers: false, layout: true },
    open: (_words, { access }) => access(''),
  }
}

/** One word that the command reads itself. */
export function word(usage: string): Argument<string> {
  return {
    usage,
    minimum: 1,
    maximum: 1,
    side: undefined,
    flags: { referrers: false, layout: false },
    open: ([text = '']) => Promise.resolve(text),
  }
}

/** All words that are left, and how many there have to be. */
export function words(usage: string, minimum = 0): Argument<readonly string[]> {
  return { ...word(usage), minimum, maximum: Infinity, open: (texts) => Promise.resolve(texts) }
}

/** A word that may be left out. */
export function optionalWord(usage: string): Argument<string | undefined> {
  return { ...word(usage), minimum: 0, open: ([text]) => Promise.resolve(text) }
}

function target<Value>(
  { usage = REFERENCE, side = '', referrers = false, repository }: TargetSettings,
  open: (text: string, opening: Opening, options: OpenOptions) => Promise<Value>,
): Argument<Value> {
  return {
    usage,
    minimum: 1,
    maximum: 1,
    side,
    flags: { referrers, layout: true },
    open: async ([text = ''], opening) => {
      const options = await opening.access(side)
      const isInRegistry = options.scheme === undefined && options.layoutPath === undefined
      const reference = isInRegistry ? withoutScheme(text, opening.notice) : text
      return open(reference, opening, { ...options, repository: repository?.(opening.values, options) })
    },
  }
}

/** @throws UsageError when neither a tag nor a digest is named */
export function withReference<Store>(
  opened: Target<Store>,
  { name, usage }: Pick<Opening, 'name' | 'usage'>,
): NamedTarget<Store> {
  const { reference } = opened
  if (reference !== undefined) return { ...opened, reference }
  throw new UsageError(`"${opened.typed}": no tag or digest specified`, {
    usage,
    hint: `Please specify a reference in the form of "<name>:<tag>" or "<name>@<digest>". Run "${name} -h" for more options and examples`,
  })
}

function withDigest<Store>(
  opened: Target<Store>,
  { name, usage }: Pick<Opening, 'name' | 'usage'>,
): Target<Store> & { readonly digest: Digest } {
  const { digest } = opened
  if (digest !== undefined) return { ...opened, digest }
  throw new UsageError(`"${opened.typed}": no digest specified`, {
    usage,
    hint: `Please specify a reference in the form of "<name>@<digest>". Run "${name} -h" for more options and examples`,
  })
}

/** How a target is shown in results: `[registry] localhost:5000/a:v1`. */
export function describeTarget({ type, typed }: Pick<Target<unknown>, 'type' | 'typed'>, text = typed): string {
  return `[${type}] ${text}`
}

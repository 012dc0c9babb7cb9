import { isDigestTag, type Descriptor } from '../../index.js'
import { defineCommand, type CommandCall } from '../define-command.js'
import { openSource, referenceOf, type Target } from '../open-target.js'
import { declareConnection } from '../options/connection.js'
import { declareFormat, readFormat, type FormatValues } from '../options/format.js'
import { declareTarget, readTarget } from '../options/target.js'
import { Printer } from '../output/printer.js'
import { showResult } from '../output/show-result.js'
import { withSession } from '../with-session.js'

interface Values extends FormatValues {
  readonly last?: string
  readonly excludeDigestTags?: boolean
  readonly ociLayoutPath?: string
}

export const repoTags = defineCommand<Values>({
  usage: '<name>[:<tag>|@<digest>]',
  description: `List the tags of a repository. With a tag or a digest, only those that stand for the same manifest.

Tags that a registry without the referrers API needs for its lists of referrers (sha256-<hex>) are left out; they are
listed with --exclude-digest-tags=false. Signatures beside an image (sha256-<hex>.sig) are left out with
--exclude-digest-tags.

Example - List the tags of a repository:
  gantry repo tags localhost:5000/hello

Example - List the tags that stand for the same manifest as 'v1':
  gantry repo tags localhost:5000/hello:v1`,
  arguments: { minimum: 1, as: 'the repository to list the tags of' },
  configure: (command) => {
    command
      .option('--last <last>', 'start after this tag')
      .option('--exclude-digest-tags', 'leave out every tag that is made from a digest')
    declareFormat(command)
    declareTarget(command)
    declareConnection(command)
  },
  run: (call) =>
    withSession(call.context, call.values, async (session) => {
      const { context, values } = call
      const format = readFormat(values)
      const text = call.arguments[0] ?? ''
      const options = await readTarget({ ...values }, context)
      const target = await openSource(session, text, options)
      const prefix = options.type === 'oci-layout' && options.layoutPath !== undefined ? `${text}:` : ''
      const printer = new Printer(context)
      const tags: string[] = []
      for await (const tag of listTags({ target, prefix }, call)) {
        if (format.type === 'text') printer.line(tag)
        else tags.push(tag)
      }
      if (format.type !== 'text') await showResult(context, format, { tags }, () => undefined)
    }),
})

interface Listed {
  readonly target: Target
  /** Names in a layout start with this, and are shown without it. */
  readonly prefix: string
}

async function* listTags({ target, prefix }: Listed, { context, values }: CommandCall<Values>): AsyncIterable<string> {
  const { signal } = context
  const reference = prefix === '' ? referenceOf(target) : undefined
  const wanted = reference === undefined ? undefined : await target.store.resolve(reference, { signal })
  const options = { signal, ...(values.last === undefined ? {} : { last: values.last }) }
  for await (const tag of target.store.tags(options)) {
    if (!tag.startsWith(prefix) || isLeftOut(tag, values.excludeDigestTags)) continue
    if (wanted === undefined || (await standsFor(tag, wanted, { target, signal }))) yield tag.slice(prefix.length)
  }
}

/** Lists of referrers are no tags that people set; signatures in tags are shown unless they are unwanted. */
function isLeftOut(tag: string, excludeDigestTags: boolean | undefined): boolean {
  if (excludeDigestTags === false || !isDigestTag(tag)) return false
  return excludeDigestTags === true || !tag.includes('.')
}

async function standsFor(
  tag: string,
  { digest }: Descriptor,
  { target, signal }: { readonly target: Target; readonly signal: AbortSignal },
): Promise<boolean> {
  return (await target.store.resolve(tag, { signal })).digest === digest
}

import {
  declaredMediaType,
  descriptorOf,
  GantryError,
  openBytes,
  parseJsonObject,
  type Descriptor,
} from '../../index.js'
import type { Context } from '../context.js'
import { defineCommand } from '../define-command.js'
import { describeTarget, openSink, tagsOf, type Target, type WritableStore } from '../open-target.js'
import { declareConnection } from '../options/connection.js'
import { readInput } from '../options/read-input.js'
import { declareTarget, readTarget } from '../options/target.js'
import { declareTransfer, type TransferValues } from '../options/transfer.js'
import { Printer } from '../output/printer.js'
import { whileReporting } from '../output/create-reporter.js'
import { PUSH_WORDS } from '../output/transfer-words.js'
import { withSession } from '../with-session.js'

interface Values extends TransferValues {
  readonly descriptor?: boolean
  readonly pretty?: boolean
  readonly mediaType?: string
}

export const manifestPush = defineCommand<Values>({
  usage: '<name>[:<tag>[,<tag>][...]|@<digest>] <file>',
  description: `Push a manifest that was made elsewhere, byte for byte. What it names has to be in the repository.

Example - Push a manifest under two tags:
  gantry manifest push localhost:5000/hello:v1,latest manifest.json

Example - Push a manifest from stdin:
  gantry manifest push localhost:5000/hello:v1 -`,
  arguments: { minimum: 2, as: 'the destination and the manifest file' },
  configure: (command) => {
    command
      .option('--descriptor', 'print the descriptor of the manifest')
      .option('--pretty', 'indent the JSON that is printed')
      .option('--media-type <type>', "media type of the manifest; its own field's when not given")
    declareTarget(command, { distributionSpec: true })
    declareConnection(command)
    declareTransfer(command)
  },
  run: (call) =>
    withSession(call.context, call.values, async (session) => {
      const { context, values } = call
      const [typed = '', file = ''] = call.arguments
      const targetOptions = await readTarget({ ...values }, context)
      const bytes = await readInput(file, context, values)
      const descriptor = describe(bytes, file, values.mediaType)
      const target = await openSink(session, typed, targetOptions)
      checkDigest(target, descriptor)
      await pushManifest(target, { descriptor, bytes }, { context, values })
      if (values.descriptor === true) new Printer(context).compactJson(descriptor, values.pretty === true)
    }),
})

function describe(bytes: Uint8Array, file: string, mediaType: string | undefined): Descriptor {
  const type = mediaType ?? declaredMediaType(bytes)
  if (type !== undefined && type !== '') return descriptorOf(type, bytes)
  parseJsonObject(bytes, `manifest file ${file}`)
  throw new GantryError('invalid-argument', `manifest file ${file} names no media type`, {
    hint: 'Add the field "mediaType" to it, or say the type with --media-type.',
  })
}

function checkDigest(target: Target, descriptor: Descriptor): void {
  if (target.digest === undefined || target.digest === descriptor.digest) return
  throw new GantryError(
    'digest-mismatch',
    `digest mismatch: "${target.typed}" asks for another manifest than ${descriptor.digest}`,
  )
}

async function pushManifest(
  target: Target<WritableStore>,
  manifest: { readonly descriptor: Descriptor; readonly bytes: Uint8Array },
  { context, values }: { readonly context: Context; readonly values: Values },
): Promise<void> {
  const { descriptor, bytes } = manifest
  const { signal } = context
  const isSilent = values.descriptor === true || values.quiet === true
  await whileReporting({ context, values }, { words: PUSH_WORDS, quiet: isSilent }, async (reporter) => {
    const tags = tagsOf(target)
    if (await target.store.has(descriptor, { signal })) {
      reporter.onEvent({ type: 'exists', descriptor, subgraph: false })
      for (const tag of tags) await target.store.tag(descriptor, tag, { signal })
    } else {
      const [tag, ...further] = tags
      reporter.onEvent({ type: 'started', descriptor })
      await target.store.push(descriptor, openBytes(bytes), { signal, ...(tag === undefined ? {} : { tag }) })
      reporter.onEvent({ type: 'finished', descriptor })
      for (const next of further) await target.store.tag(descriptor, next, { signal })
    }
  })
  if (isSilent) return
  const printer = new Printer(context)
  printer.line(`Pushed: ${describeTarget(target)}`)
  for (const tag of target.extraTags) printer.line(`Tagged ${tag}`)
  printer.line(`Digest: ${descriptor.digest}`)
}

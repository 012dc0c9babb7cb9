import { stat } from 'node:fs/promises'
import { FileSource, GantryError, MediaType, type Descriptor } from '../../index.js'
import { defineCommand, type CommandCall } from '../define-command.js'
import { describeTarget, openSink } from '../open-target.js'
import { declareConnection } from '../options/connection.js'
import { checkStdinUse } from '../options/read-input.js'
import { spoolStdin } from '../options/spool-stdin.js'
import { declareTarget, readTarget } from '../options/target.js'
import { reasonOf } from '../options/text-file.js'
import { declareTransfer, type TransferValues } from '../options/transfer.js'
import { Printer } from '../output/printer.js'
import { whileReporting } from '../output/create-reporter.js'
import { PUSH_WORDS } from '../output/transfer-words.js'
import { UsageError } from '../usage-error.js'
import { withSession } from '../with-session.js'

interface Values extends TransferValues {
  readonly descriptor?: boolean
  readonly pretty?: boolean
  readonly mediaType?: string
  readonly size?: string
}

export const blobPush = defineCommand<Values>({
  usage: '<name>[@<digest>] <file>',
  description: `Push a file as a blob.

Example - Push a file:
  gantry blob push localhost:5000/hello layer.tar.gz

Example - Push a blob of 1024 bytes from stdin, and check its digest:
  gantry blob push --size 1024 localhost:5000/hello@sha256:… -`,
  arguments: { minimum: 2, as: 'the destination to push to and the file to read blob content from' },
  configure: (command) => {
    command
      .option('--descriptor', 'print the descriptor of the blob')
      .option('--pretty', 'indent the JSON that is printed')
      .option('--media-type <type>', `media type in the descriptor (default: ${MediaType.imageLayer})`)
      .option('--size <bytes>', 'size of the blob; needed when it is read from stdin')
    declareTarget(command)
    declareConnection(command)
    declareTransfer(command)
  },
  run: (call) =>
    withSession(call.context, call.values, async (session) => {
      const { context, values } = call
      const [typed = '', file = ''] = call.arguments
      const size = readSize(values, file)
      if (file === '-') checkStdinUse(values)
      const target = await openSink(session, typed, await readTarget({ ...values }, context))
      const path = file === '-' ? await spoolStdin(context, session) : file
      await checkSize(path, size)
      const source = session.closeLater(new FileSource())
      const { signal } = context
      const { annotations: _, ...descriptor } = await source.add(path, {
        name: 'blob',
        mediaType: values.mediaType ?? MediaType.imageLayer,
        signal,
      })
      if (target.digest !== undefined && target.digest !== descriptor.digest) {
        throw new GantryError('digest-mismatch', `digest mismatch: wanted ${target.digest}, got ${descriptor.digest}`)
      }
      await pushBlob(target.store, source, descriptor, call)
      const printer = new Printer(context)
      if (values.descriptor === true) {
        printer.compactJson(descriptor, values.pretty === true)
      } else if (values.quiet !== true) {
        printer.line(`Pushed: ${describeTarget(target)}`)
        printer.line(`Digest: ${descriptor.digest}`)
      }
    }),
})

function readSize({ size }: Values, file: string): number | undefined {
  if (size === undefined) {
    if (file === '-') throw new UsageError('`--size` must be provided if the blob is read from stdin')
    return undefined
  }
  if (!/^\d{1,15}$/.test(size))
    throw new UsageError(`invalid argument "${size}" for "--size" flag: not a number of bytes`)
  return Number(size)
}

async function checkSize(path: string, size: number | undefined): Promise<void> {
  try {
    const actual = (await stat(path)).size
    if (size === undefined || size === actual) return
    throw new GantryError('invalid-argument', `input size ${size} does not match the actual content size ${actual}`)
  } catch (cause) {
    if (cause instanceof GantryError) throw cause
    throw new GantryError('file-error', `open ${path}: ${reasonOf(cause)}`, { cause })
  }
}

async function pushBlob(
  store: Awaited<ReturnType<typeof openSink>>['store'],
  source: FileSource,
  descriptor: Descriptor,
  { context, values }: CommandCall<Values>,
): Promise<void> {
  const { signal } = context
  const options = { words: PUSH_WORDS, ...(values.descriptor === true ? { quiet: true } : {}) }
  await whileReporting({ context, values }, options, async (reporter) => {
    if (await store.has(descriptor, { signal })) {
      reporter.onEvent({ type: 'exists', descriptor, subgraph: false })
      return
    }
    reporter.onEvent({ type: 'started', descriptor })
    await store.push(descriptor, (offset = 0) => source.fetch(descriptor, { offset, signal }), {
      signal,
      onProgress: (offset) => reporter.onEvent({ type: 'progress', descriptor, offset }),
    })
    reporter.onEvent({ type: 'finished', descriptor })
  })
}

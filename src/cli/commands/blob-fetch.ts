import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { MediaType, verifyContent, visibleText, type Bytes, type Descriptor, type Source } from '../../index.js'
import type { Context } from '../context.js'
import { defineCommand, type CommandCall } from '../define-command.js'
import { openSource } from '../open-target.js'
import { declareConnection } from '../options/connection.js'
import { checkExclusive } from '../options/exclusive.js'
import { declareTarget, readTarget } from '../options/target.js'
import { declareTransfer, type TransferValues } from '../options/transfer.js'
import { Printer } from '../output/printer.js'
import { saveContent } from '../output/save-content.js'
import { whileReporting } from '../output/create-reporter.js'
import { PULL_WORDS } from '../output/transfer-words.js'
import { requireDigest } from '../require-reference.js'
import { UsageError } from '../usage-error.js'
import { withCache } from '../with-cache.js'
import { withSession } from '../with-session.js'

interface Values extends TransferValues {
  readonly descriptor?: boolean
  readonly pretty?: boolean
  readonly output?: string
}

export const blobFetch = defineCommand<Values>({
  usage: '<name>@<digest>',
  description: `Fetch a blob. What is written has been checked against its digest.

Example - Fetch a blob into a file:
  gantry blob fetch -o blob.tar.gz localhost:5000/hello@sha256:…

Example - Fetch only the descriptor:
  gantry blob fetch --descriptor localhost:5000/hello@sha256:…`,
  arguments: { minimum: 1, as: 'the target blob to fetch' },
  configure: (command) => {
    command
      .option('-o, --output <file>', 'write the blob to a file, or to stdout with -')
      .option('--descriptor', 'print the descriptor of the blob')
      .option('--pretty', 'indent the JSON that is printed')
    declareTarget(command)
    declareConnection(command)
    declareTransfer(command)
  },
  run: (call) =>
    withSession(call.context, call.values, async (session) => {
      const { context, values } = call
      checkFlags(values)
      const target = await openSource(session, call.arguments[0] ?? '', await readTarget({ ...values }, context))
      const found = await target.store.resolveBlob(requireDigest(target, call), { signal: context.signal })
      const descriptor = { ...found, mediaType: MediaType.octetStream }
      if (values.output !== undefined) {
        await fetchTo(values.output, await withCache(target.store, context), descriptor, call)
      }
      if (values.descriptor === true) new Printer(context).compactJson(descriptor, values.pretty === true)
    }),
})

function checkFlags({ output, descriptor }: Values): void {
  if (output === undefined && descriptor !== true) {
    throw new UsageError('either `--output` or `--descriptor` must be provided')
  }
  checkExclusive({ 'output -': output === '-', descriptor })
}

async function fetchTo(
  output: string,
  store: Source,
  descriptor: Descriptor,
  { context, values }: CommandCall<Values>,
): Promise<void> {
  const content = verifyContent(descriptor, store.fetch(descriptor, { signal: context.signal }))
  if (output === '-') {
    await writeToStdout(content, context)
    return
  }
  // Off a terminal a fetched blob is all that is wanted.
  const isSilent = context.stderr.isTTY !== true || values.descriptor === true
  await whileReporting(
    { context, values },
    { words: PULL_WORDS, ...(isSilent ? { quiet: true } : {}) },
    async (reporter) => {
      reporter.onEvent({ type: 'started', descriptor })
      await saveContent(
        output,
        counted(content, (offset) => reporter.onEvent({ type: 'progress', descriptor, offset })),
      )
      reporter.onEvent({ type: 'finished', descriptor })
    },
  )
}

/** A large blob streams, byte for byte; only on a terminal, which must not be driven by it, it is made visible. */
async function writeToStdout(content: Bytes, { stdout }: Context): Promise<void> {
  const shown = stdout.isTTY === true ? visible(content) : content
  await pipeline(Readable.from(shown, { objectMode: false }), stdout, { end: false })
}

async function* visible(content: Bytes): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  for await (const chunk of content) {
    const text = decoder.decode(chunk, { stream: true })
    if (text !== '') yield visibleText(text)
  }
  const rest = decoder.decode()
  if (rest !== '') yield visibleText(rest)
}

async function* counted(content: Bytes, onProgress: (offset: number) => void): Bytes {
  let offset = 0
  for await (const chunk of content) {
    yield chunk
    offset += chunk.byteLength
    onProgress(offset)
  }
}

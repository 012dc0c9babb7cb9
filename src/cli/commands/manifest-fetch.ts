import {
  isGantryError,
  openBytes,
  parseJsonObject,
  readPlatformManifest,
  resolvePlatform,
  type Descriptor,
  type JsonObject,
  type ManifestContent,
  type RepositoryOptions,
} from '../../index.js'
import { defineCommand, type CommandCall } from '../define-command.js'
import { openSource, type Target } from '../open-target.js'
import { declareConnection } from '../options/connection.js'
import { checkExclusive } from '../options/exclusive.js'
import { declareFormat, readFormat, type FormatValues } from '../options/format.js'
import { declarePlatform, readPlatform, type PlatformValues } from '../options/platform.js'
import { repeatable } from '../options/repeatable.js'
import { declareTarget, readTarget, type TargetOptions } from '../options/target.js'
import { Printer } from '../output/printer.js'
import { indentJson } from '../output/indent-json.js'
import { saveContent } from '../output/save-content.js'
import { showResult } from '../output/show-result.js'
import { sortedKeys } from '../output/sorted-keys.js'
import { PrefixedError } from '../prefixed-error.js'
import { requireReference } from '../require-reference.js'
import { UsageError } from '../usage-error.js'
import { withCache } from '../with-cache.js'
import { withSession } from '../with-session.js'

interface Values extends FormatValues, PlatformValues {
  readonly descriptor?: boolean
  readonly pretty?: boolean
  readonly output?: string
  readonly mediaType?: readonly string[]
}

export const manifestFetch = defineCommand<Values>({
  usage: '<name>{:<tag>|@<digest>}',
  description: `Fetch a manifest, byte for byte as it is stored.

Example - Fetch a manifest and indent it:
  gantry manifest fetch --pretty localhost:5000/hello:v1

Example - Fetch the manifest of one platform into a file:
  gantry manifest fetch --platform linux/arm64 -o manifest.json localhost:5000/hello:v1

Example - Fetch only the descriptor:
  gantry manifest fetch --descriptor localhost:5000/hello:v1`,
  arguments: { minimum: 1, as: 'the manifest to fetch' },
  configure: (command) => {
    command
      .option('--descriptor', 'print the descriptor of the manifest')
      .option('--pretty', 'indent the JSON that is printed')
      .option('--media-type <type>', 'ask the registry for this type, several with commas', repeatable)
      .option('-o, --output <file>', 'write the manifest to a file, or to stdout with -')
    declareFormat(command)
    declareTarget(command)
    declarePlatform(command)
    declareConnection(command)
  },
  run: (call) =>
    withSession(call.context, call.values, async (session) => {
      const { context, values } = call
      checkFlags(values)
      const format = readFormat(values)
      const options = await readTarget({ ...values }, context)
      const target = await openSource(session, call.arguments[0] ?? '', options, readMediaTypes(values, options))
      const reference = requireReference(target, call)
      if (values.descriptor === true && values.output === undefined) {
        const descriptor = await resolvePlatform(target.store, reference, {
          ...readPlatform(values),
          signal: context.signal,
        })
        new Printer(context).compactJson(descriptor, values.pretty === true)
        return
      }
      const content = await fetchContent(target, reference, call)
      await saveOutput(values, content)
      if (values.descriptor === true) {
        new Printer(context).compactJson(content.descriptor, values.pretty === true)
      } else if (values.output === undefined || values.output === '-' || format.type !== 'text') {
        await showResult(context, format, resultOf(target, content), (printer) => {
          if (values.pretty === true) printer.line(indentJson(content.bytes))
          else printer.bytes(content.bytes)
        })
      }
    }),
})

function readMediaTypes({ mediaType }: Values, { type }: TargetOptions): RepositoryOptions {
  if (mediaType === undefined) return {}
  if (type === 'oci-layout') throw new UsageError('`--media-type` cannot be used with an OCI image layout')
  return { manifestTypes: mediaType.flatMap((text) => text.split(',')) }
}

function checkFlags(values: Values): void {
  checkExclusive({ format: values.format, pretty: values.pretty })
  checkExclusive({ format: values.format, descriptor: values.descriptor })
  checkExclusive({ output: values.output === '-' ? '-' : undefined, descriptor: values.descriptor })
  if (values.output === '-' && values.format !== undefined && values.format !== 'text') {
    throw new UsageError('`--output -` cannot be used with `--format`, both write to stdout')
  }
}

async function fetchContent(
  target: Target,
  reference: string,
  { context, values }: CommandCall<Values>,
): Promise<ManifestContent> {
  try {
    return await readPlatformManifest(await withCache(target.store, context), reference, {
      ...readPlatform(values),
      signal: context.signal,
    })
  } catch (error) {
    if (!isGantryError(error, 'not-found')) throw error
    throw new PrefixedError(`failed to fetch the content of "${target.typed}": `, error)
  }
}

async function saveOutput({ output }: Values, { bytes }: ManifestContent): Promise<void> {
  if (output !== undefined && output !== '-') await saveContent(output, openBytes(bytes)())
}

function resultOf(target: Target, { descriptor, bytes }: ManifestContent): Descriptor & JsonObject {
  return {
    reference: `${target.path}@${descriptor.digest}`,
    ...descriptor,
    content: sortedKeys(parseJsonObject(bytes, `manifest ${descriptor.digest}`)),
  }
}

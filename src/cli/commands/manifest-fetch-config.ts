import {
  GantryError,
  openBytes,
  parseManifest,
  readContent,
  readPlatformManifest,
  type Descriptor,
  type ManifestContent,
} from '../../index.js'
import { defineCommand } from '../define-command.js'
import { openSource } from '../open-target.js'
import { declareConnection } from '../options/connection.js'
import { checkExclusive } from '../options/exclusive.js'
import { declarePlatform, readPlatform, type PlatformValues } from '../options/platform.js'
import { declareTarget, readTarget } from '../options/target.js'
import { indentJson } from '../output/indent-json.js'
import { saveContent } from '../output/save-content.js'
import { Printer } from '../output/printer.js'
import { requireReference } from '../require-reference.js'
import { withCache } from '../with-cache.js'
import { withSession } from '../with-session.js'

interface Values extends PlatformValues {
  readonly descriptor?: boolean
  readonly pretty?: boolean
  readonly output?: string
}

export const manifestFetchConfig = defineCommand<Values>({
  usage: '<name>{:<tag>|@<digest>}',
  description: `Fetch the config that a manifest names, byte for byte.

Example - Fetch the config of an image:
  gantry manifest fetch-config localhost:5000/hello:v1

Example - Fetch the config of one platform and indent it:
  gantry manifest fetch-config --platform linux/arm64 --pretty localhost:5000/hello:v1`,
  arguments: { minimum: 1, as: 'the manifest config to fetch' },
  configure: (command) => {
    command
      .option('--descriptor', 'print the descriptor of the config')
      .option('--pretty', 'indent the JSON that is printed')
      .option('-o, --output <file>', 'write the config to a file, or to stdout with -')
    declareTarget(command)
    declarePlatform(command)
    declareConnection(command)
  },
  run: (call) =>
    withSession(call.context, call.values, async (session) => {
      const { context, values } = call
      checkExclusive({ output: values.output === '-' ? '-' : undefined, descriptor: values.descriptor })
      const target = await openSource(session, call.arguments[0] ?? '', await readTarget({ ...values }, context))
      const { signal } = context
      const options = { ...readPlatform(values), signal }
      const source = await withCache(target.store, context)
      const config = configOf(await readPlatformManifest(source, requireReference(target, call), options))
      const printer = new Printer(context)
      if (values.output !== undefined || values.descriptor !== true) {
        const bytes = await readContent(source, config, { signal })
        if (values.output !== undefined && values.output !== '-') await saveContent(values.output, openBytes(bytes)())
        else if (values.pretty === true) printer.line(indentJson(bytes))
        else printer.bytes(bytes)
      }
      if (values.descriptor === true) printer.compactJson(config, values.pretty === true)
    }),
})

function configOf(content: ManifestContent): Descriptor {
  const manifest = parseManifest(content)
  if (manifest.kind === 'image') return manifest.config
  throw new GantryError('unsupported', `${content.descriptor.digest} of type "${manifest.mediaType}" has no config`, {
    hint: manifest.kind === 'index' ? 'Choose one of its images with a platform.' : 'Only image manifests have one.',
  })
}

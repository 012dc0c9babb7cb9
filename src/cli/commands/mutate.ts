import { pathOfContent } from '../../client/spool-content.js'
import { mutate } from '../../image/mutate.js'
import type { Platform } from '../../oci/platform.js'
import { source, targetFlags } from '../arguments.js'
import { command } from '../command.js'
import { parsePairs, splitAtCommas } from '../options/comma-list.js'
import { imageResultOptions, pushResult } from '../options/image-result.js'
import { list, parsed, text, type Option } from '../options/option.js'
import { createdAt } from '../options/packer.js'
import { platformOptions, readPlatform } from '../options/platform.js'
import { checkStdinUse, readStdin } from '../options/read-input.js'
import { foreignLayerOptions, uploadOptions } from '../options/transfer.js'
import { PUSH_WORDS } from '../output/transfer-words.js'
import { UsageError } from '../usage-error.js'

export default command({
  summary: 'Change an image: its labels, environment, command and the like',
  description: `Changes an image, or every image of an index, and pushes the result. Prints the digest reference of the new image.

Without --tag the new image takes the place of the old one, and an index stays an index: with --platform only that image in it changes. With --tag and --platform the image is pushed alone. An empty text clears a value, as in --entrypoint "". With SOURCE_DATE_EPOCH the image gets that time of creation; otherwise it keeps its own.`,
  arguments: { access: targetFlags(), source: source() },
  needs: 'the image to change',
  options: {
    annotation: pairs('-a, --annotation <key=value>', 'annotate the manifest, several with commas'),
    removeAnnotation: list('--remove-annotation <key>', 'take an annotation away'),
    label: pairs('-l, --label <key=value>', 'label the image, several with commas'),
    removeLabel: list('--remove-label <key>', 'take a label away'),
    env: list('-e, --env <name=value>', 'set an environment variable'),
    removeEnv: list('--remove-env <name>', 'take an environment variable away'),
    entrypoint: commaList('--entrypoint <word,...>', 'set the entrypoint, which clears the command'),
    cmd: commaList('--cmd <word,...>', 'set the command'),
    user: text('-u, --user <user>', 'set the user'),
    workdir: text('-w, --workdir <folder>', 'set the working folder'),
    exposedPorts: commaList('--exposed-ports <port,...>', 'set the ports that the image exposes'),
    setPlatform: parsed(
      '--set-platform <os/arch[/variant][:os_version]>',
      'say what the image runs on',
      parseOnePlatform,
    ),
    append: list('--append <tar>', 'tar to append as a layer, several with commas; - for stdin'),
    ...imageResultOptions,
    repo: text('--repo <name>', 'repository that the new image is pushed to by its digest'),
    ...foreignLayerOptions,
    ...platformOptions,
    ...uploadOptions,
  },
  examples: [
    ['Label an image', 'mutate --label team=web localhost:5000/app:v1'],
    [
      'Give an image another command, under another tag',
      'mutate --cmd serve,--port,80 -t localhost:5000/app:v2 localhost:5000/app:v1',
    ],
  ],
  // The digest reference alone is the result on stdout.
  progress: { words: PUSH_WORDS, onStderr: true },
  check({ options: { tag, repo } }) {
    if (tag !== undefined && repo !== undefined) {
      throw new UsageError("repository can't be set when a tag is specified")
    }
  },
  async run({ access, source, options, flags, client, context, signal, report }) {
    const { tag, repo, append, platform, concurrency, allowNondistributableArtifacts, ...changes } = options
    const files = append.flatMap(splitAtCommas)
    if (files.includes('-')) checkStdinUse(flags)
    const stdin = files.includes('-') ? await pathOfContent(readStdin(context), client, signal) : ''
    const epoch = context.environment.SOURCE_DATE_EPOCH ?? ''
    return pushResult({ client, source, access, target: tag ?? repo }, (sink, naming) =>
      mutate(
        { source: source.store, reference: source.reference },
        sink,
        {
          annotations: changes.annotation,
          removeAnnotations: givenOrNone(changes.removeAnnotation),
          labels: changes.label,
          removeLabels: givenOrNone(changes.removeLabel),
          env: givenOrNone(changes.env),
          removeEnv: givenOrNone(changes.removeEnv),
          entrypoint: changes.entrypoint,
          cmd: changes.cmd,
          user: changes.user,
          workdir: changes.workdir,
          exposedPorts: changes.exposedPorts,
          setPlatform: changes.setPlatform,
          created: epoch === '' ? undefined : createdAt(context.environment),
          append: givenOrNone(files.map((file) => (file === '-' ? stdin : file))),
        },
        {
          ...naming,
          platform,
          nonDistributable: allowNondistributableArtifacts,
          concurrency,
          onEvent: report.onEvent,
          signal,
        },
      ),
    )
  },
  text: ({ reference }, print) => print.line(reference),
})

/** A flag for `key=value` that may be given several times, and with commas. */
function pairs(spelling: string, help: string): Option<Readonly<Record<string, string>> | undefined> {
  const { read, ...option } = parsed(spelling, help, parsePairs)
  return { ...option, read: (value, previous) => ({ ...(previous as object | undefined), ...read(value, undefined) }) }
}

/** A flag for words with commas between that may be given several times; the empty text means none. */
function commaList(spelling: string, help: string): Option<readonly string[] | undefined> {
  const { read, ...option } = parsed(spelling, help, splitAtCommas)
  const before = (previous: unknown): readonly string[] => (previous as readonly string[] | undefined) ?? []
  return { ...option, read: (value, previous) => [...before(previous), ...(read(value, undefined) ?? [])] }
}

function parseOnePlatform(value: string): Platform {
  const platform = readPlatform(value)
  if (platform === undefined) throw new Error('an image runs on one platform')
  return platform
}

function givenOrNone(values: readonly string[]): readonly string[] | undefined {
  return values.length === 0 ? undefined : values
}

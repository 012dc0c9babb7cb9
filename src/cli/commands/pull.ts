import { pullFiles } from '../../artifact/pull-files.js'
import { describeTarget, source } from '../arguments.js'
import { command, programOf } from '../command.js'
import { flag, parsed, parseSize, requiredText, text } from '../options/option.js'
import { parseFileArgument } from '../options/packer.js'
import { platformOptions } from '../options/platform.js'
import { transferOptions } from '../options/transfer.js'
import { contentResultOf } from '../output/content-result.js'
import { PULL_WORDS } from '../output/transfer-words.js'

export default command({
  summary: 'Pull files from a registry or an OCI image layout',
  description:
    'All files are fetched and checked before the first one gets its name, and after a failure the folder is as it was.',
  arguments: { source: source() },
  needs: 'the artifact reference you want to pull',
  options: {
    output: requiredText('-o, --output <folder>', 'folder for the files (default ".")', {
      fallback: '.',
    }),
    keepOldFiles: flag('-k, --keep-old-files', 'refuse to replace files that are there'),
    allowPathTraversal: flag('-T, --allow-path-traversal', 'allow names that lead out of the folder'),
    allowUnportableNames: flag(
      '--allow-unportable-names',
      'allow names that not every system can have, such as those with a colon',
    ),
    hardLinks: flag('--hard-links', 'files with the same content become one file with several names, where possible'),
    includeSubject: flag('--include-subject', 'pull the subject of the artifact too, and its subject in turn'),
    config: text('--config <file[:type]>', 'save the config under this name, if it has the type'),
    maxUnpackedSize: parsed(
      '--max-unpacked-size <size>',
      'most that folders may unpack to (default: what the disk holds)',
      parseSize,
    ),
    ...platformOptions,
    ...transferOptions,
  },
  examples: [
    ['Pull into a folder', 'pull -o ./download localhost:5000/hello:v1'],
    [
      'Pull one platform of an index, and leave files alone that are there',
      'pull --platform linux/arm64 --keep-old-files localhost:5000/hello:v1',
    ],
  ],
  progress: { words: PULL_WORDS },
  run: async ({ source, options, client, signal, report }) => {
    const { output, config, ...pullOptions } = options
    return pullFiles(source.store, source.reference, output, {
      ...pullOptions,
      config: config === undefined ? undefined : parseFileArgument(config),
      cache: await client.openCache(),
      onEvent: report.onEvent,
      signal,
    })
  },
  json: ({ descriptor, files }, { source: { path } }) => ({
    reference: `${path}@${descriptor.digest}`,
    files: files.map((file) => ({ path: file.path, ...contentResultOf(path, file.descriptor) })),
  }),
  text({ descriptor, skippedUnnamed }, print, { source, name }) {
    if (skippedUnnamed.length > 0) {
      print.status('Skipped pulling layers without file name in "org.opencontainers.image.title"')
      print.status(`Use '${programOf(name)} copy ${source.typed} --to-oci-layout <layout-dir>' to pull all layers.`)
    } else {
      print.status(`Pulled ${describeTarget(source)}`)
      print.status(`Digest: ${descriptor.digest}`)
    }
  },
})

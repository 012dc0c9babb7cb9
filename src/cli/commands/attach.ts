import { attach } from '../../artifact/attach.js'
import { openBytes } from '../../util/bytes.js'
import { describeTarget, namedSink, words } from '../arguments.js'
import { command } from '../command.js'
import { checkExclusive } from '../options/exclusive.js'
import { requiredText, text } from '../options/option.js'
import {
  checkPackerFlags,
  hasAnnotations,
  packerOptions,
  parseFileArgument,
  readFileArgument,
  readPacking,
} from '../options/packer.js'
import { platformOptions } from '../options/platform.js'
import { uploadOptions } from '../options/transfer.js'
import { contentResultOf } from '../output/content-result.js'
import { saveContent } from '../output/save-content.js'
import { PUSH_WORDS } from '../output/transfer-words.js'
import { UsageError } from '../usage-error.js'

export default command({
  summary: 'Attach files to an existing artifact',
  description: 'The files become an artifact that refers to an artifact, an image or an index.',
  arguments: {
    target: namedSink({ referrers: true }),
    files: words('<file>[:<layer_media_type>] [...]'),
  },
  usage:
    '--artifact-type=<type> <name>{:<tag>|@<digest>} {<file>[:<layer_media_type>]|--annotation <key>=<value>} [...]',
  needs: 'the destination for attaching',
  options: {
    artifactType: requiredText('--artifact-type <type>', 'what kind of artifact is attached'),
    config: text('--config <file[:type]>', 'file that becomes the config of the manifest'),
    ...packerOptions,
    ...platformOptions,
    ...uploadOptions,
  },
  examples: [
    ['Attach an SBOM', 'attach localhost:5000/hello:v1 --artifact-type sbom/example sbom.json:application/json'],
    [
      'Attach an annotation alone',
      'attach localhost:5000/hello:v1 --artifact-type status/example --annotation tested=yes',
    ],
  ],
  progress: { words: PUSH_WORDS, showsExistingGraphs: () => true },
  check({ words: [, ...texts], options, flags, name, usage }) {
    const files = texts.map(parseFileArgument)
    checkPackerFlags(files, options)
    checkExclusive({ config: options.config, platform: flags.platform })
    if (files.length === 0 && !hasAnnotations(options)) {
      throw new UsageError('neither file nor annotation provided in the command', {
        usage,
        hint: `To attach to an existing artifact, please provide files via argument or annotations via flag "--annotation". Run "${name} -h" for more options and examples`,
      })
    }
  },
  async run({ target, files: texts, options, ...call }) {
    const { files, packing } = await readPacking(texts, options, call)
    if (files.length === 0) call.report.note('Uploading empty artifact')
    const result = await attach(target.store, target.reference, files, {
      ...packing,
      artifactType: options.artifactType,
      config: options.config === undefined ? undefined : await readFileArgument(options.config),
      platform: options.platform,
    })
    if (options.exportManifest !== undefined) await saveContent(options.exportManifest, openBytes(result.bytes)())
    return result
  },
  json: ({ descriptor, artifactType, subject }, { target: { path } }) => ({
    ...contentResultOf(path, { ...descriptor, artifactType }),
    subject: contentResultOf(path, subject),
  }),
  text({ descriptor, subject }, print, { target }) {
    print.status(`Attached to ${describeTarget(target, `${target.path}@${subject.digest}`)}`)
    print.status(`Digest: ${descriptor.digest}`)
  },
})

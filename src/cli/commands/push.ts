import { pushFiles } from '../../artifact/push-files.js'
import { tagsOf } from '../../client/target.js'
import { openBytes } from '../../util/bytes.js'
import { describeTarget, sink, words } from '../arguments.js'
import { command } from '../command.js'
import { flag } from '../options/option.js'
import { packOptions, readPack } from '../options/pack-flags.js'
import { checkPackerFlags, packerOptions, parseFileArgument, readPacking } from '../options/packer.js'
import { uploadOptions } from '../options/transfer.js'
import { contentResultOf } from '../output/content-result.js'
import { saveContent } from '../output/save-content.js'
import { PUSH_WORDS } from '../output/transfer-words.js'

export default command({
  summary: 'Push files to a registry or an OCI image layout',
  description: `A folder becomes one layer, a reproducible tar+gzip: the same files give the same digest. The manifest is annotated with the time of its creation, or with SOURCE_DATE_EPOCH where the environment has it, which makes it reproducible too.`,
  arguments: {
    target: sink({ usage: '<name>[:<tag>[,<tag>][...]]' }),
    files: words('<file>[:<type>] [...]'),
  },
  needs: 'the destination for pushing',
  options: {
    ...packOptions,
    ...packerOptions,
    ...uploadOptions,
    force: flag('--force', 'push every manifest again, also one that is there'),
  },
  examples: [
    [
      'Push a file with its media type, under two tags',
      'push localhost:5000/hello:v1,latest readme.md:application/markdown',
    ],
    [
      'Push a file and a folder with an artifact type',
      'push localhost:5000/hello:v1 --artifact-type readme/example readme.md ./details',
    ],
    ['Push to an OCI image layout', 'push --oci-layout ./layout:v1 readme.md'],
  ],
  progress: {
    words: PUSH_WORDS,
    showsExistingGraphs: ({ target }) => target.type === 'oci-layout' || target.reference === undefined,
  },
  check({ words: [, ...texts], options }) {
    checkPackerFlags(texts.map(parseFileArgument), options)
  },
  async run({ target, files: texts, options, ...call }) {
    const { files, packing } = await readPacking(texts, options, call)
    const decision = await readPack(options)
    if (files.length === 0) call.report.note('Uploading empty artifact')
    const tags = tagsOf(target)
    const result = await pushFiles(target.store, files, {
      ...packing,
      ...decision,
      tags,
      digest: target.digest,
      force: options.force,
    })
    if (options.exportManifest !== undefined) await saveContent(options.exportManifest, openBytes(result.bytes)())
    return result
  },
  json: ({ descriptor, artifactType, tags }, { target: { path } }) => ({
    ...contentResultOf(path, { ...descriptor, artifactType }),
    referenceAsTags: tags.map((tag) => `${path}:${tag}`).sort(),
  }),
  text({ descriptor, artifactType }, print, { target }) {
    print.status(`Pushed ${describeTarget(target)}`)
    for (const tag of target.extraTags) print.status(`Tagged ${tag}`)
    print.status(`ArtifactType: ${artifactType}`)
    print.status(`Digest: ${descriptor.digest}`)
  },
})

import { createIndex } from '../../../../artifact/edit-index.js'
import { tagsOf } from '../../../../client/target.js'
import { describeTarget, sink, words } from '../../../arguments.js'
import { command } from '../../../command.js'
import { flag, list, text } from '../../../options/option.js'
import { parseAnnotationFlags } from '../../../options/packer.js'
import { indexResultOf, IndexReporter } from '../../../output/index-reporter.js'

export default command({
  summary: 'Create an index of manifests',
  aliases: ['pack'],
  stage: 'experimental',
  description:
    'The manifests are in one repository or layout, and the index is pushed there. Each entry gets the platform that the config of its image names. Without manifests, the index is empty.',
  arguments: {
    target: sink({ usage: '<name>[:<tag>[,<tag>][...]]' }),
    sources: words('[{<tag>|<digest>}...]'),
  },
  needs: 'the destination index to create.',
  options: {
    annotation: list('-a, --annotation <key=value>', 'annotation of the index'),
    artifactType: text('--artifact-type <type>', 'artifact type of the index'),
    output: text('-o, --output <file>', 'write the index to a file, or to stdout with -, instead of pushing it'),
    pretty: flag('--pretty', 'indent the JSON that is printed'),
  },
  examples: [
    [
      'Create an index of two images, under two tags',
      'manifest index create localhost:5000/hello:v1,latest linux-amd64 linux-arm64',
    ],
    ['Print the index instead of pushing it', 'manifest index create localhost:5000/hello linux-amd64 -o - --pretty'],
  ],
  check({ options }) {
    parseAnnotationFlags(options.annotation)
  },
  async run({ target, sources, options, client, signal, ...call }) {
    const { artifactType, output } = options
    const annotations = parseAnnotationFlags(options.annotation)
    const reporter = new IndexReporter(call, output)
    const index = await createIndex(target.store, sources, {
      artifactType,
      annotations,
      onEvent: (event) => reporter.onEvent(event),
      signal,
    })
    reporter.packed(index.descriptor)
    await reporter.save(index.bytes, options.pretty)
    if (output === undefined) {
      await client.pushManifest(target, index.bytes, { signal })
      reporter.pushed(describeTarget(target), target.extraTags)
    }
    return index
  },
  json: ({ descriptor, bytes }, { target, options }) =>
    indexResultOf(target.path, { descriptor, bytes, tags: options.output === undefined ? tagsOf(target) : [] }),
  text({ descriptor }, print, { options }) {
    if (options.output !== '-') print.status(`Digest: ${descriptor.digest}`)
  },
})

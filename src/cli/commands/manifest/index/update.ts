import { updateIndex } from '../../../../artifact/edit-index.js'
import { isDigest, type Digest } from '../../../../oci/digest.js'
import { describeTarget, namedSink } from '../../../arguments.js'
import { command } from '../../../command.js'
import { checkExclusive } from '../../../options/exclusive.js'
import { flag, list, text } from '../../../options/option.js'
import { indexResultOf, IndexReporter } from '../../../output/index-reporter.js'
import { UsageError } from '../../../usage-error.js'

export default command({
  summary: 'Change an index',
  stage: 'experimental',
  description:
    'First manifests are removed, then others are added, then other indexes are merged. The new index gets the tag of the old one, which stays under its digest.',
  arguments: { target: namedSink() },
  needs: 'the target index to update',
  options: {
    add: list('--add <reference>', 'tag or digest of a manifest to add'),
    merge: list('--merge <reference>', 'tag or digest of an index whose manifests are added'),
    remove: list('--remove <digest>', 'digest of a manifest to remove'),
    artifactType: text('--artifact-type <type>', 'new artifact type of the index; an empty one removes it'),
    tag: list('--tag <tag>', 'further tag of the new index'),
    output: text('-o, --output <file>', 'write the index to a file, or to stdout with -, instead of pushing it'),
    pretty: flag('--pretty', 'indent the JSON that is printed'),
  },
  examples: [
    [
      'Replace one manifest by another',
      'manifest index update localhost:5000/hello:v1 --add linux-arm64 --remove sha256:99e4703fbf30916f549cd6bfa9cdbab614b5392fbe64fdee971359a77073cdf9',
    ],
    ['Merge another index into it', 'manifest index update localhost:5000/hello:v2 --merge v2-windows'],
  ],
  check({ options: { tag, output, remove } }) {
    checkExclusive({ tag, output })
    const wrong = remove.find((digest) => !isDigest(digest))
    if (wrong !== undefined) throw new UsageError(`remove: ${wrong} is not a digest`)
  },
  async run({ target, options, client, signal, ...call }) {
    const { add, merge, remove, artifactType, output, tag: tags } = options
    if (add.length + merge.length + remove.length === 0 && artifactType === undefined) return undefined
    const reporter = new IndexReporter(call, output)
    const changes = { add, merge, remove: remove as readonly Digest[], artifactType }
    const index = await updateIndex(target.store, target.reference, changes, {
      onEvent: (event) => reporter.onEvent(event),
      signal,
    })
    reporter.updated(index.descriptor)
    await reporter.save(index.bytes, options.pretty)
    const isByDigest = target.digest !== undefined
    const all = isByDigest ? tags : [target.reference, ...tags]
    if (output === undefined) {
      const { mediaType } = index.descriptor
      // The index that the reference names by its digest stays as it is.
      await client.pushManifest({ ...target, digest: undefined }, index.bytes, { mediaType, tags: all, signal })
      reporter.pushed(describeTarget(target, isByDigest ? target.path : target.typed), tags)
    }
    return { ...index, tags: output === undefined ? all : [] }
  },
  json: (result, { target }) => (result === undefined ? { changed: false } : indexResultOf(target.path, result)),
  text(result, print, { options }) {
    if (result === undefined) print.status('Nothing to update as no change is requested')
    else if (options.output !== '-') print.status(`Digest: ${result.descriptor.digest}`)
  },
})

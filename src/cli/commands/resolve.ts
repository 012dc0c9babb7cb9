import { resolvePlatform } from '../../graph/select-platform.js'
import { isGantryError } from '../../errors.js'
import { source } from '../arguments.js'
import { command } from '../command.js'
import { flag } from '../options/option.js'
import { platformOptions } from '../options/platform.js'
import { contentResultOf } from '../output/content-result.js'
import { PrefixedError } from '../prefixed-error.js'

export default command({
  summary: 'Show the digest that a reference stands for',
  stage: 'preview',
  aliases: ['digest'],
  description: 'With a platform, the digest of its manifest in an index.',
  arguments: { source: source() },
  needs: 'the target artifact reference to resolve',
  options: {
    ...platformOptions,
    fullReference: flag('-l, --full-reference', 'print <name>@<digest>'),
    fullRef: flag('--full-ref', 'as --full-reference, in the spelling of crane', { hidden: true }),
  },
  examples: [
    ['Resolve a tag', 'resolve localhost:5000/hello:v1'],
    [
      'Resolve one platform of an index, as a full reference',
      'resolve --platform linux/arm64 -l localhost:5000/hello:v1',
    ],
  ],
  async run({ source: { store, path, reference }, options: { platform }, signal }) {
    try {
      return contentResultOf(path, await resolvePlatform(store, reference, { platform, signal }))
    } catch (error) {
      throw isGantryError(error) ? new PrefixedError('failed to resolve digest: ', error) : error
    }
  },
  text: ({ reference, digest }, print, { options }) =>
    print.line(options.fullReference || options.fullRef ? reference : digest),
})

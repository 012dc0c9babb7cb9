import { validate } from '../../image/validate.js'
import { GantryError } from '../../errors.js'
import { targetFlags, optionalWord } from '../arguments.js'
import { command } from '../command.js'
import { flag, text } from '../options/option.js'
import { platformOptions } from '../options/platform.js'
import { UsageError } from '../usage-error.js'

export default command({
  summary: 'Check that an image is complete and consistent',
  description: `Reads an image, or every image of an index: digests and sizes of manifests, configs and layers, the digests of the uncompressed layers, and names that a layer has twice. Prints PASS, or FAIL with what is wrong, and then exits with 1.`,
  arguments: { access: targetFlags(), image: optionalWord('[<name>{:<tag>|@<digest>}]') },
  needs: 'the image to check',
  options: {
    remote: text('--remote <image>', 'the image to check, in the spelling of crane'),
    fast: flag('--fast', 'look only whether the layers exist'),
    ...platformOptions,
  },
  examples: [['Check an image', 'validate localhost:5000/app:v1']],
  check({ options: { remote }, words: [image] }) {
    if ((remote === undefined) === (image === undefined)) throw new UsageError('exactly one image has to be named')
  },
  async run({ access, image, options: { remote, fast, platform }, client, signal, print, isForMachine }) {
    const opened = await client.open(remote ?? image ?? '', access)
    const { store, typed, reference = 'latest' } = opened
    const problems = await validate({ source: store, reference }, { fast, platform, signal })
    const result = { reference: typed, valid: problems.length === 0, problems }
    if (isForMachine && !result.valid) {
      print.json(result)
      throw notValid(typed)
    }
    return result
  },
  text({ reference, valid, problems }, print) {
    if (valid) print.line(`PASS: ${reference}`)
    for (const { message } of problems) print.line(`FAIL: ${reference}: ${message}`)
    if (!valid) throw notValid(reference)
  },
})

function notValid(reference: string): GantryError {
  return new GantryError('invalid-content', `${reference} is not valid`)
}

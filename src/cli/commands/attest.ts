import { resolvePlatform } from '../../graph/select-platform.js'
import { attest } from '../../signature/sign.js'
import { predicateTypeOf } from '../../signature/statement.js'
import { parseJson } from '../../util/json.js'
import { describeTarget, namedSink } from '../arguments.js'
import { command } from '../command.js'
import { requiredText } from '../options/option.js'
import { platformOptions } from '../options/platform.js'
import { readSigning, signingOptions } from '../options/signing.js'
import { readDocument } from '../options/text-file.js'
import { statementOptions } from '../options/trust.js'
import { contentResultOf } from '../output/content-result.js'

/** Largest statement that is signed: verifiers read bundles of 10 MiB, and base64 makes it larger. */
const MAX_PREDICATE_SIZE = 7 * 1024 * 1024

export default command({
  summary: 'Sign a statement about an artifact or an image, and keep it with it',
  description: `The statement is an in-toto statement that cosign verifies. The password of the key comes from COSIGN_PASSWORD, or is
asked for.`,
  arguments: { target: namedSink({ referrers: true }) },
  needs: 'the artifact to make a statement about',
  options: {
    predicate: requiredText('--predicate <file>', 'JSON file with what is stated'),
    ...statementOptions,
    ...signingOptions,
    ...platformOptions,
  },
  examples: [
    ['Sign an SBOM', 'attest --key cosign.key --type spdx --predicate sbom.spdx.json localhost:5000/hello:v1'],
  ],
  check: ({ options: { type } }) => void predicateTypeOf(type),
  async run({ target: { store, reference, path, type }, options, context, signal }) {
    const predicate = parseJson(await readDocument(options.predicate, MAX_PREDICATE_SIZE), options.predicate)
    const signing = await readSigning(options, context)
    const subject = await resolvePlatform(store, reference, { platform: options.platform, signal })
    const repository = type === 'registry' ? path : undefined
    const predicateType = predicateTypeOf(options.type)
    const result = await attest(store, subject, { ...signing, predicateType, predicate, repository, signal })
    return { ...result, predicateType }
  },
  json: ({ subject, descriptor, form, tag, predicateType }, { target: { path } }) => ({
    ...contentResultOf(path, descriptor),
    subject: contentResultOf(path, subject),
    predicateType,
    form,
    tag,
  }),
  text({ subject, descriptor, predicateType }, print, { target }) {
    print.status(`Attested ${predicateType} of ${describeTarget(target, `${target.path}@${subject.digest}`)}`)
    print.status(`Digest: ${descriptor.digest}`)
  },
})

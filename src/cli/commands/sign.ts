import { resolvePlatform } from '../../graph/select-platform.js'
import { manifestsIn, sign, type SignResult } from '../../signature/sign.js'
import { describeTarget, namedSink } from '../arguments.js'
import { command } from '../command.js'
import { checkExclusive } from '../options/exclusive.js'
import { flag } from '../options/option.js'
import { platformOptions } from '../options/platform.js'
import { readSigning, signingOptions } from '../options/signing.js'
import { contentResultOf } from '../output/content-result.js'

export default command({
  summary: 'Sign an artifact or an image with a key',
  description: `The signature is one that cosign verifies. It is kept as a referrer, or below a tag for older verifiers.

The password of the key comes from COSIGN_PASSWORD, or is asked for.`,
  arguments: { target: namedSink({ referrers: true }) },
  needs: 'the artifact to sign',
  options: {
    ...signingOptions,
    recursive: flag('-r, --recursive', 'sign everything in an index too, such as each platform'),
    ...platformOptions,
  },
  examples: [
    ['Sign an image', 'sign --key cosign.key localhost:5000/hello:v1'],
    ['Sign it for verifiers that know tags only', 'sign --key cosign.key --signature-form tag localhost:5000/hello:v1'],
  ],
  check({ options: { recursive }, flags: { platform } }) {
    checkExclusive({ recursive: recursive ? true : undefined, platform })
  },
  async run({ target: { store, reference, path, type }, options, context, signal }) {
    const signing = await readSigning(options, context)
    const root = await resolvePlatform(store, reference, { platform: options.platform, signal })
    const subjects = options.recursive ? await manifestsIn(store, root, { signal }) : [root]
    const repository = type === 'registry' ? path : undefined
    const signatures: SignResult[] = []
    // The index last: who sees it signed finds its platforms signed.
    for (const subject of subjects.toReversed()) {
      signatures.push(await sign(store, subject, { ...signing, repository, signal }))
    }
    return { root, signatures }
  },
  json: ({ root, signatures }, { target: { path } }) => ({
    ...contentResultOf(path, root),
    signatures: signatures.map(({ subject, descriptor, form, tag }) => ({
      subject: contentResultOf(path, subject),
      form,
      tag,
      descriptor: contentResultOf(path, descriptor),
    })),
  }),
  text({ root, signatures }, print, { target }) {
    for (const { subject, descriptor, form } of signatures) {
      print.status(
        `Signed ${describeTarget(target, `${target.path}@${subject.digest}`)} (${form} ${descriptor.digest})`,
      )
    }
    print.status(`Digest: ${root.digest}`)
  },
})

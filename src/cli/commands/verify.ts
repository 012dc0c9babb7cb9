import { resolvePlatform } from '../../graph/select-platform.js'
import { verifySignatures } from '../../signature/verify.js'
import { describeTarget, source } from '../arguments.js'
import { command } from '../command.js'
import { platformOptions } from '../options/platform.js'
import { checkTrust, readVerification, trustOptions } from '../options/trust.js'
import { describeSignatures, verificationOf } from '../output/signature-result.js'

export default command({
  summary: 'Verify who has signed an artifact or an image',
  description: `All forms are looked at that cosign writes: the tag '.sig', referrers, and sigstore bundles.

A key is all the trust that is needed: no log is asked, as with 'cosign verify --key KEY --insecure-ignore-tlog'. An
attestation is no signature. The exit code is 10 when there is no signature, and 11 when none of them counts.`,
  arguments: { source: source({ referrers: true }) },
  needs: 'the artifact to verify',
  options: { ...trustOptions, ...platformOptions },
  examples: [
    ['Verify an image with a key', 'verify --key cosign.pub localhost:5000/hello:v1'],
    [
      'Verify that both teams have signed',
      'verify --key team-a.pub --key team-b.pub --all-keys localhost:5000/hello:v1',
    ],
    [
      'Verify what a build in CI has signed',
      'verify --certificate-identity-regexp "^https://github.com/example/app/" --certificate-oidc-issuer https://token.actions.githubusercontent.com --trusted-root trusted_root.json localhost:5000/hello:v1',
    ],
  ],
  check: ({ options, usage }) => checkTrust(options, usage),
  async run({ source: { store, reference }, options, context, signal }) {
    const verification = await readVerification(options, context)
    const subject = await resolvePlatform(store, reference, { platform: options.platform, signal })
    return verifySignatures(store, subject, { ...verification, signal })
  },
  json: (result, { source: { path } }) => verificationOf(path, result),
  text({ descriptor, signatures }, print, { source }) {
    print.status(`Verified ${describeTarget(source)}`)
    describeSignatures(signatures, print)
    print.status(`Digest: ${descriptor.digest}`)
  },
})

import { resolvePlatform } from '../../graph/select-platform.js'
import { checkPredicate, type PredicateCondition } from '../../signature/predicate-check.js'
import { predicateTypeOf } from '../../signature/statement.js'
import { verifyAttestations } from '../../signature/verify.js'
import { formatJson } from '../../oci/encode-json.js'
import { describeTarget, source } from '../arguments.js'
import { command } from '../command.js'
import { list } from '../options/option.js'
import { platformOptions } from '../options/platform.js'
import { checkTrust, readVerification, statementOptions, trustOptions } from '../options/trust.js'
import { verificationOf } from '../output/signature-result.js'
import { UsageError } from '../usage-error.js'

export default command({
  summary: 'Verify a signed statement about an artifact or an image, and print it',
  description: `Statements are printed as JSON, one on a line. The exit code is 10 when there is none of the type, and 11 when none
of them counts.`,
  arguments: { source: source({ referrers: true }) },
  needs: 'the artifact to verify',
  options: {
    ...statementOptions,
    predicateEquals: list('--predicate-equals <path=value>', 'what the predicate has to say, such as builder.id=NAME'),
    ...trustOptions,
    ...platformOptions,
  },
  examples: [
    ['Print the SBOM of an image', 'verify-attestation --key cosign.pub --type spdx localhost:5000/hello:v1'],
    [
      'Require a builder',
      'verify-attestation --key cosign.pub --type slsaprovenance1 --predicate-equals runDetails.builder.id=https://ci.example.com localhost:5000/hello:v1',
    ],
  ],
  check({ options, usage }) {
    checkTrust(options, usage)
    options.predicateEquals.forEach(parseCondition)
    predicateTypeOf(options.type)
  },
  async run({ source: { store, reference }, options, context, signal }) {
    const verification = await readVerification(options, context)
    const conditions = options.predicateEquals.map(parseCondition)
    const subject = await resolvePlatform(store, reference, { platform: options.platform, signal })
    return verifyAttestations(store, subject, {
      ...verification,
      predicateType: predicateTypeOf(options.type),
      check: (claim) => checkPredicate(claim, conditions),
      signal,
    })
  },
  json: (result, { source: { path } }) => verificationOf(path, result),
  text({ signatures }, print, { source, isQuiet }) {
    if (!isQuiet) print.notice(`Verified ${describeTarget(source)}`)
    for (const { claim } of signatures) print.line(formatJson(claim.document))
  },
})

function parseCondition(text: string): PredicateCondition {
  const sign = text.indexOf('=')
  if (sign > 0) return { path: text.slice(0, sign), value: text.slice(sign + 1) }
  throw new UsageError(`invalid argument "${text}" for "--predicate-equals" flag: it has the form <path>=<value>`)
}

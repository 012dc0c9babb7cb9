import type { ReferrerNode } from '../../graph/discover.js'
import { formatJson } from '../../oci/encode-json.js'

/** The first level of referrers as a table with two columns, each row followed by the descriptor when `verbose`. */
export function formatReferrerTable(
  { descriptor, referrers }: ReferrerNode,
  typed: string,
  { verbose }: { readonly verbose: boolean },
): string {
  const artifacts = referrers.length === 1 ? 'artifact' : 'artifacts'
  const head = [`Discovered ${referrers.length} ${artifacts} referencing ${typed}`, `Digest: ${descriptor.digest}`]
  if (referrers.length === 0) return head.join('\n')
  const types = referrers.map((referrer) => referrer.descriptor.artifactType ?? '')
  const width = Math.max('Artifact Type'.length, ...types.map((type) => type.length)) + 3
  const rows = referrers.flatMap((referrer, index) => [
    `${(types[index] ?? '').padEnd(width)}${referrer.descriptor.digest}`,
    ...(verbose ? [formatJson(referrer.descriptor, 2)] : []),
  ])
  return [...head, '', `${'Artifact Type'.padEnd(width)}Digest`, ...rows].join('\n')
}

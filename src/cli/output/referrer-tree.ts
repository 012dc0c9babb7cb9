import type { ReferrerNode } from '../../graph/discover.js'
import type { Annotations } from '../../oci/descriptor.js'
import { visibleLine } from '../../util/visible-text.js'
import type { Palette } from './palette.js'
import { formatYamlScalar } from './yaml-scalar.js'

export interface TreeOptions {
  /** Whether annotations are shown. */
  readonly verbose: boolean
  readonly palette: Palette
}

/** One line of a tree and what hangs below it. */
interface Branch {
  readonly label: string
  readonly branches: readonly Branch[]
}

/**
 * The tree of referrers as text: below each manifest its referrers by artifact type, below each of those first its
 * annotations. What comes from outside is made visible here, as the result may carry colours.
 */
export function formatReferrerTree(
  { descriptor, referrers }: ReferrerNode,
  path: string,
  options: TreeOptions,
): string {
  const lines = [options.palette.digest(visibleLine(`${path}@${descriptor.digest}`))]
  addLines(branchesByType(referrers, options), '', lines)
  return lines.join('\n')
}

function addLines(branches: readonly Branch[], indent: string, lines: string[]): void {
  for (const [index, branch] of branches.entries()) {
    const isLast = index === branches.length - 1
    lines.push(`${indent}${isLast ? '└── ' : '├── '}${branch.label}`)
    addLines(branch.branches, `${indent}${isLast ? '    ' : '│   '}`, lines)
  }
}

function branchesByType(referrers: readonly ReferrerNode[], options: TreeOptions): readonly Branch[] {
  const byType = new Map<string, ReferrerNode[]>()
  for (const referrer of referrers) {
    const type = referrer.descriptor.artifactType ?? '<unknown>'
    byType.set(type, [...(byType.get(type) ?? []), referrer])
  }
  return [...byType].map(([type, nodes]) => ({
    label: options.palette.artifactType(visibleLine(type)),
    branches: nodes.map((node) => branchOf(node, options)),
  }))
}

function branchOf({ descriptor, referrers }: ReferrerNode, options: TreeOptions): Branch {
  const { annotations, digest } = descriptor
  const hasAnnotations = options.verbose && annotations !== undefined && Object.keys(annotations).length > 0
  return {
    label: options.palette.digest(digest),
    branches: [
      ...(hasAnnotations ? [annotationBranch(annotations, options)] : []),
      ...branchesByType(referrers, options),
    ],
  }
}

function annotationBranch(annotations: Annotations, options: TreeOptions): Branch {
  return {
    label: options.palette.annotations('[annotations]'),
    branches: Object.keys(annotations)
      .sort()
      .map((key) => ({ label: visibleLine(`${key}: ${formatYamlScalar(annotations[key] ?? '')}`), branches: [] })),
  }
}

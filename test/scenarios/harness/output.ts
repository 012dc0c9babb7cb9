import { createHash } from 'node:crypto'

/** The digest of content, as descriptors name it. */
export function digestOf(content: string | Uint8Array): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`
}

/** What status lines show of a digest. */
export function shortDigest(digest: string): string {
  return digest.slice('sha256:'.length, 'sha256:'.length + 12)
}

/** The lines of an output, in an order of their own: what runs side by side ends in any order. */
export function sortedLines(output: string): string[] {
  return output.trimEnd().split('\n').sort()
}

/** What stands after a label at the start of a line, as in `Digest: sha256:…`. */
export function labelled(output: string, label: string): string {
  const line = output.split('\n').find((candidate) => candidate.startsWith(`${label}: `))
  if (line === undefined) throw new Error(`no "${label}: " in:\n${output}`)
  return line.slice(label.length + 2)
}

/** The digest that a command printed last. */
export function printedDigest(output: string): string {
  return labelled(output, 'Digest')
}

/**
 * Every node of a printed tree as the way that leads to it, in an order of their own. The lines that tell of
 * annotations are left out.
 */
export function treeNodes(output: string): string[][] {
  const nodes: string[][] = []
  const way: string[] = []
  for (const line of output.trimEnd().split('\n')) {
    const indent = /^[├└│─ ]*/.exec(line)?.[0] ?? ''
    const depth = indent.length / 4
    way.length = depth
    way.push(line.slice(indent.length))
    if (!way.includes('[annotations]')) nodes.push([...way])
  }
  return nodes.sort((one, other) => (one.join('\n') < other.join('\n') ? -1 : 1))
}

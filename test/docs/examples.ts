import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'

export const projectFolder = join(import.meta.dirname, '../..')

/** A TypeScript example of a document, and what it says that it prints. */
export interface Example {
  /** Such as `docs/library.md:32`. */
  readonly name: string
  readonly code: string
  /** Absent where the document does not say. */
  readonly output: string | undefined
}

/** The examples of README.md and of all documents below docs, in their order. */
export async function readExamples(): Promise<readonly Example[]> {
  const documents = (await readdir(join(projectFolder, 'docs'))).filter((name) => name.endsWith('.md')).sort()
  const paths = ['README.md', ...documents.map((name) => `docs/${name}`)]
  return (await Promise.all(paths.map(examplesOf))).flat()
}

async function examplesOf(path: string): Promise<readonly Example[]> {
  const text = await readFile(join(projectFolder, path), 'utf8')
  const blocks = text.matchAll(/^```ts\n(.*?)^```\n(?:\n^```text\n(.*?)^```$)?/gms)
  return [...blocks].map(({ 1: code = '', 2: output, index }) => ({
    name: `${path}:${text.slice(0, index).split('\n').length}`,
    code,
    output,
  }))
}

import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Descriptor } from '../../src/oci/descriptor.js'
import { blobPathOf } from '../../src/oci/image-layout.js'
import type { Content } from './content.js'

/** Writes a layout by hand, good or bad. */
export function writeLayout(
  folder: string,
  contents: readonly Content[],
  manifests: readonly (Descriptor & Record<string, unknown>)[] = contents.map(({ descriptor }) => ({ ...descriptor })),
): void {
  mkdirSync(join(folder, 'blobs/sha256'), { recursive: true })
  writeFileSync(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  writeFileSync(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }))
  for (const { descriptor, bytes } of contents) writeBlob(folder, descriptor, bytes)
}

export function writeBlob(folder: string, descriptor: Descriptor, bytes: Uint8Array | string): void {
  const path = blobFile(folder, descriptor)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, bytes)
}

export function blobFile(folder: string, { digest }: Descriptor): string {
  return join(folder, blobPathOf(digest))
}

export type ListedEntry = Descriptor & Readonly<Record<string, unknown>>

/** What `index.json` lists. */
export function listedIn(folder: string): ListedEntry[] {
  const { manifests } = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as { manifests: ListedEntry[] }
  return manifests
}

/** Every path below a folder with its type and, for files, its content: two of them tell whether anything changed. */
export function snapshotOf(folder: string): Record<string, string> {
  const snapshot: Record<string, string> = {}
  const pending = existsSync(folder) ? [folder] : []
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const stats = lstatSync(path)
    const kind = stats.isDirectory() ? 'folder' : stats.isFile() ? 'file' : 'other'
    snapshot[path] = `${kind} ${stats.mode.toString(8)} ${stats.isFile() ? readFileSync(path).toString('hex') : ''}`
    if (stats.isDirectory()) for (const name of readdirSync(path)) pending.push(join(path, name))
  }
  return snapshot
}

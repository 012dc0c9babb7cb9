import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withFileErrorsSync } from '../util/file-error.js'

/** Names that careless file systems take for one: by case, by Unicode normalisation, by characters without appearance. */
const ALIKE = ['a', 'A', '\u00e9', 'e\u0301', 'b', 'b\u200d'] as const

/**
 * Whether the file system of a folder tells names apart that differ in case or spelling only; found out by trying.
 * @param folder a private one
 * @throws GantryError `file-error`
 */
export function tellsNamesApart(folder: string): boolean {
  return withFileErrorsSync('write', folder, () => {
    const trial = mkdtempSync(join(folder, 'names-'))
    try {
      for (const name of ALIKE) writeFileSync(join(trial, name), '')
      return readdirSync(trial).length === ALIKE.length
    } finally {
      rmSync(trial, { recursive: true, force: true })
    }
  })
}

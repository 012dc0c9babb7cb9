import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SeededNumbers } from './seeded-bytes.js'

const FILES_IN_A_FOLDER = 12

/**
 * Writes a folder like that of a large program's sources: small files of text with much repetition (it shrinks to about
 * a quarter), a dozen in each folder.
 * @param {string} folder
 * @param {{ files: number, bytes: number }} amount the files' number, and their size in all
 * @returns {Promise<Map<string, string>>} the digest of each file, by its path below the folder
 */
export async function makeSourceFolder(folder, { files, bytes }) {
  const numbers = new SeededNumbers(`${files} files`)
  const lines = makeLines(numbers)
  const sizes = sizesOf(numbers, files, bytes)
  const digests = new Map()
  const folders = new Set()
  for (const [number, size] of sizes.entries()) {
    const path = pathOf(number)
    const parent = join(folder, path, '..')
    if (!folders.has(parent)) await mkdir(parent, { recursive: true })
    folders.add(parent)
    const text = makeText(numbers, lines, size)
    digests.set(path, createHash('sha256').update(text).digest('hex'))
    await writeFile(join(folder, path), text)
  }
  return digests
}

function pathOf(number) {
  const leaf = Math.floor(number / FILES_IN_A_FOLDER)
  return `module-${Math.floor(leaf / 24)}/package-${leaf % 24}/source-file-${number}.txt`
}

/** Few large files, many small ones, as in any folder of sources. */
function sizesOf(numbers, files, bytes) {
  const weights = Array.from({ length: files }, () => Math.exp(3 * (numbers.next() + numbers.next() + numbers.next())))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return weights.map((weight) => Math.max(1, Math.round((weight / total) * bytes)))
}

function makeLines(numbers) {
  const words = Array.from({ length: 4000 }, () => makeWord(numbers))
  const signs = [' = ', '(', ') ', ', ', '.', ': ', ' => ', ' + ', ' === ', ' ? ']
  return Array.from({ length: 20_000 }, () => {
    const indent = '  '.repeat(numbers.below(5))
    const parts = Array.from({ length: 2 + numbers.below(7) }, () => {
      // Words in use follow a power law.
      return words[Math.floor(words.length * numbers.next() ** 3)] + signs[numbers.below(signs.length)]
    })
    return `${indent}${parts.join('')}\n`
  })
}

function makeWord(numbers) {
  const letters = 'etaoinshrdlucmfwypvbgk'
  return Array.from({ length: 2 + numbers.below(9) }, () => letters[Math.floor(22 * numbers.next() ** 2)]).join('')
}

function makeText(numbers, lines, size) {
  // Lines repeat mostly within a file: what a file is about comes again and again.
  const start = numbers.below(lines.length)
  let text = ''
  while (text.length < size) {
    const near = numbers.next() < 0.6
    const offset = near ? numbers.below(80) : Math.floor(lines.length * numbers.next() ** 2)
    text += lines[(start + offset) % lines.length]
  }
  return text.slice(0, size)
}

// Prints the table for the README from what the benchmark wrote:
//   npm run bench -- --json bench.json && node test/bench/format-readme.js bench.json
import { readFile } from 'node:fs/promises'
import { formatMarkdown } from './format-markdown.js'

const [path] = process.argv.slice(2)
if (path === undefined) {
  console.error('usage: node test/bench/format-readme.js FILE')
  process.exit(2)
}
process.stdout.write(formatMarkdown(JSON.parse(await readFile(path, 'utf8'))))

// Runs every operation on every emulated registry, prints what worked, and writes it into the README:
//   node test/dialects/update-readme.js
import { spawnSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')
const readmePath = join(root, 'README.md')
const folder = await mkdtemp(join(tmpdir(), 'gantry-matrix-'))

try {
  const suites = ['test/dialects/cloud-registries.test.ts', 'test/dialects/own-registries.test.ts']
  runTool('vitest', ['run', ...suites], { GANTRY_MATRIX_FOLDER: folder })
  const matrix = await readMatrix()
  console.log(matrix)
  const readme = await readFile(readmePath, 'utf8')
  const section = `<!-- registries: begin -->\n\n${matrix}\n\n<!-- registries: end -->`
  await writeFile(readmePath, readme.replace(/<!-- registries: begin -->[^]*<!-- registries: end -->/, section))
  runTool('prettier', ['--write', readmePath], {})
} finally {
  await rm(folder, { recursive: true, force: true })
}

async function readMatrix() {
  const texts = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')))
  const lines = texts.map((text) => JSON.parse(text)).sort((one, other) => one.position - other.position)
  const [first] = lines
  return [...first.head, ...lines.map(({ line }) => line), '', ...first.notes].join('\n')
}

function runTool(name, words, variables) {
  const program = join(root, 'node_modules/.bin', name)
  const { status } = spawnSync(program, words, { cwd: root, env: { ...process.env, ...variables }, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

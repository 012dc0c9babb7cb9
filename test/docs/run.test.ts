import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { transform } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startRegistryServer, type RegistryServer } from '../../src/server/registry-server.js'
import { tarOf } from '../scenarios/harness/tar-of.js'
import { projectFolder, readExamples } from './examples.js'

const run = promisify(execFile)
const examples = (await readExamples()).filter(({ name }) => name.startsWith('docs/library.md'))

let folder: string
let server: RegistryServer

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gantry-docs-'))
  server = await startRegistryServer()
  await mkdir(join(folder, 'node_modules'))
  await symlink(projectFolder, join(folder, 'node_modules/gantry'))
  await symlink(join(projectFolder, 'node_modules/tar-stream'), join(folder, 'node_modules/tar-stream'))
  await writeFile(join(folder, 'app.tar'), await tarOf('more.txt', 'more\n'))
})

afterAll(async () => {
  await server.close()
  await rm(folder, { recursive: true, force: true })
})

describe('docs/library.md', () => {
  test('has examples', () => {
    expect(examples.length).toBeGreaterThan(12)
  })

  // One after the other: each finds what those before it have pushed.
  test.each(examples)('$name runs, and prints what it says', async ({ code, output = '' }) => {
    const registry = server.registry.replace('127.0.0.1', 'localhost')
    const { code: script } = await transform(code.replaceAll('localhost:5000', registry), {
      loader: 'ts',
      format: 'esm',
      target: 'node20.18',
    })
    await writeFile(join(folder, 'example.mjs'), script)
    const { stdout, stderr } = await run(process.execPath, ['example.mjs'], {
      cwd: folder,
      env: { PATH: process.env.PATH, HOME: folder, TMPDIR: folder },
    })
    expect({ stdout, stderr }).toEqual({ stdout: output, stderr: '' })
  })
})

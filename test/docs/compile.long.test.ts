import { execFile } from 'node:child_process'
import { mkdtemp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { projectFolder, readExamples } from './examples.js'

const run = promisify(execFile)
const examples = await readExamples()

/** A project that has installed the package, as those who use it have. */
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gantry-docs-'))
  await mkdir(join(folder, 'node_modules/@types'), { recursive: true })
  await symlink(projectFolder, join(folder, 'node_modules/gantry'))
  for (const name of ['@types/node', '@types/tar-stream', 'undici-types']) {
    await symlink(join(projectFolder, 'node_modules', name), join(folder, 'node_modules', name))
  }
  await writeFile(join(folder, 'package.json'), '{"type":"module"}')
  for (const [index, { code }] of examples.entries()) await writeFile(join(folder, `example-${index}.ts`), code)
})

afterAll(() => rm(folder, { recursive: true, force: true }))

async function compile(module: string, moduleResolution: string): Promise<string> {
  const options = {
    module,
    moduleResolution,
    target: 'es2022',
    lib: ['es2022', 'esnext.disposable'],
    types: ['node'],
    strict: true,
    skipLibCheck: false,
    noEmit: true,
  }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, include: ['*.ts'] }))
  const tsc = join(projectFolder, 'node_modules/typescript/bin/tsc')
  try {
    await run(process.execPath, [tsc, '-p', folder], { cwd: folder })
    return ''
  } catch (error) {
    return (error as { stdout: string }).stdout
  }
}

describe('the examples of the documents', () => {
  test('are found', () => {
    expect(examples.length).toBeGreaterThan(14)
    expect(examples.map(({ name }) => name.split(':')[0])).toContain('README.md')
  })

  test.each([
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ])(
    'compile with module %s and resolution %s, strictly, with the declarations they use',
    async (module, resolution) => {
      expect(await compile(module, resolution)).toBe('')
    },
  )

  test('would be found wrong', async () => {
    const path = join(folder, 'example-0.ts')
    const code = await readFile(path, 'utf8')
    try {
      await writeFile(path, `${code}\nimport { absent } from 'gantry'\nconsole.log(absent)\n`)
      expect(await compile('nodenext', 'nodenext')).toContain("has no exported member 'absent'")
    } finally {
      await writeFile(path, code)
    }
  })
})

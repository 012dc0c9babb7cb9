import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sortedLines } from './harness/output.js'
import { projectFolder } from './harness/program.js'
import { registriesUnderTest, startRegistry } from './harness/registries.js'
import type { RunningRegistry } from './harness/registries.js'
import { tarOf } from './harness/tar-of.js'
import { Workplace } from './harness/workplace.js'

interface Example {
  readonly command: string
  readonly output: string
}

const readme = await readFile(join(projectFolder, 'README.md'), 'utf8')

/** The commands that README.md shows, with what it says that they print. */
const examples: Example[] = blocksOf('console').flatMap((block) =>
  block.split(/^\$ /m).flatMap((part) => {
    const [command = '', ...output] = part.trim().split('\n')
    return command === '' ? [] : [{ command, output: output.join('\n').trim() }]
  }),
)

function blocksOf(language: string): string[] {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(([, block]) => block ?? '')
}

// The output is that of a registry with the referrers API and with a catalog.
describe.each(registriesUnderTest().filter(({ name }) => name === 'gantry'))('README.md, on $name', (kind) => {
  let registry: RunningRegistry
  let shell: Workplace

  beforeAll(async () => {
    registry = await startRegistry(kind)
    shell = await Workplace.create()
    await shell.write('readme.md', '# Readme\n')
    await shell.write('details/one.md', 'one\n')
    await shell.write('details/two.md', 'two\n')
    await shell.do('chmod 755 details && chmod 644 details/*')
    await shell.write('sbom.json', '{"packages":[]}\n')
    await shell.write('namespace.tar', await tarOf('namespace.yaml', 'kind: Namespace\n'))
  })
  afterAll(async () => {
    await shell.leave()
    await registry.stop()
  })

  test('has a tour', () => {
    expect(examples.length).toBeGreaterThan(10)
  })

  // One after the other: the tour is a story.
  test.each(examples)('$command', async ({ command, output }) => {
    const printed = await shell.do(command.replaceAll('localhost:5000', registry.host))
    expect(sortedLines(printed.replaceAll(registry.host, 'localhost:5000'))).toEqual(sortedLines(output))
  })

  test('the example for the library runs', async () => {
    const [example = ''] = blocksOf('ts')
    const library = join(projectFolder, 'dist/index.js')
    await shell.write(
      'example.mjs',
      example.replace("'gantry'", JSON.stringify(library)).replaceAll('localhost:5000', registry.host),
    )
    await shell.do('node example.mjs')
    const [pushed, copied] = await Promise.all(
      ['docs', 'released/docs'].map((name) => shell.do(`gantry resolve ${registry.host}/${name}:v1`)),
    )
    expect(copied).toBe(pushed)
  })
})

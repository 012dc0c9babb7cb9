import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isGantryError } from '../../../src/errors.js'
import { readTar } from '../../../src/store/tar/read-tar.js'
import { unpackFolder } from '../../../src/store/tar/unpack-folder.js'
import { collectBytes, openBytes } from '../../../src/util/bytes.js'
import { fc, runs } from '../../properties.js'
import { archive, extended, file, folder, gnuLongName, hardLink, header, record, symlink } from './build-tar.js'
import { mutated } from './made-up-archives.js'
import { snapshotOf } from './tree-snapshot.js'

let base: string
let destination: string
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'gantry-unpack-'))
  destination = join(base, 'work', 'out')
  mkdirSync(join(base, 'work'))
  for (const name of ['out-sib', 'elsewhere', 'work/out-sib']) {
    mkdirSync(join(base, name))
    writeFileSync(join(base, name, 'victim'), 'untouched')
  }
  writeFileSync(join(base, 'victim'), 'untouched')
})
afterAll(() => {
  rmSync(base, { recursive: true })
})

/** Unpacks, and looks at everything around: only the new folder may be there, and nothing after a refusal. */
async function unpackAndCheck(bytes: Uint8Array, name: string): Promise<boolean> {
  const before = snapshotOf(base)
  let isUnpacked = true
  try {
    await unpackFolder(openBytes(bytes)(), destination, { name, what: 'layer', maxUnpackedSize: 1_000_000 })
  } catch (error) {
    expect(isGantryError(error, 'unsafe-path', 'invalid-content', 'unsupported', 'limit-exceeded'), String(error)).toBe(
      true,
    )
    expect(existsSync(destination)).toBe(false)
    isUnpacked = false
  }
  if (isUnpacked) {
    for (const [path, line] of Object.entries(snapshotOf(destination))) {
      expect(path).not.toMatch(/(^|\/)\.\.(\/|$)/)
      expect(line).not.toMatch(/^(file|folder) [1-7]\d{3}/)
    }
    rmSync(destination, { recursive: true })
  }
  expect(snapshotOf(base)).toEqual(before)
  return isUnpacked
}

/** Names that lead somewhere, in all that a name can be. */
const step = fc.constantFrom(
  'd',
  'd',
  'd',
  '..',
  '.',
  '',
  'a',
  'b',
  'link',
  'out-sib',
  'victim',
  'A',
  'aux',
  'C:',
  'é',
  'e\u0301',
  'a\\..\\b',
  '\u0001',
)
const path = fc.oneof(
  fc.array(step, { minLength: 1, maxLength: 4 }).map((parts) => ['d', ...parts].join('/')),
  fc.array(step, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/')),
  fc.constantFrom('/etc/passwd', '../../victim', 'd/../../victim', 'd/link/victim', '//x', 'd/link', 'd'),
)
const target = fc.oneof(
  path,
  fc.constantFrom('.', '..', '../..', '../../elsewhere', '/', 'a', 'link', '../out-sib', './a', 'd/a', 'd/link/victim'),
)
const entry = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .tuple(path, fc.string({ maxLength: 20 }), fc.constantFrom('0000644', '0004755', '0001777', '0000000'))
      .map(([name, text, mode]) => file(name.slice(0, 90), text, { mode })),
  },
  { weight: 2, arbitrary: path.map((name) => folder(`${name.slice(0, 90)}/`)) },
  { weight: 2, arbitrary: fc.tuple(path, target).map(([name, to]) => symlink(name.slice(0, 90), to.slice(0, 90))) },
  { weight: 2, arbitrary: fc.tuple(path, target).map(([name, to]) => hardLink(name.slice(0, 90), to.slice(0, 90))) },
  fc
    .tuple(path, path)
    .map(([name, other]) => Buffer.concat([extended(record('path', name)), file(other.slice(0, 90), 'x')])),
  fc
    .tuple(path, target)
    .map(([name, to]) => Buffer.concat([extended(record('linkpath', to)), symlink(name.slice(0, 90), 'a')])),
  fc
    .tuple(path, path)
    .map(([name, other]) => Buffer.concat([gnuLongName(name), file(other.slice(0, 90), 'x', { magic: 'ustar  \0' })])),
  fc
    .tuple(path, fc.constantFrom('3', '4', '6', '7', 'S', 'V', 'D', 'Z'))
    .map(([name, type]) => header({ name: name.slice(0, 90), type })),
)

describe('whatever an archive holds, nothing around its folder changes', () => {
  test('when its names and links lead everywhere', async () => {
    let unpacked = 0
    const friendly = fc.array(
      fc.tuple(fc.stringMatching(/^d\/[abc](\/[abc])?$/), fc.string()).map(([name, text]) => file(name, text)),
      { maxLength: 2 },
    )
    await fc.assert(
      fc.asyncProperty(friendly, fc.array(entry, { maxLength: 6 }), async (first, entries) => {
        if (await unpackAndCheck(archive(...first, ...entries), 'd')) unpacked++
      }),
    )
    expect(unpacked).toBeGreaterThan(0)
  })

  test('when its headers are damaged', async () => {
    await fc.assert(
      fc.asyncProperty(mutated, fc.constantFrom('a', 'd', 'b'), async (bytes, name) => {
        await unpackAndCheck(bytes, name)
      }),
    )
  })

  test('when it is anything', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (bytes) => {
        await unpackAndCheck(bytes, 'd')
      }),
      runs(0.25),
    )
  })
})

const whole = archive(
  folder('d/'),
  file('d/a', 'x'.repeat(700)),
  Buffer.concat([extended(record('path', `d/${'long/'.repeat(30)}x`)), file('p', 'pax')]),
  Buffer.concat([gnuLongName(`d/${'gnu/'.repeat(30)}x`), file('g', 'gnu', { magic: 'ustar  \0' })]),
  symlink('d/link', 'a'),
  hardLink('d/hard', 'd/a'),
)

test('an archive that ends too early is refused, wherever that is', async () => {
  expect(await unpackAndCheck(whole, 'd')).toBe(true)
  for (let length = 0; length < whole.byteLength; length++) {
    const cut = whole.subarray(0, length)
    const read = async (): Promise<void> => {
      for await (const { content } of readTar(openBytes(cut)(), 'test')) await collectBytes(content, 10_000, 'x')
    }
    await expect(read(), `cut at ${length}`).rejects.toSatisfy((error) => isGantryError(error, 'invalid-content'))
  }
})

test('an archive that is cut into pieces of any size is the same', async () => {
  const list = async (size: number): Promise<string[]> => {
    const names: string[] = []
    async function* pieces(): AsyncGenerator<Uint8Array, void, undefined> {
      for (let start = 0; start < whole.byteLength; start += size) yield whole.subarray(start, start + size)
    }
    for await (const { entry: one, content } of readTar(pieces(), 'test')) {
      names.push(`${one.type} ${one.name} ${(await collectBytes(content, 10_000, 'x')).byteLength}`)
    }
    return names
  }
  const expected = await list(whole.byteLength)
  expect(expected).toHaveLength(6)
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 2000 }), async (size) => {
      expect(await list(size)).toEqual(expected)
    }),
    runs(0.25),
  )
})

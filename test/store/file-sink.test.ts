import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Annotation } from '../../src/oci/annotations.js'
import type { Annotations } from '../../src/oci/descriptor.js'
import { digestOf } from '../../src/oci/digest.js'
import { MediaType } from '../../src/oci/media-types.js'
import { FileSink, type FileSinkOptions } from '../../src/store/file-sink.js'
import { FileSource } from '../../src/store/file-source.js'
import { MergedLinks } from '../../src/store/merged-links.js'
import { tellsNamesApart } from '../../src/store/title-set.js'
import { contentOf, emptyConfig, inChunks, manifest, type Content } from './content.js'
import { archive, file as tarFile, folder as tarFolder, symlink as tarLink } from './tar/build-tar.js'
import { snapshotOf } from './tar/tree-snapshot.js'

let base: string
let out: string
const sinks: FileSink[] = []
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'gantry-sink-'))
  out = join(base, 'out')
})
afterEach(async () => {
  for (const sink of sinks.splice(0)) await sink.discard()
  await rm(base, { recursive: true })
})

function openSink(options: FileSinkOptions = {}): FileSink {
  const sink = FileSink.open(out, options)
  sinks.push(sink)
  return sink
}

function titled(title: string, text = `content of ${title}`, annotations: Annotations = {}): Content {
  const content = contentOf(MediaType.imageLayer, Buffer.from(text))
  return {
    ...content,
    descriptor: { ...content.descriptor, annotations: { [Annotation.title]: title, ...annotations } },
  }
}

/** A folder in an archive, as a layer that is unpacked. */
function packed(title: string, ...entries: readonly Uint8Array[]): Content {
  const tar = archive(...entries)
  const content = contentOf(MediaType.imageLayerGzip, gzipSync(tar))
  const annotations = {
    [Annotation.title]: title,
    [Annotation.unpack]: 'true',
    [Annotation.unpackedDigest]: digestOf(tar),
  }
  return { ...content, descriptor: { ...content.descriptor, annotations } }
}

async function pushAll(sink: FileSink, ...contents: readonly Content[]): Promise<void> {
  await sink.expect(contents.map(({ descriptor }) => descriptor))
  for (const { descriptor, open } of contents) await sink.push(descriptor, open)
}

function read(path: string): string {
  return readFileSync(join(out, path), 'utf8')
}

describe('FileSink', () => {
  test('publishes files under their titles, and only then', async () => {
    const sink = openSink()
    const [one, two] = [titled('one.txt'), titled('sub/deep/two.txt')]
    await pushAll(sink, one, two)
    expect(existsSync(out)).toBe(false)
    expect(await sink.publish()).toEqual([
      { path: join(out, 'one.txt'), descriptor: one.descriptor },
      { path: join(out, 'sub/deep/two.txt'), descriptor: two.descriptor },
    ])
    expect(read('one.txt')).toBe('content of one.txt')
    expect(read('sub/deep/two.txt')).toBe('content of sub/deep/two.txt')
    expect(readdirSync(base)).toEqual(['out'])
    expect(readdirSync(out).sort()).toEqual(['one.txt', 'sub'])
  })

  test('unpacks folders under their titles', async () => {
    const sink = openSink()
    const content = packed('some/d', tarFolder('some/d/'), tarFile('some/d/a', 'a'), tarLink('some/d/link', 'a'))
    await pushAll(sink, content)
    expect(existsSync(out)).toBe(false)
    expect(await sink.publish()).toEqual([{ path: `${join(out, 'some/d')}/`, descriptor: content.descriptor }])
    expect(read('some/d/link')).toBe('a')
    expect(readdirSync(base)).toEqual(['out'])
  })

  test.each(['is not there', 'is there', 'is a link'])(
    'unpacks a folder that was packed from inside into the output folder, which %s',
    async (state) => {
      if (state !== 'is not there') mkdirSync(join(base, 'real'))
      if (state === 'is there') renameSync(join(base, 'real'), out)
      if (state === 'is a link') symlinkSync(join(base, 'real'), out)
      if (state !== 'is not there') writeFileSync(join(out, 'mine'), 'mine')
      const sink = openSink()
      const content = packed(
        '.',
        tarFolder('.'),
        tarFile('./a', 'a'),
        tarFile('./sub/b', 'b'),
        tarLink('./sub/up', '../a'),
      )
      await pushAll(sink, content)
      expect(await sink.publish()).toEqual([{ path: `${out}/`, descriptor: content.descriptor }])
      expect([read('a'), read('sub/b'), read('sub/up')]).toEqual(['a', 'b', 'a'])
      expect(readdirSync(out).sort()).toEqual(state === 'is not there' ? ['a', 'sub'] : ['a', 'mine', 'sub'])
      expect(readdirSync(base)).toEqual(state === 'is a link' ? ['out', 'real'] : ['out'])
    },
  )

  test('does not unpack into an output folder that is there when nothing may be replaced', async () => {
    mkdirSync(out)
    const sink = openSink({ keepOldFiles: true })
    await expect(pushAll(sink, packed('.', tarFile('./a', 'a')))).rejects.toMatchObject({ code: 'already-exists' })
    expect(readdirSync(out)).toEqual([])
  })

  test('lets nothing out of the output folder that is in a folder packed from inside', async () => {
    mkdirSync(out)
    const sink = openSink()
    for (const entry of [tarFile('../evil', 'x'), tarFile('./../evil', 'x'), tarLink('./up', '..')]) {
      const pushing = pushAll(openSink(), packed('.', tarFile('./a', 'a'), entry))
      await expect(pushing).rejects.toMatchObject({ code: 'unsafe-path' })
    }
    await sink.discard()
    for (const each of sinks.splice(0)) await each.discard()
    expect(readdirSync(base)).toEqual(['out'])
    expect(readdirSync(out)).toEqual([])
  })

  test('gives back what a FileSource has packed', async () => {
    const source = new FileSource({ temporaryFolder: base })
    mkdirSync(join(base, 'in/empty'), { recursive: true })
    writeFileSync(join(base, 'in/run'), '#!', { mode: 0o755 })
    writeFileSync(join(base, 'single'), 'single')
    const sink = openSink()
    for (const name of ['in', 'single']) {
      const descriptor = await source.add(join(base, name), { name })
      await sink.push(descriptor, (offset) => source.fetch(descriptor, { offset }))
    }
    await sink.publish()
    await source.close()
    expect(readdirSync(join(out, 'in')).sort()).toEqual(['empty', 'run'])
    expect(statSync(join(out, 'in/run')).mode & 0o700).toBe(0o700)
    expect(read('single')).toBe('single')
  })

  test('gives files the mode that new files have', async () => {
    writeFileSync(join(base, 'probe'), '')
    const sink = openSink()
    await pushAll(sink, titled('a'))
    await sink.publish()
    expect(statSync(join(out, 'a')).mode).toBe(statSync(join(base, 'probe')).mode)
  })

  test('replaces files, and leaves their neighbours alone', async () => {
    mkdirSync(join(out, 'sub'), { recursive: true })
    writeFileSync(join(out, 'sub/a'), 'old')
    writeFileSync(join(out, 'sub/b'), 'neighbour')
    const sink = openSink()
    await pushAll(sink, titled('sub/a', 'new'))
    expect(read('sub/a')).toBe('old')
    await sink.publish()
    expect([read('sub/a'), read('sub/b')]).toEqual(['new', 'neighbour'])
    expect(readdirSync(join(out, 'sub')).sort()).toEqual(['a', 'b'])
  })

  test('replaces a link itself, and not what it leads to', async () => {
    mkdirSync(out)
    mkdirSync(join(base, 'elsewhere'))
    writeFileSync(join(base, 'elsewhere/victim'), 'untouched')
    symlinkSync('../elsewhere/victim', join(out, 'a'))
    symlinkSync('../elsewhere', join(out, 'd'))
    const sink = openSink()
    await pushAll(sink, titled('a', 'new'), packed('d', tarFile('d/victim', 'new')))
    await sink.publish()
    expect([read('a'), read('d/victim')]).toEqual(['new', 'new'])
    expect(lstatSync(join(out, 'd')).isDirectory()).toBe(true)
    expect(readFileSync(join(base, 'elsewhere/victim'), 'utf8')).toBe('untouched')
  })

  test('goes through a link that stays inside', async () => {
    mkdirSync(join(out, 'real'), { recursive: true })
    symlinkSync('real', join(out, 'link'))
    const sink = openSink()
    await pushAll(sink, titled('link/a', 'new'))
    await sink.publish()
    expect(read('real/a')).toBe('new')
  })

  test('writes below a folder that is a link itself', async () => {
    mkdirSync(join(base, 'real'))
    symlinkSync('real', out)
    const sink = openSink()
    await pushAll(sink, titled('sub/a', 'new'))
    expect(await sink.publish()).toMatchObject([{ path: join(out, 'sub/a') }])
    expect(readFileSync(join(base, 'real/sub/a'), 'utf8')).toBe('new')
  })

  test('merges a folder into one that is there', async () => {
    mkdirSync(join(out, 'd/sub'), { recursive: true })
    writeFileSync(join(out, 'd/sub/old'), 'old')
    writeFileSync(join(out, 'd/sub/both'), 'old')
    symlinkSync('nowhere', join(out, 'd/link'))
    const sink = openSink()
    const entries = [
      tarFile('d/sub/both', 'new'),
      tarFile('d/sub/new', 'new'),
      tarFile('d/link', 'new'),
      tarFile('d/x/y', 'new'),
    ]
    await pushAll(sink, packed('d', ...entries))
    await sink.publish()
    const paths = ['d/sub/old', 'd/sub/both', 'd/sub/new', 'd/link', 'd/x/y']
    expect(paths.map(read)).toEqual(['old', 'new', 'new', 'new', 'new'])
    expect(lstatSync(join(out, 'd/link')).isFile()).toBe(true)
    expect(readdirSync(out)).toEqual(['d'])
  })

  describe('content under several names', () => {
    const contents = Array.from({ length: 50 }, (_, index) => titled(`file${index}`, 'x'.repeat(1000)))
    const descriptors = contents.map(({ descriptor }) => descriptor)

    test('is counted for each before anything is fetched', async () => {
      const sink = openSink({ maxUnpackedSize: 48_999 })
      await sink.expect(descriptors)
      await expect(sink.requireSpace()).rejects.toMatchObject({ code: 'limit-exceeded' })
      const larger = openSink({ maxUnpackedSize: 49_000 })
      await larger.expect([...descriptors, titled('another', 'y'.repeat(100_000)).descriptor])
      await larger.requireSpace()
    })

    test('is refused where the file system has no room for it', async () => {
      const sink = openSink()
      const size = 2 ** 50
      await sink.expect(descriptors.map((descriptor) => ({ ...descriptor, size })))
      await expect(sink.requireSpace()).rejects.toThrow(`${50 * size} bytes are to be written`)
    })

    test('is one file where that is asked for', async () => {
      const sink = openSink({ hardLinks: true, maxUnpackedSize: 0 })
      await sink.expect(descriptors)
      await sink.requireSpace()
      await pushAll(sink, ...contents)
      const files = await sink.publish()
      expect(files).toHaveLength(50)
      expect(new Set(files.map(({ path }) => statSync(path).ino)).size).toBe(1)
    })
  })

  describe('lays no links together that lead out, where each pull alone does not', () => {
    const first = [tarLink('d/x/y/b', '../..')]
    const second = [tarLink('d/l', 'x/y/b/../../canary')]

    async function pull(...entries: readonly Uint8Array[]): Promise<void> {
      const sink = openSink()
      await pushAll(sink, packed('d', ...entries))
      await sink.publish()
    }

    test.each([
      ['one after the other', first, second],
      ['the other way round', second, first],
      ['in a chain', [tarLink('d/x/y/b', '../../c'), tarLink('d/c', '.')], [tarLink('d/l', 'x/y/b/../canary')]],
      ['in a folder that moves whole', first, [tarLink('d/new/l', '../x/y/b/../../canary')]],
      ['in the place of a file', [...first, tarFile('d/l', 'x')], second],
    ])('%s', async (_, before, after) => {
      await pull(...before)
      const snapshot = snapshotOf(base)
      await expect(pull(...after)).rejects.toMatchObject({ code: 'unsafe-path' })
      expect(snapshotOf(base)).toEqual(snapshot)
    })

    test('and blames no link of somebody else', async () => {
      await pull(tarFile('d/file', 'x'))
      symlinkSync('/etc', join(out, 'd/own'))
      await pull(tarLink('d/link', 'file'), tarFile('d/more', 'x'))
      expect(read('d/link')).toBe('x')
      await expect(pull(tarLink('d/through', 'own/passwd'))).rejects.toMatchObject({ code: 'unsafe-path' })
    })

    test('also when another process lays a link meanwhile', async () => {
      await pull(tarFile('d/file', 'x'))
      const sink = openSink()
      await pushAll(sink, packed('d', ...second))
      const checkBefore = vi.spyOn(MergedLinks.prototype, 'checkBefore').mockImplementationOnce(() => {
        mkdirSync(join(out, 'd/x/y'), { recursive: true })
        symlinkSync('../..', join(out, 'd/x/y/b'))
      })
      await expect(sink.publish()).rejects.toMatchObject({ code: 'unsafe-path' })
      expect(checkBefore).toHaveBeenCalledOnce()
      expect(existsSync(join(out, 'd/l'))).toBe(false)
    })
  })

  test('writes content that comes under several names to all of them, and fetches it once', async () => {
    const sink = openSink()
    const contents = [titled('a', 'same'), titled('sub/b', 'same'), titled('c', 'same')]
    await sink.expect(contents.map(({ descriptor }) => descriptor))
    let opened = 0
    const open: Content['open'] = (offset) => {
      opened++
      return inChunks(Buffer.from('same'), 2)(offset)
    }
    await Promise.all(contents.map(({ descriptor }) => sink.push(descriptor, open)))
    expect(opened).toBe(1)
    expect((await sink.publish()).map(({ path }) => readFileSync(path, 'utf8'))).toEqual(['same', 'same', 'same'])
    expect(new Set(['a', 'sub/b', 'c'].map((path) => statSync(join(out, path)).ino)).size).toBe(3)
  })

  test('keeps an archive as it is and unpacks it, where it comes both ways', async () => {
    const folder = packed('d', tarFile('d/a', 'a'))
    const plain = { ...folder, descriptor: { ...folder.descriptor, annotations: { [Annotation.title]: 'd.tgz' } } }
    const sink = openSink()
    await pushAll(sink, folder, plain)
    await sink.publish()
    expect(read('d/a')).toBe('a')
    expect(readFileSync(join(out, 'd.tgz')).equals(folder.bytes)).toBe(true)
  })

  test('knows what it has', async () => {
    const sink = openSink()
    const [first, second] = [titled('a', 'same'), titled('b', 'same')]
    await sink.expect([first.descriptor])
    expect(await sink.has(first.descriptor)).toBe(false)
    await sink.push(first.descriptor, first.open)
    expect(await sink.has(first.descriptor)).toBe(true)
    await sink.expect([second.descriptor])
    expect(await sink.has(first.descriptor)).toBe(false)
    await sink.push(second.descriptor, second.open)
    expect(await sink.has(second.descriptor)).toBe(true)
  })

  test('takes the same title with the same content twice', async () => {
    const sink = openSink()
    await pushAll(sink, titled('a', 'same'), titled('a', 'same'))
    expect(await sink.publish()).toHaveLength(1)
  })

  test('looks at manifests, and keeps none', async () => {
    const sink = openSink()
    const content = manifest({ layers: [] })
    await pushAll(sink, emptyConfig, content)
    expect(await sink.has(content.descriptor)).toBe(true)
    await sink.tag(content.descriptor, 'v1')
    await expect(sink.tag(manifest().descriptor, 'v1')).rejects.toMatchObject({ code: 'not-found' })
    expect(await sink.publish()).toEqual([])
    expect(readdirSync(base)).toEqual([])
  })

  test('refuses large content without a title', async () => {
    const content = contentOf(MediaType.imageLayer, Buffer.alloc(4 * 1024 * 1024 + 1))
    await expect(openSink().push(content.descriptor, content.open)).rejects.toMatchObject({ code: 'unsupported' })
  })

  test('reports progress by absolute offsets', async () => {
    const sink = openSink()
    const { descriptor } = titled('a', 'content')
    const offsets: number[] = []
    await sink.push(descriptor, inChunks(Buffer.from('content'), 3), { onProgress: (offset) => offsets.push(offset) })
    expect(offsets).toEqual([3, 6, 7])
  })
})

describe('FileSink, before anything is fetched,', () => {
  const link = (): void => {
    mkdirSync(join(base, 'out-sib'))
    mkdirSync(join(base, 'elsewhere'))
    mkdirSync(out)
    writeFileSync(join(base, 'elsewhere/victim'), 'untouched')
    symlinkSync('../elsewhere', join(out, 'away'))
    symlinkSync('../out-sib', join(out, 'sib'))
    symlinkSync('nowhere', join(out, 'dangling'))
    symlinkSync('loop', join(out, 'loop'))
  }

  test.each([
    ['../x', /path traversal disallowed: "\.\.\/x" has the part "\.\."$/],
    ['/abs', /path traversal disallowed: "\/abs" is absolute$/],
    ['a/../../x', /path traversal disallowed/],
    ['C:x', /path traversal disallowed/],
    ['..\\x', /path traversal disallowed/],
    ['a\0b', /: the name "a\\u\{0\}b" has control characters$/],
    ['\u001b[2J\u202e', /"\\u\{1b\}\[2J\\u\{202e\}"/],
    ['.', /has the part "\."$/],
    ['nul', /is reserved on Windows$/],
    ['away/secret.txt', /path traversal disallowed: "away\/secret.txt" leads out of .*\/out through a link$/],
    ['away/new/secret.txt', /path traversal disallowed/],
    ['sib/x', /path traversal disallowed: "sib\/x" leads out of/],
    ['dangling/x', /path traversal disallowed: "dangling\/x" passes through the link .*, which leads nowhere$/],
    ['loop/x', /path traversal disallowed/],
  ])('refuses the title %j', async (title, message) => {
    link()
    const before = snapshotOf(base)
    const sink = openSink()
    const good = titled('good')
    await expect(sink.expect([good.descriptor, titled(title).descriptor])).rejects.toMatchObject({
      code: 'unsafe-path',
      message: expect.stringMatching(/^failed to resolve path for writing/),
    })
    await expect(sink.expect([titled(title).descriptor])).rejects.toThrow(message)
    expect(snapshotOf(base)).toEqual(before)
  })

  test.each([
    ['A', 'a', '"a" is a name that some systems cannot tell from "A"'],
    ['caf\u00e9', 'cafe\u0301', 'some systems cannot tell'],
    ['Dir/a', 'dir/A', 'some systems cannot tell'],
    ['A', 'a/b', '"A" is the parent of "a/b"'],
  ])(
    'takes the titles %j and %j together only where the file system can tell them apart',
    async (first, second, message) => {
      const sink = openSink()
      const contents = [titled(first), titled(second)]
      const expected = sink.expect(contents.map(({ descriptor }) => descriptor))
      mkdirSync(join(base, 'trial'))
      if (!tellsNamesApart(join(base, 'trial'))) {
        await expect(expected).rejects.toMatchObject({ code: 'unsafe-path', message: expect.stringContaining(message) })
        return
      }
      await expected
      await pushAll(sink, ...contents)
      await sink.publish()
      expect([first, second].map(read)).toEqual([`content of ${first}`, `content of ${second}`])
    },
  )

  test.each([
    ['./a', 'a'],
    ['a//b', 'a/b'],
    ['a/./b', 'a/b'],
    ['dir/', 'dir'],
    ['.//./x/.', 'x'],
  ])('takes the title %j for %j', async (title, path) => {
    const sink = openSink()
    await pushAll(sink, titled(title, 'content'))
    expect(await sink.publish()).toMatchObject([{ path: join(out, path) }])
    expect(read(path)).toBe('content')
  })

  test.each(['./../x', 'a/.././../x', './/abs/../../../x', '/./abs'])('still refuses the title %j', async (title) => {
    await expect(openSink().expect([titled(title).descriptor])).rejects.toMatchObject({ code: 'unsafe-path' })
  })

  test('takes one title in two spellings for the same', async () => {
    const sink = openSink()
    await sink.expect([titled('a', 'x').descriptor, titled('./a', 'x').descriptor])
    await expect(sink.expect([titled('a/', 'y').descriptor])).rejects.toMatchObject({ code: 'conflict' })
  })

  test('unpacks a folder whose title has detours', async () => {
    const sink = openSink()
    await pushAll(sink, packed('./d/', tarFile('d/x', 'new'), tarFile('./d/y', 'new')))
    await sink.publish()
    expect(['d/x', 'd/y'].map(read)).toEqual(['new', 'new'])
  })

  test.each([
    ['a', 'a/b', '"a" is the parent of "a/b"'],
    ['a/b/c', 'a', '"a" is the parent of "a/b/c"'],
  ])('refuses the titles %j and %j together', async (first, second, message) => {
    const sink = openSink()
    const contents = [titled(first), titled(second)]
    await expect(sink.expect(contents.map(({ descriptor }) => descriptor))).rejects.toMatchObject({
      code: 'unsafe-path',
      message: expect.stringContaining(message),
    })
  })

  test('takes different names in one folder', async () => {
    const titles = ['dir/a', 'dir/b', 'dir2', 'dirx/a', 'd']
    await openSink().expect(titles.map((title) => titled(title).descriptor))
  })

  test('refuses one title with two contents', async () => {
    const sink = openSink()
    await expect(sink.expect([titled('f.txt', '1').descriptor, titled('f.txt', '2').descriptor])).rejects.toMatchObject(
      {
        code: 'conflict',
        message: 'f.txt: duplicate name',
      },
    )
  })

  test.each(['a', 'link', 'd'])('keeps old files when asked to: %s', async (title) => {
    mkdirSync(join(out, 'd'), { recursive: true })
    writeFileSync(join(out, 'a'), 'old')
    symlinkSync('nowhere', join(out, 'link'))
    const content = title === 'd' ? packed('d', tarFile('d/x')) : titled(title)
    await expect(openSink({ keepOldFiles: true }).expect([content.descriptor])).rejects.toMatchObject({
      code: 'already-exists',
      message: `failed to resolve path for writing: overwrite disallowed: ${title}`,
    })
    await openSink({ keepOldFiles: true }).expect([titled('new').descriptor, titled('d/new').descriptor])
  })

  test.each<[string, () => Content, RegExp]>([
    ['a folder in the place of a file', () => titled('d'), /cannot write .*\/d: it is a folder$/],
    ['a file in the place of a folder', () => packed('a', tarFile('a/x')), /a file is in the place of the folder$/],
    ['a file in the place of a parent', () => titled('a/b'), /cannot create .*\/a: it is not a folder$/],
    ['a file in the place of a far parent', () => titled('a/b/c'), /not a directory|not a folder/],
  ])('refuses %s', async (_what, content, message) => {
    mkdirSync(join(out, 'd'), { recursive: true })
    writeFileSync(join(out, 'a'), 'old')
    await expect(openSink().expect([content().descriptor])).rejects.toMatchObject({
      code: 'file-error',
      message: expect.stringMatching(message),
    })
  })

  test('takes names that lead out when asked to, and nothing that is no name', async () => {
    link()
    const sink = openSink({ allowPathTraversal: true })
    const absolute = join(base, 'abs/x')
    const contents = [titled('../beside', '1'), titled(absolute, '2'), titled('away/x', '3'), titled('aux', '4')]
    await pushAll(sink, ...contents, packed('../d', tarFile('../d/f', '5')))
    const paths = (await sink.publish()).map(({ path }) => path)
    expect(paths).toEqual([
      join(base, 'beside'),
      absolute,
      join(out, 'away/x'),
      join(out, 'aux'),
      `${join(base, 'd')}/`,
    ])
    const written = ['beside', 'abs/x', 'elsewhere/x', 'out/aux', 'd/f'].map((path) =>
      readFileSync(join(base, path), 'utf8'),
    )
    expect(written).toEqual(['1', '2', '3', '4', '5'])
    for (const title of ['a\0b', 'a\nb', 'n'.repeat(256)]) {
      await expect(openSink({ allowPathTraversal: true }).expect([titled(title).descriptor])).rejects.toMatchObject({
        code: 'unsafe-path',
      })
    }
  })

  test('takes names that mean something else on Windows when asked to', async () => {
    const sink = openSink({ allowUnportableNames: true })
    await pushAll(sink, titled('nul'), packed('dd:1', tarFile('dd:1/aux', 'a')))
    await sink.publish()
    expect(read('dd:1/aux')).toBe('a')
    await expect(sink.expect([titled('C:x').descriptor])).rejects.toMatchObject({ code: 'unsafe-path' })
  })
})

describe('FileSink, when something fails,', () => {
  function layOut(): void {
    mkdirSync(join(out, 'd/sub'), { recursive: true })
    writeFileSync(join(out, 'a'), 'old')
    writeFileSync(join(out, 'd/x'), 'old')
    writeFileSync(join(out, 'd/sub/y'), 'old')
  }

  async function* failing(): AsyncGenerator<Uint8Array, void, undefined> {
    yield Buffer.from('half')
    throw new Error('connection reset')
  }

  const wrong = (content: Content, bytes: Uint8Array): Content => ({ ...content, open: inChunks(bytes, 3) })
  const bad: [string, () => Content, object][] = [
    ['wrong bytes', () => wrong(titled('b', 'right'), Buffer.from('wrong')), { code: 'digest-mismatch' }],
    ['too few bytes', () => wrong(titled('b', 'right'), Buffer.from('righ')), { code: 'size-mismatch' }],
    ['too many bytes', () => wrong(titled('b', 'right'), Buffer.from('right!')), { code: 'size-mismatch' }],
    ['a broken connection', () => ({ ...titled('b'), open: failing }), { message: 'connection reset' }],
    ['an archive that escapes', () => packed('d', tarFile('d/../evil')), { code: 'unsafe-path' }],
    [
      'an archive that passes through a link',
      () => packed('d', tarLink('d/l', 'sub'), tarFile('d/l/x')),
      { code: 'unsafe-path' },
    ],
    ['no archive', () => titled('d', 'no archive', { [Annotation.unpack]: 'true' }), { code: 'invalid-content' }],
    [
      'an archive with another content digest',
      () => {
        const content = packed('d', tarFile('d/x'))
        const annotations = { ...content.descriptor.annotations, [Annotation.unpackedDigest]: digestOf('other') }
        return { ...content, descriptor: { ...content.descriptor, annotations } }
      },
      { code: 'digest-mismatch', message: expect.stringMatching(/^content digest mismatch/) },
    ],
  ]

  test.each(bad)('as with %s, changes nothing', async (_what, content, expected) => {
    layOut()
    const before = snapshotOf(base)
    const sink = openSink()
    await expect(pushAll(sink, titled('a', 'new'), content())).rejects.toMatchObject(expected)
    await sink.discard()
    expect(snapshotOf(base)).toEqual(before)
  })

  test('can receive the same content once more', async () => {
    const sink = openSink()
    const content = titled('a', 'right')
    await expect(sink.push(content.descriptor, inChunks(Buffer.from('wrong'), 9))).rejects.toThrow('digest mismatch')
    expect(await sink.has(content.descriptor)).toBe(false)
    await sink.push(content.descriptor, content.open)
    await sink.publish()
    expect(read('a')).toBe('right')
  })

  test('passes over a content digest that cannot be read', async () => {
    const content = packed('d', tarFile('d/x', 'x'))
    const annotations = { ...content.descriptor.annotations, [Annotation.unpackedDigest]: 'md5:123' }
    const sink = openSink()
    await pushAll(sink, { ...content, descriptor: { ...content.descriptor, annotations } })
    await sink.publish()
    expect(read('d/x')).toBe('x')
  })

  test('refuses to publish what did not arrive', async () => {
    const sink = openSink()
    await sink.expect([titled('a').descriptor])
    await expect(sink.publish()).rejects.toMatchObject({
      code: 'not-found',
      message: 'a was expected and not received',
    })
    expect(readdirSync(base)).toEqual([])
  })

  test.each<[string, () => void, object]>([
    [
      'a file stands where a folder has to go',
      () => {
        writeFileSync(join(out, 'd/new'), 'in the way')
      },
      { code: 'file-error', message: expect.stringMatching(/a file is in the place of the folder$/) },
    ],
    [
      'a folder stands where a file has to go',
      () => {
        mkdirSync(join(out, 'd/file'))
      },
      { code: 'file-error', message: expect.stringMatching(/it is a folder$/) },
    ],
    [
      'a link stands where a folder has to go',
      () => {
        symlinkSync('sub', join(out, 'd/new'))
      },
      { code: 'unsafe-path', message: expect.stringMatching(/a link is in the place of the folder$/) },
    ],
  ])('publishes nothing, as when %s', async (_what, change, expected) => {
    layOut()
    change()
    const before = snapshotOf(base)
    const sink = openSink()
    const entries = [tarFile('d/x', 'new'), tarFile('d/file', 'new'), tarFile('d/new/z', 'new')]
    await pushAll(sink, titled('a', 'new'), packed('d', ...entries), titled('e', 'new'))
    await expect(sink.publish()).rejects.toMatchObject(expected)
    expect(snapshotOf(base)).toEqual(before)
  })

  test.each([
    ['leads out', 'moved', { code: 'unsafe-path', message: expect.stringContaining('path traversal disallowed') }],
    ['leads elsewhere', 'out/moved', { code: 'conflict' }],
  ])('publishes nothing when a folder on the way becomes a link that %s', async (_what, to, expected) => {
    layOut()
    const sink = openSink()
    await pushAll(sink, titled('a', 'new'), titled('d/sub/y', 'new'))
    renameSync(join(out, 'd/sub'), join(base, to))
    symlinkSync(join(base, to), join(out, 'd/sub'))
    await expect(sink.publish()).rejects.toMatchObject(expected)
    expect([read('a'), read('d/sub/y')]).toEqual(['old', 'old'])
  })

  test.runIf(process.getuid?.() !== 0)('takes everything back when a later file cannot be moved', async () => {
    layOut()
    chmodSync(join(out, 'd/sub'), 0o500)
    const before = snapshotOf(base)
    const sink = openSink()
    await pushAll(sink, titled('a', 'new'), packed('d', tarFile('d/x', 'new'), tarFile('d/sub/y', 'new')))
    await expect(sink.publish()).rejects.toMatchObject({ code: 'file-error' })
    expect(snapshotOf(base)).toEqual(before)
  })

  test('stops when the signal fires', async () => {
    const controller = new AbortController()
    const { signal } = controller
    const sink = openSink()
    async function* content(): AsyncGenerator<Uint8Array, void, undefined> {
      yield Buffer.from('content')
      controller.abort()
      yield Buffer.from(' of a')
    }
    await expect(sink.push(titled('a').descriptor, content, { signal })).rejects.toMatchObject({ code: 'aborted' })
    await expect(sink.has(titled('a').descriptor, { signal })).rejects.toMatchObject({ code: 'aborted' })
    await sink.discard()
    expect(readdirSync(base)).toEqual([])
  })

  test('bounds the size of all folders together', async () => {
    const sink = openSink({ maxUnpackedSize: 1000 })
    await pushAll(sink, packed('a', tarFile('a/x', 'x'.repeat(600))))
    await expect(pushAll(sink, packed('b', tarFile('b/x', 'x'.repeat(600))))).rejects.toMatchObject({
      code: 'limit-exceeded',
    })
  })

  test('sweeps what a process that was killed has left behind', async () => {
    mkdirSync(out)
    const abandoned = `.gantry-4194305-${'0'.repeat(8)}-1-11111111-1111-4111-8111-111111111111.tmp`
    mkdirSync(join(out, abandoned))
    const mine = openSink()
    await pushAll(mine, titled('a'))
    const [name = ''] = readdirSync(out).filter((entry) => entry !== abandoned)
    // The same process space, and a process that is no more.
    const dead = name.replace(/^\.gantry-\d+-([0-9a-f]+)-\d+-/, '.gantry-4194305-$1-1-')
    mkdirSync(join(out, dead, 'content'), { recursive: true })
    await mine.discard()
    const next = openSink()
    await pushAll(next, titled('a'))
    await next.publish()
    expect(readdirSync(out).sort()).toEqual([abandoned, 'a'])
  })
})

describe('two sinks at once', () => {
  test('publish whole files, and the last one stays', async () => {
    const sinks = Array.from({ length: 5 }, () => openSink())
    const contents = sinks.map((_sink, index) => titled('a', `content ${index}`.repeat(10_000)))
    await Promise.all(sinks.map((sink, index) => pushAll(sink, contents[index]!)))
    await Promise.all(sinks.map((sink) => sink.publish()))
    expect(contents.map(({ bytes }) => Buffer.from(bytes).toString())).toContain(read('a'))
    expect(readdirSync(base)).toEqual(['out'])
    expect(readdirSync(out)).toEqual(['a'])
  })
})

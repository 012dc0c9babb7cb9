import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findCycle, importsOf, isBarrel, readSourceFiles, resolveImport } from './architecture/import-graph.js'
import type { SourceFile } from './architecture/import-graph.js'

const belowIndexAndClient = ['image', 'artifact', 'graph', 'credentials', 'registry', 'store', 'oci', 'util', 'errors']
const belowClient = ['promotion', 'signature', ...belowIndexAndClient]
const belowIndex = ['server', ...belowIndexAndClient]

/** Who may import whom: a room is a folder directly below `src`, or a file there. A name with a slash is one file. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  errors: ['util'],
  util: ['errors'],
  oci: ['util', 'errors'],
  store: ['oci', 'util', 'errors'],
  registry: ['store', 'oci', 'util', 'errors'],
  credentials: ['util', 'errors', 'registry/auth/credential.ts'],
  graph: ['store', 'oci', 'util', 'errors'],
  artifact: ['graph', 'store', 'oci', 'util', 'errors'],
  image: ['graph', 'store', 'oci', 'util', 'errors'],
  signature: ['graph', 'store', 'oci', 'util', 'errors'],
  promotion: ['signature', 'artifact', 'graph', 'store', 'oci', 'util', 'errors'],
  server: ['store', 'oci', 'util', 'errors'],
  client: belowClient,
  index: ['client', ...belowIndex],
  'entry-points': ['client', 'signature', ...belowIndex],
  cli: ['index', 'client', 'server', ...belowClient],
}

/** Libraries that belong to one room: what a terminal needs stays out of the library, what a network needs in one place. */
const libraryRooms: Readonly<Record<string, readonly string[]>> = {
  '@napi-rs/keyring': ['credentials'],
  '@noble/ciphers': ['signature'],
  '@sigstore/bundle': ['signature'],
  '@sigstore/protobuf-specs': ['signature'],
  '@sigstore/verify': ['signature'],
  bcryptjs: ['server'],
  chalk: ['cli'],
  libdeflate: ['store'],
  ora: ['cli'],
  'tar-stream': ['store', 'image'],
  undici: ['registry'],
}

/** The specs as types and pure functions do no input or output. */
const pureRooms = ['oci']
const inputOutputModules = /^node:(fs|fs\/promises|http|https|net|tls|dns|child_process|worker_threads|process|os)$/

const forbiddenFileName = /^(utils?|helpers?|types?|common|misc|shared)\.ts$|-(manager|service|handler|utils?)\.ts$/
const kebabCase = /^[a-z0-9]+(-[a-z0-9]+)*(\.d)?\.ts$/
/** Node's own word for what answers the requests of an HTTP server. */
const allowedFileNames = ['registry-handler.ts']
const maximumLines = 300

const sourceFolder = join(import.meta.dirname, '../src')
const files = readSourceFiles(sourceFolder)

function roomOf(path: string): string {
  return (path.split('/')[0] ?? path).replace(/\.ts$/, '')
}

function wrongImportsOf(file: SourceFile): string[] {
  const room = roomOf(file.path)
  const allowed = mayImport[room]
  if (allowed === undefined) return [`${file.path}: no room called "${room}" in the table`]
  return importsOf(file).flatMap(({ specifier, line }) => {
    const target = resolveImport(file.path, specifier)
    const isAllowed = target === undefined ? mayUse(room, specifier) : mayReach(room, allowed, target)
    return isAllowed ? [] : [`${file.path}:${line} imports ${specifier}`]
  })
}

function mayReach(room: string, allowed: readonly string[], target: string): boolean {
  return roomOf(target) === room || allowed.includes(roomOf(target)) || allowed.includes(target)
}

function mayUse(room: string, specifier: string): boolean {
  if (specifier === '<computed>') return false
  if (pureRooms.includes(room) && inputOutputModules.test(specifier)) return false
  const name = specifier.startsWith('@') ? specifier.split('/').slice(0, 2).join('/') : (specifier.split('/')[0] ?? '')
  const rooms = libraryRooms[name]
  return rooms === undefined || rooms.includes(room)
}

describe('the source', () => {
  test('is found', () => {
    expect(files.length).toBeGreaterThan(15)
  })

  test('imports only what the table allows', () => {
    expect(files.flatMap(wrongImportsOf)).toEqual([])
  })

  test('imports only files that are there', () => {
    const paths = new Set(files.map((file) => file.path))
    const missing = files.flatMap((file) =>
      importsOf(file).flatMap(({ specifier, line }) => {
        const target = resolveImport(file.path, specifier)
        return target === undefined || paths.has(target) ? [] : [`${file.path}:${line} imports ${specifier}`]
      }),
    )
    expect(missing).toEqual([])
  })

  test('has no cycles between files', () => {
    expect(findCycle(files)).toBeUndefined()
  })

  test('has no barrels but the entry points', () => {
    const isEntryPoint = (path: string): boolean => path === 'index.ts' || path.startsWith('entry-points/')
    expect(files.filter(isBarrel).map((file) => file.path)).toEqual(files.map((file) => file.path).filter(isEntryPoint))
    expect(files.filter((file) => file.path.endsWith('/index.ts'))).toEqual([])
  })

  test('has files named after what they export', () => {
    const names = files.map((file) => file.path.split('/').at(-1) ?? '')
    const wrong = names.filter((name) => forbiddenFileName.test(name) || !kebabCase.test(name))
    expect(wrong.filter((name) => !allowedFileNames.includes(name))).toEqual([])
  })

  test(`has no file above ${maximumLines} lines`, () => {
    const long = files.filter((file) => file.text.trimEnd().split('\n').length > maximumLines)
    expect(long.map((file) => file.path)).toEqual([])
  })
})

describe('the checks themselves', () => {
  const cases: [string, string, string, number][] = [
    ['a static import', 'graph/copy.ts', "import { Repository } from '../registry/repository.js'", 1],
    ['a type import', 'graph/copy.ts', "import type { Repository } from '../registry/repository.js'", 1],
    ['an import type', 'graph/copy.ts', "let x: import('../registry/repository.js').Repository", 1],
    ['a dynamic import', 'graph/copy.ts', "await import('../registry/repository.js')", 1],
    ['a re-export', 'graph/copy.ts', "export * from '../registry/repository.js'", 1],
    ['a named re-export', 'graph/copy.ts', "export { Repository } from '../registry/repository.js'", 1],
    ['a computed import', 'graph/copy.ts', 'await import(name)', 1],
    ['a worker', 'graph/copy.ts', "new Worker(new URL('../registry/worker.js', import.meta.url))", 1],
    ['the CLI and the files themselves', 'cli/main.ts', "import { copy } from '../graph/copy.js'", 0],
    ['the library importing the CLI', 'store/store.ts', "import '../cli/main.js'", 1],
    ['the library importing its own front', 'store/store.ts', "import '../index.js'", 1],
    ['input and output in the specs', 'oci/digest.ts', "import { readFile } from 'node:fs/promises'", 1],
    ['a terminal library in the library', 'store/store.ts', "import chalk from 'chalk'", 1],
    ['a part of a library of another room', 'store/store.ts', "import Agent from 'undici/lib/dispatcher/agent.js'", 1],
    ['an unknown room', 'other/thing.ts', '', 1],
    ['credentials reaching into authentication', 'credentials/a.ts', "import '../registry/auth/token.js'", 1],
    ['credentials and their type', 'credentials/a.ts', "import '../registry/auth/credential.js'", 0],
    ['a deep import of another room', 'image/append.ts', "import '../artifact/attach.js'", 1],
    ['the same room', 'registry/http/retry.ts', "import '../auth/token.js'", 0],
    ['Node', 'store/layout.ts', "import { open } from 'node:fs/promises'", 0],
  ]
  test.each(cases)('see %s', (_name, path, text, expected) => {
    expect(wrongImportsOf({ path, text })).toHaveLength(expected)
  })

  test('see a cycle, also through types and dynamic imports', () => {
    const cycle = findCycle([
      { path: 'oci/a.ts', text: "import type { B } from './b.js'" },
      { path: 'oci/b.ts', text: "await import('../util/c.js')" },
      { path: 'util/c.ts', text: "export * from '../oci/a.js'" },
    ])
    expect(cycle).toEqual(['oci/a.ts', 'oci/b.ts', 'util/c.ts', 'oci/a.ts'])
  })

  test('see a barrel', () => {
    expect(isBarrel({ path: 'oci/all.ts', text: "export * from './digest.js'\nexport { x } from './x.js'" })).toBe(true)
    expect(isBarrel({ path: 'oci/a.ts', text: "export * from './digest.js'\nexport const x = 1" })).toBe(false)
  })

  test.each(['utils.ts', 'helpers.ts', 'types.ts', 'common.ts', 'tag-manager.ts', 'request-handler.ts'])(
    'see the name %s',
    (name) => {
      expect(forbiddenFileName.test(name)).toBe(true)
    },
  )

  test.each(['media-types.ts', 'credential-helper.ts', 'common-prefix.ts'])('accept the name %s', (name) => {
    expect(forbiddenFileName.test(name)).toBe(false)
  })
})

import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { importsOf } from './architecture/import-graph.js'

const folder = join(import.meta.dirname, '..')
const read = (path: string): string => readFileSync(join(folder, path), 'utf8')

interface EntryPoint {
  readonly types: string
  readonly default: string
}

interface PackageManifest {
  readonly exports: Readonly<Record<string, EntryPoint | string>>
  readonly name: string
  readonly version: string
  readonly license: string
  readonly engines: Readonly<Record<string, string>>
  readonly bin: Readonly<Record<string, string>>
  readonly scripts: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly optionalDependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
}

interface LockEntry {
  readonly version: string
  readonly resolved?: string
  readonly integrity?: string
  readonly link?: boolean
  readonly dev?: boolean
  readonly hasInstallScript?: boolean
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

const manifest = JSON.parse(read('package.json')) as PackageManifest
const lock = JSON.parse(read('package-lock.json')) as {
  lockfileVersion: number
  packages: Record<string, LockEntry>
}
const locked = Object.entries(lock.packages).filter(([path]) => path !== '')

/** Packages that would run something when they are installed; all of them work without it. */
const scriptsThatAreNotRun = [
  // Puts its own program in the place of its launcher, which only saves time.
  'node_modules/esbuild',
]

/** What can be imported, without the prefix of the package. */
const exported = Object.fromEntries(
  Object.entries(manifest.exports).filter((entry): entry is [string, EntryPoint] => typeof entry[1] === 'object'),
)
const entryPoints = Object.values(exported).map((entry) => entry.default.slice('./dist/'.length, -'.js'.length))
const isOfTheLibrary = (name: string): boolean =>
  /^library-\w+\.js$/.test(name) || entryPoints.some((entry) => name === `${entry}.js`)

describe('the lock file', () => {
  test('has the version that records digests', () => {
    expect(lock.lockfileVersion).toBe(3)
  })

  test('pins every package by a SHA-512 digest', () => {
    expect(locked.length).toBeGreaterThan(100)
    expect(locked.filter(([, { integrity }]) => !/^sha512-[\w+/]{86}==$/.test(integrity ?? ''))).toEqual([])
  })

  test('names no address and no folder', () => {
    expect(locked.filter(([, entry]) => entry.resolved !== undefined || entry.link === true)).toEqual([])
  })

  test('has no package that runs something when it is installed', () => {
    const scripts = locked.filter(([, { hasInstallScript }]) => hasInstallScript === true)
    expect(scripts.map(([path]) => path)).toEqual(scriptsThatAreNotRun)
    expect(scripts.every(([, { dev }]) => dev === true)).toBe(true)
  })

  test('has the packages of every platform, without which nothing is installed anywhere', () => {
    const missing = locked.flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) => !(`${path}/node_modules/${name}` in lock.packages) && !(`node_modules/${name}` in lock.packages),
      ),
    )
    expect(missing).toEqual([])
  })

  test('agrees with package.json', () => {
    const { dependencies, devDependencies, optionalDependencies } = manifest
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })) {
      expect(lock.packages[`node_modules/${name}`]?.version, name).toBe(version)
    }
  })
})

describe('package.json', () => {
  test('pins every dependency exactly', () => {
    const { dependencies, devDependencies, optionalDependencies } = manifest
    const versions = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })
    expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([])
  })

  test('runs nothing when it is installed', () => {
    const names = ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish']
    expect(names.filter((name) => name in manifest.scripts)).toEqual([])
  })

  test('asks for what the build compiles to', () => {
    expect(manifest.engines).toEqual({ node: '>=20.18.1' })
    expect(read('scripts/build.js')).toContain("target: 'node20.18'")
  })

  test('has settings beside it that keep installing safe', () => {
    expect(read('.npmrc').trim().split('\n').sort()).toEqual([
      'ignore-scripts=true',
      'omit-lockfile-registry-resolved=true',
      'save-exact=true',
    ])
  })

  test('names programs that can be run', () => {
    for (const path of Object.values(manifest.bin)) {
      expect(read(path)).toMatch(/^#!\/usr\/bin\/env node\n/)
      expect(statSync(join(folder, path)).mode & 0o111, path).toBe(0o111)
    }
  })

  test('has a reason for each dependency in CONTRIBUTING.md', () => {
    const reasons = read('CONTRIBUTING.md')
    const { dependencies, devDependencies, optionalDependencies } = manifest
    const names = Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies })
    expect(names.filter((name) => !new RegExp(`^\\| \`${name}\` +\\|`, 'm').test(reasons))).toEqual([])
  })
})

describe('what was built', () => {
  const packagesOf = (path: string): string[] => {
    const names = importsOf({ path, text: read(path) }).map(({ specifier }) => specifier)
    const packages = names.filter(
      (name) => !name.startsWith('.') && !builtinModules.includes(name.replace(/^node:/, '')),
    )
    return [
      ...new Set(
        packages.map((name) =>
          name
            .split('/')
            .slice(0, name.startsWith('@') ? 2 : 1)
            .join('/'),
        ),
      ),
    ].sort()
  }

  test('the library imports the dependencies, all of them, and nothing else', () => {
    const library = readdirSync(join(folder, 'dist')).filter((name) => isOfTheLibrary(name))
    expect(library.length).toBeGreaterThan(entryPoints.length)
    expect([...new Set(library.flatMap((name) => packagesOf(`dist/${name}`)))].sort()).toEqual(
      Object.keys(manifest.dependencies).sort(),
    )
  })

  test.each(['dist/gzip-worker.js', 'dist/public-suffixes.js', 'dist/socks-client.js'])(
    '%s needs nothing that is not optional',
    (path) => {
      const optional = Object.keys(manifest.optionalDependencies)
      expect(packagesOf(path).filter((name) => !optional.includes(name))).toEqual([])
    },
  )

  test('the files of the program need each other, modules of Node.js, and what is optional', () => {
    const names = readdirSync(join(folder, 'dist/cli')).filter((name) => name.endsWith('.cjs'))
    const joined = [...read('dist/cli/start.cjs').matchAll(/^"\.\/([\w-]+\.cjs)":|\{"\.\/([\w-]+\.cjs)":\(function/gm)]
    const modules = [...names, ...joined.flatMap(([, ...found]) => found)]
    const asked = names.flatMap((name) =>
      [...read(`dist/cli/${name}`).matchAll(/\brequire\("([^"]+)"\)/g)].map(([, asked = '']) => asked),
    )
    expect(asked.length).toBeGreaterThan(names.length)
    const others = asked.filter((name) => !(name.startsWith('./') && modules.includes(name.slice(2))))
    const packages = others.filter((name) => !builtinModules.includes(name.replace(/^node:/, '')))
    expect([...new Set(packages)]).toEqual(Object.keys(manifest.optionalDependencies))
  })

  test('the licences of what is inside go along', () => {
    const licences = read('dist/THIRD-PARTY-LICENSES.txt')
    for (const name of ['libdeflate', 'undici']) expect(licences).toMatch(new RegExp(`^${name} \\d`, 'm'))
  })
})

describe('what is published', () => {
  const [packed] = JSON.parse(
    execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  ) as [{ files: { path: string; mode: number }[]; unpackedSize: number }]
  const paths = packed.files.map(({ path }) => path)

  test('is exactly this', () => {
    expect(
      paths.filter((path) => !/^dist\/(types\/|library-\w+\.js$|cli\/[\w-]+\.(cjs|js\.LEGAL\.txt)$)/.test(path)).sort(),
    ).toEqual(
      [
        ...['CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md', 'package.json'],
        ...['bin/docker-credential-gantry.js', 'bin/gantry.js', 'bin/package.json'],
        ...['dist/THIRD-PARTY-LICENSES.txt', 'dist/cli.cjs'],
        ...['dist/gzip-worker.js', 'dist/public-suffixes.js', 'dist/socks-client.js'],
        ...entryPoints.map((name) => `dist/${name}.js`),
      ].sort(),
    )
  })

  test('has declarations of the library, and of nothing else', () => {
    const types = paths.filter((path) => path.startsWith('dist/types/'))
    expect(types).toEqual(expect.arrayContaining(Object.values(exported).map((entry) => entry.types.slice(2))))
    expect(types.filter((path) => !path.endsWith('.d.ts') || path.includes('/cli/'))).toEqual([])
  })

  test('is small', () => {
    expect(packed.unpackedSize).toBeLessThan(4_000_000)
  })
})

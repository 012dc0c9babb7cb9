// Builds dist: what of the CLI is loaded at every start, and all the rest of it with its libraries inside; the library
// with its entry points, and its dependencies outside; the worker that both start, and the type declarations. `--no-types` leaves the
// declarations out.
import { spawn } from 'node:child_process'
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { build } from 'esbuild'
import { packagesIn, thirdPartyLicences } from './licences.js'
import { programFiles } from './program-files.js'

const root = join(import.meta.dirname, '..')
const dist = join(root, 'dist')
const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
const optional = Object.keys(manifest.optionalDependencies ?? {})
const runtime = [...Object.keys(manifest.dependencies ?? {}), ...optional]

/** What is compiled into every file. */
const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20.18',
  format: 'esm',
  define: { GANTRY_VERSION: JSON.stringify(manifest.version) },
  metafile: true,
  write: false,
  legalComments: 'external',
  // The form for Node.js asks for its parts while it runs, which no bundler sees.
  alias: { 'jsonc-parser': 'jsonc-parser/lib/esm/main.js' },
  logLevel: 'warning',
}

/** Libraries written for CommonJS ask for Node's own modules through `require`, which a module has not got. */
const withRequire = {
  js: "import { createRequire as createRequireOfGantry } from 'node:module'; const require = createRequireOfGantry(import.meta.url);",
}

// Names stay readable: a stack trace that a user sends in should mean something.
const minified = { minifySyntax: true, minifyWhitespace: true }

/** The folder of the program's files, in dist. */
const codeFolder = 'cli'

const outputs = [
  {
    ...common,
    ...minified,
    format: 'cjs',
    entryPoints: { cli: 'src/cli/entry.ts' },
    outdir: 'dist',
    outExtension: { '.js': '.cjs' },
    define: { ...common.define, GANTRY_CODE_FOLDER: JSON.stringify(codeFolder) },
  },
  {
    ...common,
    ...minified,
    entryPoints: { program: 'src/cli/program.ts' },
    outdir: `dist/${codeFolder}`,
    splitting: true,
    chunkNames: '[name]-[hash]',
    external: optional,
    plugins: [withoutUnused()],
  },
  {
    ...common,
    ...minified,
    entryPoints: { 'gzip-worker': 'src/store/compression/gzip-worker.ts' },
    outdir: 'dist',
    banner: withRequire,
  },
  {
    ...common,
    ...minified,
    entryPoints: { 'public-suffixes': 'src/registry/auth/public-suffixes.ts' },
    outdir: 'dist',
    mainFields: ['module', 'main'],
  },
  {
    ...common,
    ...minified,
    entryPoints: { 'socks-client': 'src/registry/http/socks-client.ts' },
    outdir: 'dist',
    banner: withRequire,
  },
  {
    ...common,
    ...minified,
    entryPoints: {
      index: 'src/index.ts',
      ...Object.fromEntries(
        ['store', 'registry', 'graph', 'testing'].map((name) => [name, `src/entry-points/${name}.ts`]),
      ),
    },
    outdir: 'dist',
    // What the entry points share is one class for all of them. It stays beside the worker that it starts.
    splitting: true,
    chunkNames: 'library-[hash]',
    plugins: largeLibraries(),
    external: runtime.flatMap((name) => [name, `${name}/*`]),
  },
]

/** What the library carries inside although it is a dependency of the development only, and why that is right. */
const insideTheLibrary = new Set([
  // Pinned so that a folder gets the same digest everywhere: a newer one could compress differently.
  'libdeflate',
  // The form that Node.js finds cannot be bundled, so that whoever bundles the library could not log in.
  'jsonc-parser',
])

const started = performance.now()
const types = process.argv.includes('--no-types') ? undefined : emitTypes()
const results = await Promise.all(outputs.map((options) => build(options))).catch(() => {
  // esbuild has said what is wrong.
  process.exit(1)
})
const [, program] = results
const library = results.at(-1)

const undeclared = packagesIn(library.metafile).filter((name) => !insideTheLibrary.has(name))
if (undeclared.length > 0) {
  throw new Error(`the library would carry ${undeclared.join(', ')} inside: declare them as dependencies`)
}

const files = new Map()
for (const { outputFiles } of results.filter((result) => result !== program)) {
  for (const { path, contents } of outputFiles) files.set(path, contents)
}
const { target, platform } = common
for (const { path, contents } of await programFiles(program, { ...minified, target, platform }))
  files.set(path, contents)
files.set(join(dist, 'THIRD-PARTY-LICENSES.txt'), await thirdPartyLicences(root, results))
for (const [path, contents] of files) await publish(path, contents)
await removeOthers()
await types
const seconds = ((performance.now() - started) / 1000).toFixed(1)
const names = [...files.keys()].map((path) => relative(root, path))
const named = names.filter((name) => !/^library-|-[A-Z0-9]{8}\.cjs$/.test(basename(name)))
console.error(`built ${named.join(', ')} and ${names.length - named.length} chunks in ${seconds} s`)

/** Leaves a module to be loaded from a file beside this one. */
function inFileOfItsOwn(module, file) {
  return {
    name: 'in-file-of-its-own',
    setup(building) {
      building.onResolve({ filter: /^\.\// }, ({ path }) =>
        path === module ? { path: file, external: true } : undefined,
      )
    },
  }
}

/**
 * What undici's client asks for and no connection of ours uses: HTTP/2 and the module for HTTP/1.1 of Node.js, which take
 * long to load, and the bodies of `fetch`.
 */
function withoutUnused() {
  const refuse = "() => { throw new Error('not part of this program') }"
  const unused = /undici[\\/]lib[\\/](dispatcher[\\/]client-h2|web[\\/]fetch[\\/]body)\.js$/
  // Never the class of a body that we send, and a limit that each client is given.
  const http = 'exports.IncomingMessage = class {}; exports.maxHeaderSize = 16 * 1024'
  return {
    name: 'without-unused',
    setup(building) {
      building.onLoad({ filter: unused }, () => ({
        contents: `module.exports = ${refuse}; module.exports.extractBody = ${refuse}`,
      }))
      building.onResolve({ filter: /^node:http$/ }, ({ importer }) =>
        /undici[\\/]lib[\\/]/.test(importer) ? { path: 'http', namespace: 'without-unused' } : undefined,
      )
      building.onLoad({ filter: /^http$/, namespace: 'without-unused' }, () => ({ contents: http }))
    },
  }
}

/** Libraries that few runs need stay out of the files that every run loads. */
function largeLibraries() {
  return ['./public-suffixes.js', './socks-client.js'].map((module) => inFileOfItsOwn(module, module))
}

/** Puts a file in its place in one step: tests may be running from the one before. */
async function publish(path, contents) {
  await mkdir(dirname(path), { recursive: true })
  const temporary = `${path}.${process.pid}.tmp`
  await writeFile(temporary, contents)
  await rename(temporary, path)
}

/** Removes what an earlier build has left, so that it is not published. */
async function removeOthers() {
  for (const folder of [dist, join(dist, codeFolder)]) {
    for (const name of await readdir(folder)) {
      const path = join(folder, name)
      const isKept = ['types', codeFolder].includes(name) || name.endsWith('.tmp') || files.has(path)
      if (!isKept) await rm(path, { recursive: true })
    }
  }
}

async function emitTypes() {
  await rm(join(dist, 'types'), { recursive: true, force: true })
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const child = spawn(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })
  const status = await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (status !== 0) throw new Error(`tsc ended with ${status}`)
}

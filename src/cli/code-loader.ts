import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Script } from 'node:vm'
import type { CodeCache, CompiledCode } from './code-cache.js'
import { engineTag, tuneForStart, untuneEngine } from './tune-engine.js'

interface LoadedFile {
  readonly script: Script
  readonly stamp: string
  /** Of the engine when this was loaded: compiled code is good for the settings that it was made with, and no others. */
  readonly tag: number
  /** Whether it was compiled in this run. */
  readonly isFresh: boolean
}

type Require = (name: string) => unknown
type LazyBuiltin = (name: string, properties: readonly string[]) => object

interface LoadedModule {
  exports: unknown
}

/** What the build puts into files beside what CommonJS has. */
interface GantryFile {
  readonly lazyBuiltin: LazyBuiltin
  /** Modules of a file that has several; they run when they are first asked for. */
  readonly define: (modules: Readonly<Record<string, CodeOfModule>>) => void
  readonly moduleUrl: () => string
  /** As `performance.now`, from another beginning. */
  readonly now: () => number
}

type CodeOfModule = (exports: unknown, require: Require, module: LoadedModule) => void
type CodeOfFile = (exports: unknown, require: Require, module: LoadedModule, file: GantryFile) => void

/**
 * Loads the files of the program, which the build makes in a form of their own: like CommonJS, with Node's modules
 * loaded when something of them is used. Code that was compiled in an earlier run is taken from the cache.
 */
export class CodeLoader {
  readonly #folder: string
  readonly #requireOther: Require
  readonly #cache: CodeCache | undefined
  readonly #files = new Map<string, LoadedFile>()
  readonly #defined = new Map<string, CodeOfModule>()
  readonly #modules = new Map<string, LoadedModule>()

  /** @param requireOther for what is not a file of the program: Node's modules and optional packages */
  constructor(folder: string, requireOther: Require, cache: CodeCache | undefined) {
    this.#folder = folder
    this.#requireOther = requireOther
    this.#cache = cache
  }

  /** @param name as in `./start.cjs` */
  load(name: string): unknown {
    const known = this.#modules.get(name)
    if (known !== undefined) return known.exports
    const run = this.#defined.get(name) ?? this.#read(name)
    const module: LoadedModule = { exports: {} }
    this.#modules.set(name, module)
    run(module.exports, this.#require, module, this.#file)
    return module.exports
  }

  #read(name: string): CodeOfFile {
    const path = join(this.#folder, name)
    const stamp = stampOf(path)
    const tag = engineTag()
    const cachedData = this.#cache?.find(keyOf(name, tag), stamp) as Buffer | undefined
    // The build writes nothing but ASCII, and around it a function as CommonJS has it.
    const script = new Script(readFileSync(path, 'latin1'), { filename: path, cachedData })
    const isFresh = cachedData === undefined || script.cachedDataRejected === true
    this.#files.set(name, { script, stamp, tag, isFresh })
    return script.runInThisContext() as CodeOfFile
  }

  /** Keeps what was compiled in this run, with the functions that were called. The engine is not tuned any more then. */
  keep(): void {
    if (this.#cache === undefined || ![...this.#files.values()].some(({ isFresh }) => isFresh)) return
    // Code is written for the settings of this moment.
    tuneForStart()
    const tuned = this.#codesFor(engineTag())
    untuneEngine()
    const codes = [...tuned, ...this.#codesFor(engineTag())]
    if (!codes.some(({ isFresh }) => isFresh)) return
    this.#cache.keep(codes, (key, stamp) => stampOf(join(this.#folder, nameOf(key))) === stamp)
  }

  #codesFor(engine: number): (CompiledCode & { readonly isFresh: boolean })[] {
    return [...this.#files]
      .filter(([, { tag }]) => tag === engine)
      .map(([name, { tag, stamp, script, isFresh }]) => {
        return { name: keyOf(name, tag), stamp, data: script.createCachedData(), isFresh }
      })
  }

  readonly #file: GantryFile = {
    lazyBuiltin,
    define: (modules) => {
      for (const [name, code] of Object.entries(modules)) this.#defined.set(name, code)
    },
    // What a file finds beside it, such as the worker, is beside the folder of the program.
    moduleUrl: () => process.getBuiltinModule('node:url').pathToFileURL(this.#folder).href,
    now: () => {
      const [seconds, nanoseconds] = process.hrtime()
      return seconds * 1000 + nanoseconds / 1_000_000
    },
  }

  readonly #require: Require = (name) => (name.startsWith('./') ? this.load(name) : this.#requireOther(name))
}

function keyOf(name: string, tag: number): string {
  return `${name} ${tag}`
}

function nameOf(key: string): string {
  return key.split(' ', 1)[0] ?? ''
}

function stampOf(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats === undefined ? '' : `${stats.size} ${stats.mtimeMs}`
}

/** Stands for one of Node's modules, and loads it when one of the properties is first read. */
function lazyBuiltin(name: string, properties: readonly string[]): object {
  const stand = {}
  const read = (property: string): unknown => {
    const builtin = process.getBuiltinModule(name) as Readonly<Record<string, unknown>>
    const valueOf = (each: string): unknown => (each === 'default' ? builtin : builtin[each])
    for (const each of properties) Object.defineProperty(stand, each, { value: valueOf(each) })
    return valueOf(property)
  }
  for (const property of properties) {
    Object.defineProperty(stand, property, { configurable: true, get: () => read(property) })
  }
  return stand
}

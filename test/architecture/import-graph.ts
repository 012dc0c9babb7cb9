import { readFileSync, readdirSync } from 'node:fs'
import { join, posix, relative, sep } from 'node:path'
import typescript from 'typescript'

/** One module that a file names, in whatever form: static, dynamic, re-exported, as a type, or as a worker's address. */
export interface ImportedModule {
  readonly specifier: string
  readonly line: number
}

/** A source file; `path` is relative to `src` with forward slashes. */
export interface SourceFile {
  readonly path: string
  readonly text: string
}

/** Reads every TypeScript file below a folder. */
export function readSourceFiles(folder: string, base = folder): SourceFile[] {
  const files: SourceFile[] = []
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) files.push(...readSourceFiles(path, base))
    else if (entry.name.endsWith('.ts')) {
      files.push({ path: relative(base, path).split(sep).join('/'), text: readFileSync(path, 'utf8') })
    }
  }
  return files
}

const known = new WeakMap<SourceFile, readonly ImportedModule[]>()

/** Every module that a file names. */
export function importsOf(file: SourceFile): readonly ImportedModule[] {
  const imports = known.get(file) ?? findImports(file)
  known.set(file, imports)
  return imports
}

function findImports(file: SourceFile): ImportedModule[] {
  const source = parse(file)
  const imports: ImportedModule[] = []
  const visit = (node: typescript.Node): void => {
    const specifier = specifierOf(node)
    if (specifier !== undefined) {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart(source))
      imports.push({ specifier, line: line + 1 })
    }
    typescript.forEachChild(node, visit)
  }
  visit(source)
  return imports
}

/** The file that a relative specifier names, as a path relative to `src`; undefined for packages. */
export function resolveImport(from: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined
  return posix.join(posix.dirname(from), specifier).replace(/\.js$/, '.ts')
}

/** Whether a file does nothing but hand on what other files export. */
export function isBarrel(file: SourceFile): boolean {
  const { statements } = parse(file)
  const handsOn = statements.some((statement) => typescript.isExportDeclaration(statement) && statement.moduleSpecifier)
  return (
    handsOn &&
    statements.every(
      (statement) => typescript.isExportDeclaration(statement) || typescript.isImportDeclaration(statement),
    )
  )
}

/** The first cycle between files, as a list of paths that begins and ends with the same one. */
export function findCycle(files: readonly SourceFile[]): string[] | undefined {
  const edges = new Map(files.map((file) => [file.path, targetsOf(file)]))
  const done = new Set<string>()
  const walk = (path: string, trail: readonly string[]): string[] | undefined => {
    const start = trail.indexOf(path)
    if (start >= 0) return [...trail.slice(start), path]
    if (done.has(path)) return undefined
    for (const target of edges.get(path) ?? []) {
      const cycle = walk(target, [...trail, path])
      if (cycle) return cycle
    }
    done.add(path)
    return undefined
  }
  for (const path of edges.keys()) {
    const cycle = walk(path, [])
    if (cycle) return cycle
  }
  return undefined
}

function targetsOf(file: SourceFile): string[] {
  return importsOf(file).flatMap(({ specifier }) => resolveImport(file.path, specifier) ?? [])
}

function parse(file: SourceFile): typescript.SourceFile {
  return typescript.createSourceFile(file.path, file.text, typescript.ScriptTarget.ES2023, false)
}

function specifierOf(node: typescript.Node): string | undefined {
  if (typescript.isImportDeclaration(node) || typescript.isExportDeclaration(node)) {
    return node.moduleSpecifier && textOf(node.moduleSpecifier)
  }
  if (typescript.isImportTypeNode(node)) {
    return typescript.isLiteralTypeNode(node.argument) ? textOf(node.argument.literal) : undefined
  }
  if (typescript.isImportEqualsDeclaration(node)) {
    return typescript.isExternalModuleReference(node.moduleReference)
      ? textOf(node.moduleReference.expression)
      : undefined
  }
  if (typescript.isCallExpression(node)) {
    const { expression } = node
    const isImport = expression.kind === typescript.SyntaxKind.ImportKeyword
    const isRequire = typescript.isIdentifier(expression) && expression.text === 'require'
    return isImport || isRequire ? node.arguments[0] && textOf(node.arguments[0]) : undefined
  }
  // A worker is started from `new URL('./worker.js', import.meta.url)`: an import by another name.
  if (typescript.isNewExpression(node) && typescript.isIdentifier(node.expression) && node.expression.text === 'URL') {
    const [address, base] = node.arguments ?? []
    const isModule = base !== undefined && typescript.isPropertyAccessExpression(base) && base.name.text === 'url'
    return isModule && address ? textOf(address) : undefined
  }
  return undefined
}

/** The text of a literal. An import whose address is computed cannot be checked, so it is shown as such. */
function textOf(node: typescript.Node): string {
  return typescript.isStringLiteralLike(node) ? node.text : '<computed>'
}

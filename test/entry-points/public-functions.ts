import { join } from 'node:path'
import ts from 'typescript'

const root = join(import.meta.dirname, '../..')

/** A function or constructor that an entry point exports, and the options that it takes. */
export interface PublicFunction {
  /** Such as `gantry/graph copy` or `gantry/store LayoutStore.open`. */
  readonly name: string
  /** Which argument the options are. */
  readonly index: number
  /** Names of options; those in an option that is an object stand behind a dot. */
  readonly options: readonly string[]
}

/** Every function, constructor and static method of the entry points that takes options, read from its types. */
export function readPublicFunctions(): readonly PublicFunction[] {
  const names = ['index', ...['store', 'registry', 'graph', 'testing'].map((name) => `entry-points/${name}`)]
  const paths = names.map((name) => join(root, 'src', `${name}.ts`))
  const config = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path))
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root)
  const program = ts.createProgram(paths, options)
  const checker = program.getTypeChecker()
  return paths.flatMap((path, index) => {
    const entry = index === 0 ? 'gantry' : `gantry/${names[index]?.split('/')[1] ?? ''}`
    const file = program.getSourceFile(path)
    const module = file === undefined ? undefined : checker.getSymbolAtLocation(file)
    return checker.getExportsOfModule(module!).flatMap((exported) => {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
      return functionsOf(`${entry} ${exported.name}`, symbol, checker)
    })
  })
}

function functionsOf(name: string, symbol: ts.Symbol, checker: ts.TypeChecker): readonly PublicFunction[] {
  if ((symbol.flags & (ts.SymbolFlags.Function | ts.SymbolFlags.Class)) === 0) return []
  const type = checker.getTypeOfSymbol(symbol)
  const isClass = (symbol.flags & ts.SymbolFlags.Class) !== 0
  const signatures = isClass ? type.getConstructSignatures() : type.getCallSignatures()
  const statics = isClass
    ? type.getProperties().filter((member) => (member.flags & ts.SymbolFlags.Method) !== 0 && isOwn(member))
    : []
  return [
    ...signatures.slice(0, 1).flatMap((signature) => withOptions(name, signature, checker)),
    ...statics.flatMap((member) =>
      checker
        .getTypeOfSymbol(member)
        .getCallSignatures()
        .slice(0, 1)
        .flatMap((signature) => withOptions(`${name}.${member.name}`, signature, checker)),
    ),
  ]
}

/** Whether a member comes from the sources of this package. */
function isOwn(member: ts.Symbol): boolean {
  return (member.declarations ?? []).some((declaration) =>
    declaration.getSourceFile().fileName.startsWith(join(root, 'src')),
  )
}

function withOptions(name: string, signature: ts.Signature, checker: ts.TypeChecker): readonly PublicFunction[] {
  return signature.getParameters().flatMap((parameter, index) => {
    const options = optionsOf(checker.getNonNullableType(checker.getTypeOfSymbol(parameter)), checker, 1)
    return options.length === 0 ? [] : [{ name, index, options }]
  })
}

/** Optional members of an interface, and of the interfaces of options that they hold in turn. */
function optionsOf(type: ts.Type, checker: ts.TypeChecker, depth: number): readonly string[] {
  if (!isPlainObject(type, checker)) return []
  return type.getProperties().flatMap((member) => {
    if ((member.flags & ts.SymbolFlags.Optional) === 0 || (member.flags & ts.SymbolFlags.Method) !== 0) return []
    const inner = checker.getNonNullableType(checker.getTypeOfSymbol(member))
    const isOptional = inner.getProperties().every(({ flags }) => (flags & ts.SymbolFlags.Optional) !== 0)
    const nested = depth > 0 && isOptional ? optionsOf(inner, checker, depth - 1) : []
    return [member.name, ...nested.map((name) => `${member.name}.${name}`)]
  })
}

/** What looks like options and is what a function works on. */
const DATA = new Set(['Descriptor', 'Platform', 'Reference', 'CopyRoot', 'RegistryTransport'])

/** An interface of this package, or several together; no class, array or function, and nothing of Node's. */
function isPlainObject(type: ts.Type, checker: ts.TypeChecker): boolean {
  if (type.isUnion() || type.getCallSignatures().length > 0 || checker.isArrayType(type)) return false
  const properties = type.getProperties()
  if (DATA.has((type.symbol as ts.Symbol | undefined)?.name ?? '')) return false
  return (
    (type.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)) !== 0 &&
    !type.isClass() &&
    properties.some((member) => (member.flags & ts.SymbolFlags.Optional) !== 0) &&
    properties.every(isOwn)
  )
}

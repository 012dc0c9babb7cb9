import { formatGoValue } from '../../../registry/go-format.js'
import { isJsonObject } from '../../../util/json.js'
import { parseTemplate, type Operand, type Pipeline, type TemplateNode, type TemplateNodes } from './parse-template.js'
import { templateError } from './template-error.js'
import { TEMPLATE_FUNCTIONS } from './template-functions.js'
import { isTruthy } from './template-values.js'

/** Where a template stands: the value of `.`, and the variables that it sees. */
interface Scope {
  readonly dot: unknown
  readonly variables: Map<string, { value: unknown }>
}

type Signal = 'break' | 'continue' | undefined

/**
 * Renders a Go template (text/template) over a plain object, with the functions of Go and the common ones of sprig.
 * @throws UsageError when the template is malformed or a function gets what it cannot work with
 */
export function renderTemplate(template: string, data: object): string {
  const output: string[] = []
  const scope: Scope = { dot: data, variables: new Map([['$', { value: data }]]) }
  renderNodes(parseTemplate(template), scope, output)
  return output.join('')
}

function renderNodes(nodes: TemplateNodes, scope: Scope, output: string[]): Signal {
  for (const node of nodes) {
    const signal = renderNode(node, scope, output)
    if (signal !== undefined) return signal
  }
  return undefined
}

function renderNode(node: TemplateNode, scope: Scope, output: string[]): Signal {
  switch (node.type) {
    case 'text':
      output.push(node.text)
      return undefined
    case 'print': {
      const value = evaluate(node.pipeline, scope)
      if (node.pipeline.variables.length === 0) output.push(value === undefined ? '<no value>' : formatGoValue(value))
      return undefined
    }
    case 'if':
    case 'with': {
      const inner = nested(scope)
      const value = evaluate(node.pipeline, inner)
      if (!isTruthy(value)) return renderNodes(node.otherwise, inner, output)
      return renderNodes(node.then, node.type === 'with' ? { ...inner, dot: value } : inner, output)
    }
    case 'range':
      return renderRange(node, scope, output)
    case 'break':
    case 'continue':
      return node.type
  }
}

function renderRange(node: Extract<TemplateNode, { type: 'range' }>, scope: Scope, output: string[]): Signal {
  const { variables, commands } = node.pipeline
  const entries = entriesOf(evaluate({ variables: [], declares: false, commands }, scope))
  if (entries.length === 0) return renderNodes(node.otherwise, nested(scope), output)
  for (const [key, value] of entries) {
    const inner = nested(scope)
    const [first, second] = variables
    if (first !== undefined) inner.variables.set(first, { value: second === undefined ? value : key })
    if (second !== undefined) inner.variables.set(second, { value })
    if (renderNodes(node.then, { ...inner, dot: value }, output) === 'break') break
  }
  return undefined
}

function entriesOf(value: unknown): readonly (readonly [unknown, unknown])[] {
  if (value === null || value === undefined) return []
  if (Array.isArray(value)) return [...value.entries()]
  if (typeof value === 'number') return Array.from({ length: Math.max(value, 0) }, (_, index) => [index, index])
  if (isJsonObject(value))
    return Object.keys(value)
      .sort()
      .map((key) => [key, value[key]])
  throw templateError(`range can't iterate over ${formatGoValue(value)}`)
}

function nested(scope: Scope): Scope {
  return { dot: scope.dot, variables: new Map(scope.variables) }
}

function evaluate(pipeline: Pipeline, scope: Scope): unknown {
  let value: unknown
  for (const [index, command] of pipeline.commands.entries()) {
    value = runStep(command, scope, index === 0 ? [] : [value])
  }
  for (const name of pipeline.variables) assign(name, value, { scope, declares: pipeline.declares })
  return value
}

function assign(
  name: string,
  value: unknown,
  { scope, declares }: { readonly scope: Scope; readonly declares: boolean },
): void {
  const known = scope.variables.get(name)
  if (declares) scope.variables.set(name, { value })
  else if (known === undefined) throw templateError(`undefined variable "${name}"`)
  else known.value = value
}

function runStep(command: readonly Operand[], scope: Scope, piped: readonly unknown[]): unknown {
  const [first, ...rest] = command
  if (first === undefined) return undefined
  if (first.type !== 'word') {
    if (rest.length > 0 || piped.length > 0) throw templateError("can't give argument to non-function")
    return valueOf(first, scope)
  }
  if ((first.text === 'and' || first.text === 'or') && piped.length === 0) return shortCircuit(first.text, rest, scope)
  const run = Object.hasOwn(TEMPLATE_FUNCTIONS, first.text) ? TEMPLATE_FUNCTIONS[first.text] : undefined
  if (run === undefined) throw templateError(`function "${first.text}" not defined`)
  return run(...rest.map((operand) => valueOf(operand, scope)), ...piped)
}

/** `and` and `or` look at no more arguments than they need, and give the deciding one. */
function shortCircuit(word: 'and' | 'or', operands: readonly Operand[], scope: Scope): unknown {
  let value: unknown
  for (const operand of operands) {
    value = valueOf(operand, scope)
    if (isTruthy(value) === (word === 'or')) break
  }
  return value
}

function valueOf(operand: Operand, scope: Scope): unknown {
  switch (operand.type) {
    case 'literal':
      return operand.value
    case 'field':
      return fieldOf(scope.dot, operand.names)
    case 'variable': {
      const variable = scope.variables.get(operand.name)
      if (variable === undefined) throw templateError(`undefined variable "${operand.name}"`)
      return fieldOf(variable.value, operand.names)
    }
    case 'pipeline':
      return fieldOf(evaluate(operand.pipeline, scope), operand.names)
    case 'word':
      return runStep([operand], scope, [])
  }
}

/** A field of a map that is not there is no value; a field of what is no map is an error, as in Go. */
function fieldOf(value: unknown, names: readonly string[]): unknown {
  let current = value
  for (const name of names) {
    if (current === undefined || current === null) throw templateError(`nil pointer evaluating .${name}`)
    if (!isJsonObject(current)) throw templateError(`can't evaluate field ${name} in ${formatGoValue(current)}`)
    current = Object.hasOwn(current, name) ? current[name] : undefined
  }
  return current
}

import { parseTree, type Node, type ParseError, type ParseOptions } from 'jsonc-parser'
import { measureStructure } from '../util/json-structure.js'

interface JsonNode {
  readonly start: number
  readonly end: number
  /** Present when the value is an object. */
  readonly members?: readonly JsonMember[] | undefined
}

interface JsonMember {
  readonly key: string
  readonly start: number
  readonly value: JsonNode
}

const STRICT: ParseOptions = { disallowComments: true, allowTrailingComma: false, allowEmptyContent: false }

/**
 * The byte at which a text stops being JSON (RFC 8259), or undefined when it is JSON. The message of a JSON engine
 * would quote the text, and with it the secrets that stand there.
 */
export function findJsonError(text: string): number | undefined {
  measureStructure(text, 'JSON')
  const errors: ParseError[] = []
  parseTree(text, errors, STRICT)
  const [first] = errors
  return first === undefined ? undefined : Buffer.byteLength(text.slice(0, first.offset))
}

/**
 * Sets one member of a JSON text, named by the keys that lead to it, and leaves every other character as it is:
 * order, indentation, unknown members, the spelling of numbers. Objects on the way are created when missing.
 * @param text an object in valid JSON, or blank
 */
export function setJsonMember(text: string, path: readonly string[], value: unknown): string {
  if (text.trim() === '') return `${JSON.stringify(nested(path, value), undefined, '\t')}\n`
  const style = styleOf(text)
  let node = parseObject(text)
  for (const [depth, key] of path.entries()) {
    const member = node.members?.findLast((candidate) => candidate.key === key)
    const rest = path.slice(depth + 1)
    if (member === undefined)
      return insertMember(text, node, { key, value: nested(rest, value), depth: depth + 1, style })
    if (rest.length === 0 || member.value.members === undefined) {
      const formatted = formatValue(nested(rest, value), depth + 1, style)
      return text.slice(0, member.value.start) + formatted + text.slice(member.value.end)
    }
    node = member.value
  }
  return text
}

/** Removes a member, with all its repetitions, and leaves every other character as it is. */
export function removeJsonMember(text: string, path: readonly string[]): string {
  if (text.trim() === '') return text
  let node = parseObject(text)
  for (const key of path.slice(0, -1)) {
    const member = node.members?.findLast((candidate) => candidate.key === key)
    if (member === undefined) return text
    node = member.value
  }
  const members = node.members ?? []
  const index = members.findIndex((member) => member.key === path.at(-1))
  const member = members[index]
  if (member === undefined) return text
  return removeJsonMember(withoutMember(text, node, index), path)
}

function withoutMember(text: string, object: JsonNode, index: number): string {
  const members = object.members ?? []
  const [previous, member, next] = [members[index - 1], members[index], members[index + 1]]
  if (member === undefined) return text
  if (next !== undefined) return text.slice(0, member.start) + text.slice(next.start)
  if (previous !== undefined) return text.slice(0, previous.value.end) + text.slice(member.value.end)
  return `${text.slice(0, object.start)}{}${text.slice(object.end)}`
}

interface Insertion {
  readonly key: string
  readonly value: unknown
  /** How many objects the member lies in. */
  readonly depth: number
  readonly style: Style
}

function insertMember(text: string, object: JsonNode, { key, value, depth, style }: Insertion): string {
  const members = object.members ?? []
  const first = members[0]
  const last = members.at(-1)
  const isOneLine = first !== undefined && !text.slice(object.start, first.start).includes('\n')
  const here: Style = isOneLine ? { ...style, indent: '' } : style
  const member = `${JSON.stringify(key)}:${here.indent === '' ? '' : ' '}${formatValue(value, depth, here)}`
  if (last === undefined) {
    const body = `{${lineStart(depth, here)}${member}${lineStart(depth - 1, here)}}`
    return text.slice(0, object.start) + body + text.slice(object.end)
  }
  return `${text.slice(0, last.value.end)},${lineStart(depth, here)}${member}${text.slice(last.value.end)}`
}

function nested(path: readonly string[], value: unknown): unknown {
  return path.reduceRight<unknown>(
    (inner, key) => Object.assign(Object.create(null) as object, { [key]: inner }),
    value,
  )
}

interface Style {
  /** Of one level; empty when everything stands on one line. */
  readonly indent: string
  readonly lineEnd: string
}

function styleOf(text: string): Style {
  const lineEnd = text.includes('\r\n') ? '\r\n' : '\n'
  const indent = /^\s*\{[ \t]*\r?\n([ \t]+)"/.exec(text)?.[1]
  if (indent !== undefined) return { indent, lineEnd }
  const isEmptyObject = /^\s*\{\s*\}\s*$/.test(text)
  return { indent: isEmptyObject || text.trim().includes('\n') ? '\t' : '', lineEnd }
}

function lineStart(depth: number, { indent, lineEnd }: Style): string {
  return indent === '' ? '' : lineEnd + indent.repeat(depth)
}

function formatValue(value: unknown, depth: number, style: Style): string {
  const lines = JSON.stringify(value, undefined, style.indent).split('\n')
  return lines.join(lineStart(depth, style))
}

/** Where everything stands in a text that is known to be JSON. */
function parseObject(text: string): JsonNode {
  const tree = parseTree(text, [], STRICT)
  return tree === undefined ? { start: 0, end: text.length } : nodeOf(tree)
}

function nodeOf({ type, offset, length, children = [] }: Node): JsonNode {
  const members = type === 'object' ? children.flatMap(memberOf) : undefined
  return { start: offset, end: offset + length, members }
}

function memberOf({ offset, children: [key, value] = [] }: Node): readonly JsonMember[] {
  return key === undefined || value === undefined
    ? []
    : [{ key: String(key.value), start: offset, value: nodeOf(value) }]
}

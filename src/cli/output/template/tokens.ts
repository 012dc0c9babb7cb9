import { templateError } from './template-error.js'

/** A piece of a template: text as it stands, or the inside of `{{ … }}`. */
export type Piece =
  { readonly type: 'text'; readonly text: string } | { readonly type: 'action'; readonly words: readonly Token[] }

/** A word inside an action. */
export type Token =
  | { readonly type: 'field'; readonly names: readonly string[] }
  | { readonly type: 'variable'; readonly name: string; readonly names: readonly string[] }
  | { readonly type: 'literal'; readonly value: string | number | boolean | null }
  | { readonly type: 'word'; readonly text: string }
  | { readonly type: 'sign'; readonly text: '(' | ')' | '|' | ':=' | '=' | ',' }

/** Cuts a template at its actions; `{{-` and `-}}` take the white space beside them away (Go's text/template). */
export function splitTemplate(template: string): readonly Piece[] {
  const pieces: Piece[] = []
  let position = 0
  let trimNext = false
  const addText = (text: string, trimEnd: boolean) => {
    const left = trimNext ? text.trimStart() : text
    const kept = trimEnd ? left.trimEnd() : left
    if (kept !== '') pieces.push({ type: 'text', text: kept })
  }
  for (;;) {
    const open = template.indexOf('{{', position)
    if (open === -1) break
    const trimsBefore = /^-\s/.test(template.slice(open + 2, open + 4))
    addText(template.slice(position, open), trimsBefore)
    const start = open + (trimsBefore ? 3 : 2)
    const close = endOfAction(template, start)
    const trimsAfter = /\s-$/.test(template.slice(close - 2, close))
    const inside = template.slice(start, trimsAfter ? close - 1 : close).trim()
    trimNext = trimsAfter
    position = close + 2
    if (!inside.startsWith('/*')) pieces.push({ type: 'action', words: tokenize(inside) })
  }
  addText(template.slice(position), false)
  return pieces
}

/** The place of the `}}` that ends an action, which is none inside a string or a comment. */
function endOfAction(template: string, start: number): number {
  let index = start
  if (template.slice(start).trimStart().startsWith('/*')) {
    index = template.indexOf('*/', start)
    if (index === -1) throw templateError('unclosed comment')
  }
  while (index < template.length) {
    const character = template[index] ?? ''
    if (character === '"' || character === '`' || character === "'") index = endOfString(template, index)
    else if (template.startsWith('}}', index)) return index
    else index++
  }
  throw templateError('unclosed action')
}

function endOfString(text: string, start: number): number {
  const quote = text[start]
  let index = start + 1
  while (index < text.length && text[index] !== quote) index += text[index] === '\\' && quote !== '`' ? 2 : 1
  if (index >= text.length) throw templateError('unterminated string')
  return index + 1
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*/
const NUMBER = /^[+-]?(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/
const FIELDS = /^(?:\.[A-Za-z_][A-Za-z0-9_]*)+/

/** Cuts the inside of an action into words. */
export function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = []
  let rest = text
  while (rest !== '') {
    const [token, length] = nextToken(rest)
    if (token !== undefined) tokens.push(token)
    rest = rest.slice(length)
  }
  return tokens
}

function nextToken(text: string): readonly [Token | undefined, number] {
  const space = /^\s+/.exec(text)
  if (space !== null) return [undefined, space[0].length]
  const sign = /^(?::=|[()|=,])/.exec(text)?.[0] as '(' | ')' | '|' | ':=' | '=' | ',' | undefined
  if (sign !== undefined) return [{ type: 'sign', text: sign }, sign.length]
  const first = text[0] ?? ''
  if (first === '"' || first === '`' || first === "'") {
    const end = endOfString(text, 0)
    return [{ type: 'literal', value: decodeString(text.slice(0, end)) }, end]
  }
  if (first === '$') {
    const name = NAME.exec(text.slice(1))?.[0] ?? ''
    const fields = FIELDS.exec(text.slice(1 + name.length))?.[0] ?? ''
    return [{ type: 'variable', name: `$${name}`, names: namesOf(fields) }, 1 + name.length + fields.length]
  }
  const fields = FIELDS.exec(text)?.[0]
  if (fields !== undefined) return [{ type: 'field', names: namesOf(fields) }, fields.length]
  if (first === '.') return [{ type: 'field', names: [] }, 1]
  const number = NUMBER.exec(text)?.[0]
  if (number !== undefined) return [{ type: 'literal', value: Number(number) }, number.length]
  const word = NAME.exec(text)?.[0]
  if (word === undefined) throw templateError(`unexpected "${first}" in action`)
  return [wordToken(word), word.length]
}

function wordToken(word: string): Token {
  if (word === 'true' || word === 'false') return { type: 'literal', value: word === 'true' }
  return word === 'nil' ? { type: 'literal', value: null } : { type: 'word', text: word }
}

function namesOf(fields: string): readonly string[] {
  return fields.split('.').slice(1)
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '"': '"', "'": "'", '\\': '\\' }

function decodeString(quoted: string): string | number {
  const inside = quoted.slice(1, -1)
  if (quoted.startsWith('`')) return inside
  const text = inside.replace(/\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)/g, (_, escape: string) =>
    /^[ux]./.test(escape) ? String.fromCharCode(parseInt(escape.slice(1), 16)) : (ESCAPES[escape] ?? escape),
  )
  // A character in single quotes is a number in Go.
  return quoted.startsWith("'") ? (text.codePointAt(0) ?? 0) : text
}

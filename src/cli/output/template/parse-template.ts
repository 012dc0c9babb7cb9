import { templateError } from './template-error.js'
import { splitTemplate, type Piece, type Token } from './tokens.js'

/** What a template is made of. */
export type TemplateNode =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'print'; readonly pipeline: Pipeline }
  | {
      readonly type: 'if' | 'with'
      readonly pipeline: Pipeline
      readonly then: TemplateNodes
      readonly otherwise: TemplateNodes
    }
  | {
      readonly type: 'range'
      readonly pipeline: Pipeline
      readonly then: TemplateNodes
      readonly otherwise: TemplateNodes
    }
  | { readonly type: 'break' | 'continue' }

export type TemplateNodes = readonly TemplateNode[]

/** Commands joined by `|`, and the variables that take the result. */
export interface Pipeline {
  readonly variables: readonly string[]
  readonly declares: boolean
  readonly commands: readonly (readonly Operand[])[]
}

export type Operand =
  | Exclude<Token, { type: 'sign' }>
  | { readonly type: 'pipeline'; readonly pipeline: Pipeline; readonly names: readonly string[] }

/** Parses a template (the part of Go's text/template that is not about defining further templates). */
export function parseTemplate(template: string): TemplateNodes {
  const reader = new PieceReader(splitTemplate(template))
  const nodes = parseNodes(reader)
  const rest = reader.next()
  if (rest !== undefined) throw templateError(`unexpected {{${keywordOf(rest) ?? ''}}}`)
  return nodes
}

class PieceReader {
  readonly #pieces: readonly Piece[]
  #position = 0

  constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces
  }

  peek(): Piece | undefined {
    return this.#pieces[this.#position]
  }

  next(): Piece | undefined {
    return this.#pieces[this.#position++]
  }
}

const BLOCK_ENDS = new Set(['end', 'else'])

function keywordOf(piece: Piece): string | undefined {
  const first = piece.type === 'action' ? piece.words[0] : undefined
  return first?.type === 'word' ? first.text : undefined
}

function parseNodes(reader: PieceReader): TemplateNodes {
  const nodes: TemplateNode[] = []
  for (;;) {
    const piece = reader.peek()
    if (piece === undefined || BLOCK_ENDS.has(keywordOf(piece) ?? '')) return nodes
    reader.next()
    nodes.push(piece.type === 'text' ? piece : parseAction(piece.words, keywordOf(piece), reader))
  }
}

function parseAction(words: readonly Token[], keyword: string | undefined, reader: PieceReader): TemplateNode {
  switch (keyword) {
    case 'if':
    case 'with':
    case 'range':
      return parseBlock(keyword, words.slice(1), reader)
    case 'break':
    case 'continue':
      return { type: keyword }
    case 'define':
    case 'template':
    case 'block':
      throw templateError(`{{${keyword}}} is not supported`)
    default:
      return { type: 'print', pipeline: parsePipeline(words) }
  }
}

function parseBlock(type: 'if' | 'with' | 'range', words: readonly Token[], reader: PieceReader): TemplateNode {
  const pipeline = parsePipeline(words)
  const then = parseNodes(reader)
  const end = reader.next()
  if (end?.type !== 'action') throw templateError(`{{${type}}} without {{end}}`)
  if (keywordOf(end) === 'end') return { type, pipeline, then, otherwise: [] }
  const [, chained, ...rest] = end.words
  if (chained?.type === 'word' && (chained.text === 'if' || chained.text === 'with')) {
    return { type, pipeline, then, otherwise: [parseBlock(chained.text, rest, reader)] }
  }
  const otherwise = parseNodes(reader)
  if (keywordOf(reader.next() ?? { type: 'text', text: '' }) !== 'end')
    throw templateError(`{{${type}}} without {{end}}`)
  return { type, pipeline, then, otherwise }
}

function parsePipeline(words: readonly Token[]): Pipeline {
  const sign = words.findIndex((token) => token.type === 'sign' && (token.text === ':=' || token.text === '='))
  const isAssignment = sign !== -1 && words.slice(0, sign).every(isTargetToken)
  const variables = isAssignment
    ? words.slice(0, sign).flatMap((token) => (token.type === 'variable' ? [token.name] : []))
    : []
  const assignment = words[sign]
  const { pipeline, length } = parseCommands(isAssignment ? words.slice(sign + 1) : words)
  const total = isAssignment ? words.length - sign - 1 : words.length
  if (length !== total) throw templateError('unexpected ")" in action')
  return { ...pipeline, variables, declares: assignment?.type === 'sign' && assignment.text === ':=' }
}

function isTargetToken(token: Token): boolean {
  return token.type === 'variable' || (token.type === 'sign' && token.text === ',')
}

/** Reads commands up to the end or to a closing parenthesis, which is not part of them. */
function parseCommands(words: readonly Token[]): { readonly pipeline: Pipeline; readonly length: number } {
  const commands: Operand[][] = [[]]
  let index = 0
  while (index < words.length) {
    const token = words[index]
    if (token === undefined || (token.type === 'sign' && token.text === ')')) break
    if (token.type !== 'sign') commands.at(-1)?.push(token)
    else if (token.text === '|') commands.push([])
    else if (token.text === '(') {
      const { pipeline, length } = parseCommands(words.slice(index + 1))
      index += length + 1
      if (words[index]?.type !== 'sign') throw templateError('unclosed parenthesis')
      const following = words[index + 1]
      const hasFields = following?.type === 'field' && following.names.length > 0
      commands.at(-1)?.push({ type: 'pipeline', pipeline, names: [] })
      // Go allows `(…).field`; with a space between them it would be two operands, which no function here expects.
      if (hasFields) {
        commands.at(-1)?.pop()
        commands.at(-1)?.push({ type: 'pipeline', pipeline, names: following.names })
        index++
      }
    } else throw templateError(`unexpected "${token.text}" in action`)
    index++
  }
  if (commands.some((command) => command.length === 0)) throw templateError('missing value for command')
  return { pipeline: { variables: [], declares: false, commands }, length: index }
}

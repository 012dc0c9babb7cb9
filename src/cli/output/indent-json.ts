/**
 * JSON text indented by two spaces, without parsing it into values: numbers, the order of keys and keys that stand
 * twice stay as they are.
 */
export function indentJson(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('utf8')
  let result = ''
  let depth = 0
  let index = 0
  const lineEnd = () => `\n${'  '.repeat(depth)}`
  while (index < text.length) {
    const character = text[index] ?? ''
    if (character === '"') {
      const end = endOfString(text, index)
      result += text.slice(index, end)
      index = end
      continue
    }
    index++
    if (' \t\r\n'.includes(character)) continue
    if (character === '{' || character === '[') {
      const closing = /^\s*[}\]]/.exec(text.slice(index, index + 1000))
      if (closing !== null) {
        result += character + (character === '{' ? '}' : ']')
        index += closing[0].length
        continue
      }
      depth++
      result += character + lineEnd()
    } else if (character === '}' || character === ']') {
      depth--
      result += lineEnd() + character
    } else if (character === ',') {
      result += character + lineEnd()
    } else {
      result += character === ':' ? ': ' : character
    }
  }
  return result
}

function endOfString(text: string, start: number): number {
  let index = start + 1
  while (index < text.length && text[index] !== '"') index += text[index] === '\\' ? 2 : 1
  return index + 1
}

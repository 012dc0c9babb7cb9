/**
 * Splits a value at its commas, as the flags of Go programs have it: a part may stand in double quotes, in which two of
 * them are one.
 * @throws Error when a quote is not closed
 */
export function splitAtCommas(text: string): readonly string[] {
  if (text === '') return []
  const parts: string[] = []
  let part = ''
  let isQuoted = false
  for (let index = 0; index < text.length; index++) {
    const character = text[index] ?? ''
    if (isQuoted && character === '"' && text[index + 1] === '"') {
      part += '"'
      index++
    } else if (character === '"' && (isQuoted || part === '')) {
      isQuoted = !isQuoted
    } else if (character === ',' && !isQuoted) {
      parts.push(part)
      part = ''
    } else {
      part += character
    }
  }
  if (isQuoted) throw new Error('a quote is not closed')
  return [...parts, part]
}

/**
 * Reads `key=value`, or several of them with commas between; commas in the value of a single one stay.
 * @throws Error when one is in no such form
 */
export function parsePairs(text: string): Readonly<Record<string, string>> {
  const isSingle = text.split('=').length === 2
  const pairs = isSingle ? [text.replace(/^"|"$/g, '')] : splitAtCommas(text)
  return Object.fromEntries(
    pairs.map((pair) => {
      const equals = pair.indexOf('=')
      if (equals < 1) throw new Error(`${pair} must be formatted as key=value`)
      return [pair.slice(0, equals), pair.slice(equals + 1)]
    }),
  )
}

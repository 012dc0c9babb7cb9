/** Lexical order without regard to case, as the specification asks; names that differ in case alone stay apart. */
export function compareNames(one: string, other: string): number {
  const [lowerOne, lowerOther] = [one.toLowerCase(), other.toLowerCase()]
  if (lowerOne !== lowerOther) return lowerOne < lowerOther ? -1 : 1
  return one < other ? -1 : one > other ? 1 : 0
}

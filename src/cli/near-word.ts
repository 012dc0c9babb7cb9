/** `Did you mean "--output"?` for a slip of one of the known words; undefined where none is near. */
export function didYouMean(word: string, known: readonly string[]): string | undefined {
  const near = known
    .map((candidate) => ({ candidate, distance: distanceOf(word, candidate) }))
    .filter(({ candidate, distance }) => distance <= slipsIn(candidate) || isPart(word, candidate))
    .sort((a, b) => a.distance - b.distance)[0]
  return near === undefined ? undefined : `Did you mean "${near.candidate}"?`
}

/** Short words have room for one slip. */
function slipsIn(word: string): number {
  return word.length <= 5 ? 1 : 2
}

function isPart(word: string, candidate: string): boolean {
  return word.length > 2 && (candidate.startsWith(word) || word.startsWith(candidate)) && candidate.length > 2
}

/** How many letters have to be put in, taken out, changed or swapped with their neighbour. */
function distanceOf(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const change = a[row - 1] === b[column - 1] ? 0 : 1
      let best = Math.min((last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, (last[column - 1] ?? 0) + change)
      const isSwap = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      if (isSwap) best = Math.min(best, (beforeLast[column - 2] ?? 0) + 1)
      current.push(best)
    }
    beforeLast = last
    last = current
  }
  return last[b.length] ?? 0
}

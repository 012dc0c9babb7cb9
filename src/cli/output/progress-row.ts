import { formatBytes, formatTime } from './format-amount.js'

/** What a row says of one running transfer. */
export interface RowParts {
  readonly word: string
  readonly name: string
  /** Bytes so far. */
  readonly done: number
  /** Bytes in all. */
  readonly size: number
  /** Bytes a second. */
  readonly rate: number
}

const BAR_WIDTH = 20

/** One row, never wider than the terminal: `Uploading app.tar [####......]  40.0 MB/100 MB  40%  12.0 MB/s  5s`. */
export function formatRow({ word, name, done, size, rate }: RowParts, width: number): string {
  const share = size === 0 ? 1 : Math.min(done / size, 1)
  const filled = Math.round(share * BAR_WIDTH)
  const bar = `[${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}]`
  const left = rate > 0 && done < size ? `  ${formatTime((size - done) / rate)}` : ''
  const tail = ` ${bar}  ${formatBytes(done)}/${formatBytes(size)}  ${Math.floor(share * 100)}%  ${formatBytes(rate)}/s${left}`
  return fit(`${word} ${name}`, width - tail.length) + tail
}

/** Text cut to a width, with an ellipsis where something is missing. */
function fit(text: string, width: number): string {
  if (width < 2) return ''
  return text.length <= width ? text.padEnd(width) : `${text.slice(0, width - 1)}…`
}

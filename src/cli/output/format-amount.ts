const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'] as const

/** An amount of bytes with a unit that counts by 1024: `1.5 MB`. */
export function formatBytes(bytes: number): string {
  let amount = bytes
  let unit = 0
  while (amount >= 1024 && unit < UNITS.length - 1) {
    amount /= 1024
    unit++
  }
  const digits = unit === 0 ? 0 : amount < 10 ? 2 : amount < 100 ? 1 : 0
  return `${amount.toFixed(digits)} ${UNITS[unit] ?? ''}`
}

/** An amount of bytes without zeros at its end: `7.5 KB`. */
export function formatSize(bytes: number): string {
  return formatBytes(bytes).replace(/\.?0+ /, ' ')
}

/** A time in milliseconds as Go programs write it: `34ms`, `1.234s`, `2m5.1s`. */
export function formatDuration(milliseconds: number): string {
  const whole = Math.round(milliseconds)
  if (whole < 1000) return `${whole}ms`
  const minutes = Math.floor(whole / 60_000)
  const seconds = `${(whole % 60_000) / 1000}s`
  return minutes === 0 ? seconds : `${minutes < 60 ? '' : `${Math.floor(minutes / 60)}h`}${minutes % 60}m${seconds}`
}

/** A time in seconds: `42s`, `3m05s`, `1h02m`. */
export function formatTime(seconds: number): string {
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole}s`
  const two = (value: number) => String(value).padStart(2, '0')
  if (whole < 3600) return `${Math.floor(whole / 60)}m${two(whole % 60)}s`
  return `${Math.floor(whole / 3600)}h${two(Math.floor((whole % 3600) / 60))}m`
}

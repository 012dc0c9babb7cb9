const SECONDS = /^\d{1,30}(?:\.\d{1,10})?(?:e\d{1,3})?$/i
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const TIME = String.raw`(?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)`
const MONTH = `(?<month>${MONTHS.join('|')})`
/** The three forms of RFC 9110, section 5.6.7: IMF-fixdate, RFC 850 and asctime. */
const DATES = [
  new RegExp(String.raw`^[A-Z][a-z]{2}, (?<day>\d\d) ${MONTH} (?<year>\d{4}) ${TIME} GMT$`),
  new RegExp(String.raw`^[A-Z][a-z]{5,8}, (?<day>\d\d)-${MONTH}-(?<year>\d\d) ${TIME} GMT$`),
  new RegExp(String.raw`^[A-Z][a-z]{2} ${MONTH} (?<day>[ \d]\d) ${TIME} (?<year>\d{4})$`),
]

/**
 * How long a server asks to wait (RFC 9110, section 10.2.3), in milliseconds.
 * @param value of `Retry-After`: seconds, or a date
 * @param now milliseconds since 1970
 * @returns undefined for what is missing, not understood, or over already
 */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  const text = value?.trim() ?? ''
  if (SECONDS.test(text)) return Number(text) * 1000
  const date = parseHttpDate(text, now)
  return date === undefined || date <= now ? undefined : date - now
}

/**
 * Parses an HTTP date in any of its three forms, to milliseconds since 1970.
 * @param now decides on the century of a year of two digits
 */
export function parseHttpDate(text: string, now: number): number | undefined {
  for (const form of DATES) {
    const parts = form.exec(text)?.groups
    if (parts === undefined) continue
    const { year = '', month = '', day = '', hour = '', minute = '', second = '' } = parts
    const fullYear = year.length === 2 ? centuryOf(Number(year), now) : Number(year)
    return Date.UTC(fullYear, MONTHS.indexOf(month), Number(day), Number(hour), Number(minute), Number(second))
  }
  return undefined
}

/** A year that looks more than 50 years ahead is one of the past. */
function centuryOf(year: number, now: number): number {
  const current = new Date(now).getUTCFullYear()
  const guess = current - (current % 100) + year
  return guess > current + 50 ? guess - 100 : guess
}

/** The side of a copy that a group of flags is for; no prefix where there is only one target. */
export type FlagPrefix = '' | 'from-' | 'to-'

/** Where the parser stores the value of a flag: `from-plain-http` as `fromPlainHttp`. */
export function keyOf(prefix: FlagPrefix, flag: string): string {
  return `${prefix}${flag}`.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

/** The values of a group of flags without their prefix. */
export function valuesOf<Values>(
  values: Readonly<Record<string, unknown>>,
  prefix: FlagPrefix,
  flags: readonly string[],
): Partial<Values> {
  return Object.fromEntries(flags.map((flag) => [keyOf('', flag), values[keyOf(prefix, flag)]])) as Partial<Values>
}

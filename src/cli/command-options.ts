import type { Side } from './arguments.js'
import type { AnyCommand } from './command.js'
import { accessOptions } from './options/access.js'
import { connectionOptions } from './options/connection.js'
import { formatOptions } from './options/format.js'
import type { Options } from './options/option.js'
import { progressOptions } from './options/transfer.js'

/** Every flag that a command takes: its own, those of its targets, and those of all commands, which its own replace. */
export function optionsOf(command: AnyCommand): Options {
  const own = command.options ?? {}
  const shared: Options = {
    ...formatOptions(command.formats),
    ...(command.progress === undefined ? {} : progressOptions),
    ...Object.fromEntries(sidesOf(command).flatMap((declaration) => Object.entries(accessOptions(declaration)))),
    ...connectionOptions,
  }
  const taken = new Set(Object.values(own).flatMap(({ long, short }) => [long, short ?? long]))
  const kept = Object.entries(shared)
    .filter(([key, { long }]) => !(key in own) && !taken.has(long))
    .map(([key, option]) => {
      const isShortTaken = option.short !== undefined && taken.has(option.short)
      return [key, isShortTaken ? { ...option, short: undefined } : option] as const
    })
  return { ...own, ...Object.fromEntries(kept) }
}

/** The usage line behind the flags. */
export function usageOf({ usage, arguments: taken = {} }: AnyCommand): string {
  return (
    usage ??
    Object.values(taken)
      .map((argument) => argument.usage)
      .join(' ')
  )
}

/** What the targets of a command say of the flags that reach them, one for each side. */
export function sidesOf({ arguments: taken = {} }: AnyCommand) {
  const sides = new Map<Side, { side: Side; referrers: boolean; layout: boolean }>()
  for (const { side, flags } of Object.values(taken)) {
    if (side === undefined) continue
    const known = sides.get(side)
    sides.set(side, {
      side,
      referrers: flags.referrers || known?.referrers === true,
      layout: flags.layout || known?.layout === true,
    })
  }
  return [...sides.values()]
}

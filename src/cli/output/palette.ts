import type { Context, OutputStream } from '../context.js'
import { wantsColour } from '../options/environment.js'

/** Paints a piece of text. */
export type Paint = (text: string) => string

/** The colours of gantry's output; each leaves text as it is where colours are not wanted. */
export interface Palette {
  readonly digest: Paint
  readonly artifactType: Paint
  readonly annotations: Paint
  readonly good: Paint
  readonly odd: Paint
  readonly bad: Paint
}

const plain: Paint = (text) => text

/** Off a terminal. */
export const PLAIN_PALETTE: Palette = {
  digest: plain,
  artifactType: plain,
  annotations: plain,
  good: plain,
  odd: plain,
  bad: plain,
}

/** The palette for a stream; chalk is loaded only where there is a terminal that wants colours. */
export async function paletteFor(
  stream: OutputStream,
  { environment }: Pick<Context, 'environment'>,
): Promise<Palette> {
  if (!wantsColour(environment, stream.isTTY === true)) return PLAIN_PALETTE
  const { Chalk } = await import('chalk')
  const chalk = new Chalk({ level: 1 })
  return {
    digest: chalk.green,
    artifactType: chalk.yellowBright,
    annotations: chalk.gray,
    good: chalk.green,
    odd: chalk.yellow,
    bad: chalk.red,
  }
}

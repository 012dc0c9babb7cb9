import type { Readable, Writable } from 'node:stream'

/** An output stream and what is known of the terminal behind it. */
export type OutputStream = Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number }

/** An input stream and what is known of the terminal behind it. */
export type InputStream = Readable & { readonly isTTY?: boolean; setRawMode?(mode: boolean): unknown }

/**
 * The world as a command sees it. The program passes the process's own; tests pass their own and run commands side by
 * side in one process.
 */
export interface Context {
  readonly stdin: InputStream
  readonly stdout: OutputStream
  readonly stderr: OutputStream
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Undefined where the user has none. */
  readonly homeFolder: string | undefined
  /** Fires on ctrl-C, on termination and when `--timeout` is over. */
  readonly signal: AbortSignal
  /** Name that the program was called by, for usage lines. */
  readonly programName: string
}

import type { Context } from './context.js'
import { readConnection } from './options/connection.js'
import { Session } from './session.js'

/** Runs a command's work with a session, and closes it whatever happens. */
export async function withSession<Result>(
  context: Context,
  values: object,
  work: (session: Session) => Promise<Result>,
): Promise<Result> {
  const session = new Session(context, readConnection(values as Readonly<Record<string, unknown>>))
  try {
    return await work(session)
  } finally {
    await session.close()
  }
}

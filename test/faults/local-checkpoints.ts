import { existsSync } from 'node:fs'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { acquireFileLock } from '../../src/util/file-lock.js'
import { UPLOAD } from './fault-bench.js'
import { cutRequest, ignore, reply, stallAnswer } from './faults.js'
import type { Fault, FaultPlace } from './faulty-wire.js'
import type { LocalBench } from './local-bench.js'

/** A command that has come so far and goes no further. */
export interface Held {
  /** Gets ready what the command needs to be run again, to its end. */
  readonly release?: () => Promise<void>
}

/**
 * A place at which a command stands still until the test goes on. It is arranged before the command starts, and the
 * promise comes when the command is there.
 */
export type Arrange = (bench: LocalBench) => Promise<() => Promise<Held>>

/** How far a request gets. */
export type Progress =
  'unanswered' | 'half answered' | 'almost answered' | 'half sent' | 'done and unanswered' | 'refused for now'

/** Configs are uploaded too, and are not meant. */
export const LARGE: FaultPlace = { when: ({ request }) => Number(request.headers['content-length']) > 1024 * 1024 }

/** Stops at one request. */
export function atRequest(method: string, path: RegExp, progress: Progress, place: FaultPlace = {}): Arrange {
  return (bench) => {
    const arrived = new Promise<Held>((resolve) => {
      const hold = holdOf(progress)
      bench.wire.on(
        method,
        path,
        async (passage) => {
          await hold(passage)
          resolve({})
        },
        place,
      )
    })
    return Promise.resolve(() => arrived)
  }
}

function holdOf(progress: Progress): Fault {
  switch (progress) {
    case 'unanswered':
      return ignore
    case 'half answered':
      return stallAnswer(0.5)
    case 'almost answered':
      return stallAnswer(0.999)
    case 'half sent':
      return async (passage) => {
        // What the registry makes of half a request is its own affair.
        await passage
          .askPartly(Math.floor(Number(passage.request.headers['content-length']) / 2))
          .catch(() => undefined)
      }
    case 'done and unanswered':
      return async (passage) => {
        await passage.ask()
      }
    case 'refused for now':
      return reply({ status: 503, headers: { 'retry-after': '30' } })
  }
}

/** Stops in the middle of the rest of a file, whose first part arrived before a connection broke. */
export const atRestOfUpload: Arrange = (bench) => {
  bench.wire.on('PUT', UPLOAD, cutRequest(1_500_000), LARGE)
  return atRequest('PATCH', UPLOAD, 'half sent')(bench)
}

/** Stops where the lock of a file is wanted, which somebody else has. */
export function atLock(pathOf: (bench: LocalBench) => string, requests: number): Arrange {
  return async (bench) => {
    const release = await acquireFileLock(`${pathOf(bench)}.lock`)
    return async () => {
      while (bench.wire.ledger.length < requests) await sleep(5)
      // Nothing tells that somebody waits for a lock.
      await sleep(200)
      return { release }
    }
  }
}

/** Stops where a credential helper is called, which writes down its process number. */
export const atHelper: Arrange = async (bench) => {
  const helper = join(bench.programs, 'docker-credential-slow')
  const go = join(bench.programs, 'go')
  const script = `#!/bin/sh\ncat > /dev/null\n[ -e ${go} ] && echo '{}' && exit 0\necho $$ > ${helperPidFile(bench)}\nexec sleep 60\n`
  await writeFile(helper, script)
  await chmod(helper, 0o755)
  const config = (await readFile(bench.configFile, 'utf8')).slice(0, -1)
  await writeFile(bench.configFile, `${config},"credHelpers":{"${bench.wire.host}":"slow"}}`)
  return async () => {
    while (!existsSync(helperPidFile(bench)) || (await helperPidOf(bench)) === undefined) await sleep(5)
    return { release: () => writeFile(go, '') }
  }
}

/** Stops where a command waits for something from its person, of which nothing tells. */
export const atPerson: Arrange = () =>
  Promise.resolve(async () => {
    await sleep(400)
    return {}
  })

/** The process number of the credential helper, when it has started. */
export async function helperPidOf(bench: LocalBench): Promise<number | undefined> {
  if (!existsSync(helperPidFile(bench))) return undefined
  const pid = Number(await readFile(helperPidFile(bench), 'utf8'))
  return pid > 0 ? pid : undefined
}

function helperPidFile(bench: LocalBench): string {
  return join(bench.programs, 'pid')
}

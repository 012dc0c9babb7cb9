import { describe, test } from 'vitest'
import { BLOB, MANIFEST, TOKEN, UPLOAD, UPLOADS } from './fault-bench.js'
import { LocalBench } from './local-bench.js'
import { atHelper, atLock, atPerson, atRequest, atRestOfUpload, LARGE, type Progress } from './local-checkpoints.js'
import {
  copyToLayout,
  copyToRegistry,
  copyWithinRegistry,
  login,
  pull,
  push,
  type KilledCommand,
} from './local-commands.js'
import type { FaultPlace } from './faulty-wire.js'
import { killAt, KILLS, type Checkpoint } from './local-kills.js'

type Row = readonly [string, KilledCommand, Checkpoint]

const PING = /^\/v2\/$/
const SECOND: FaultPlace = { skip: 1 }

const get = (path: RegExp, progress: Progress, place?: FaultPlace): Checkpoint => ({
  arrange: atRequest('GET', path, progress, place),
})
const head = (path: RegExp, progress: Progress, place?: FaultPlace): Checkpoint => ({
  arrange: atRequest('HEAD', path, progress, place),
})
const put = (path: RegExp, progress: Progress, place?: FaultPlace): Checkpoint => ({
  arrange: atRequest('PUT', path, progress, place),
})
const open = (progress: Progress): Checkpoint => ({ arrange: atRequest('POST', UPLOADS, progress) })

/** Questions are asked twice where a token is wanted for the answer. */
const ROWS: readonly Row[] = [
  ['pull, before it is told to log in', pull, get(MANIFEST, 'unanswered')],
  ['pull, while a credential helper looks for the password', pull, { arrange: atHelper }],
  ['pull, while it waits for a token', pull, get(TOKEN, 'unanswered')],
  ['pull, in the middle of the token', pull, get(TOKEN, 'half answered')],
  ['pull, in the middle of the manifest', pull, get(MANIFEST, 'half answered', SECOND)],
  ['pull, while it waits to ask again', pull, get(MANIFEST, 'refused for now', SECOND)],
  ['pull, before the first file', pull, get(BLOB, 'unanswered')],
  ['pull, in the middle of the first file', pull, { ...get(BLOB, 'half answered'), hasTemporary: true }],
  ['pull, between a file and a folder', pull, { ...get(BLOB, 'unanswered', SECOND), hasTemporary: true }],
  ['pull, in the middle of a folder', pull, { ...get(BLOB, 'half answered', SECOND), hasTemporary: true }],
  ['pull, shortly before the end', pull, { ...get(BLOB, 'almost answered', SECOND), hasTemporary: true }],

  ['push, before it is told to log in', push, head(MANIFEST, 'unanswered')],
  ['push, while it waits for a token', push, get(TOKEN, 'unanswered', SECOND)],
  ['push, while it asks for blobs', push, head(BLOB, 'unanswered')],
  ['push, before an upload is opened', push, open('unanswered')],
  ['push, when an upload is open and it does not know', push, { ...open('done and unanswered'), leavesUpload: true }],
  ['push, in the middle of a file', push, { ...put(UPLOAD, 'half sent', LARGE), hasTemporary: true }],
  ['push, in the middle of the rest of a file', push, { arrange: atRestOfUpload }],
  ['push, when a file has arrived and it does not know', push, put(UPLOAD, 'done and unanswered', LARGE)],
  ['push, before the manifest has arrived', push, put(MANIFEST, 'unanswered')],
  ['push, when the manifest has arrived and it does not know', push, put(MANIFEST, 'done and unanswered')],

  ['copy to a layout, before the manifest', copyToLayout, get(MANIFEST, 'unanswered', SECOND)],
  ['copy to a layout, in the middle of a blob', copyToLayout, { ...get(BLOB, 'half answered'), hasTemporary: true }],
  [
    'copy to a layout, shortly before the end of a blob',
    copyToLayout,
    { ...get(BLOB, 'almost answered'), hasTemporary: true },
  ],
  [
    'copy to a layout, while somebody else changes its index',
    copyToLayout,
    { arrange: atLock((bench) => bench.path('layout/index.json'), 4) },
  ],
  ['copy to a registry, while it asks what is there', copyToRegistry, head(MANIFEST, 'unanswered')],
  ['copy to a registry, in the middle of a blob', copyToRegistry, put(UPLOAD, 'half sent', LARGE)],
  ['copy to a registry, before the manifest has arrived', copyToRegistry, put(MANIFEST, 'unanswered')],
  ['copy to a registry, when the manifest has arrived', copyToRegistry, put(MANIFEST, 'done and unanswered')],
  ['copy within a registry, before a blob is taken over', copyWithinRegistry, open('unanswered')],
  ['copy within a registry, while it waits to ask again', copyWithinRegistry, head(MANIFEST, 'refused for now')],

  ['login, before the password comes', login, { arrange: atPerson, stdin: null }],
  ['login, before it is told to log in', login, get(PING, 'unanswered')],
  ['login, while it waits for a token', login, get(TOKEN, 'unanswered')],
  ['login, in the middle of the token', login, get(TOKEN, 'half answered')],
  ['login, while it waits to ask again', login, get(TOKEN, 'refused for now')],
  ['login, while the token is tried', login, get(PING, 'unanswered', SECOND)],
  ['login, when the token was found good', login, get(PING, 'done and unanswered', SECOND)],
  ['login, while somebody else writes the file', login, { arrange: atLock((bench) => bench.configFile, 3) }],
  ['login, while a credential helper keeps the password', login, { arrange: atHelper }],
]

describe.each(KILLS)('32: %s ends the command and leaves nothing half done:', (_name, kill) => {
  const rows = ROWS.filter((_row, index) => index % (kill.every ?? 1) === 0)
  test.concurrent.for(rows)('32: %s', async ([, command, checkpoint], { onTestFinished }) => {
    const bench = await LocalBench.open({ auth: 'bearer', atEnd: onTestFinished })
    await killAt(bench, command, checkpoint, kill)
  })
})

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { digestOf } from '../../src/oci/digest.js'
import { fc, replayedCommands, runs } from '../properties.js'
import { STORAGES } from './storages.js'
import { startTestRegistry, type Answer, type TestRegistry } from './test-registry.js'

/** One upload as the model sees it. */
interface Session {
  readonly path: string
  received: string
  isOpen: boolean
}

interface Model {
  readonly repository: string
  readonly sessions: Session[]
  readonly blobs: Map<string, string>
}

type Command = fc.AsyncCommand<Model, TestRegistry>

const piece = fc.stringMatching(/^[a-z]{1,8}$/)

/** A step on one of the uploads, whether it is open still or not. */
function onSession(
  name: string,
  which: number,
  work: (session: Session, model: Model, registry: TestRegistry) => Promise<void>,
): Command {
  return {
    check: ({ sessions }) => sessions.length > 0,
    toString: () => `${name} of ${which}`,
    run: async (model, registry) => {
      const session = model.sessions[which % model.sessions.length]
      if (session === undefined) throw new Error('no session')
      await work(session, model, registry)
      await check(model, registry)
    },
  }
}

/** Every upload stands where the model has it, and every blob is there in full. */
async function check({ repository, sessions, blobs }: Model, registry: TestRegistry): Promise<void> {
  for (const { path, received, isOpen } of sessions) {
    const { status, headers } = await registry.send('GET', path)
    expect(status).toBe(isOpen ? 204 : 404)
    if (isOpen) expect([headers.range, headers.location]).toEqual([`0-${Math.max(0, received.length - 1)}`, path])
  }
  for (const [digest, content] of blobs) {
    expect((await registry.send('GET', `/v2/${repository}/blobs/${digest}`)).text).toBe(content)
  }
}

function expectUnknown({ status, code }: Answer): void {
  expect([status, code]).toEqual([404, 'BLOB_UPLOAD_UNKNOWN'])
}

const number = fc.nat(3)
const commands: fc.Arbitrary<Command>[] = [
  fc.constant({
    check: () => true,
    toString: () => 'open',
    run: async (model, registry) => {
      model.sessions.push({ path: await registry.openUpload(model.repository), received: '', isOpen: true })
      await check(model, registry)
    },
  }),
  fc.tuple(number, piece, fc.integer({ min: -1, max: 1 }), fc.boolean()).map(([which, body, shift, isStream]) =>
    onSession(`patch "${body}" ${isStream ? '' : shift}`, which, async (session, _, registry) => {
      const start = session.received.length + shift
      const headers = isStream ? {} : { 'Content-Range': `${start}-${start + body.length - 1}` }
      const answer = await registry.send('PATCH', session.path, { headers, body })
      if (!session.isOpen) expectUnknown(answer)
      else if (isStream || shift === 0) {
        session.received += body
        expect([answer.status, answer.headers.range]).toEqual([202, `0-${session.received.length - 1}`])
      } else if (start < 0) expect(answer.status).toBe(400)
      else expect([answer.status, answer.headers.range]).toEqual([416, `0-${Math.max(0, session.received.length - 1)}`])
    }),
  ),
  fc
    .tuple(number, fc.option(piece, { nil: '' }), fc.constantFrom('right', 'right', 'wrong', 'malformed', 'none'))
    .map(([which, body, kind]) =>
      onSession(`finish ${kind} with "${body}"`, which, async (session, model, registry) => {
        const content = session.received + body
        const digest = { right: digestOf(content), wrong: digestOf(`${content}!`), malformed: 'sha256:abc', none: '' }[
          kind
        ]
        const answer = await registry.send('PUT', `${session.path}${digest === '' ? '' : `?digest=${digest}`}`, {
          body,
        })
        if (!session.isOpen) {
          expectUnknown(answer)
          return
        }
        if (kind === 'right') {
          session.isOpen = false
          model.blobs.set(digest, content)
          expect([answer.status, answer.headers['docker-content-digest']]).toEqual([201, digest])
          return
        }
        expect([answer.status, answer.code]).toEqual([400, 'DIGEST_INVALID'])
        // What the digest does not fit is thrown away; a request that cannot be understood changes nothing.
        if (kind === 'wrong') session.isOpen = false
        if (kind === 'wrong')
          expect((await registry.send('HEAD', `/v2/${model.repository}/blobs/${digest}`)).status).toBe(404)
      }),
    ),
  number.map((which) =>
    onSession('give up', which, async (session, _, registry) => {
      const answer = await registry.send('DELETE', session.path)
      if (session.isOpen) expect(answer.status).toBe(204)
      else expectUnknown(answer)
      session.isOpen = false
    }),
  ),
  number.map((which) =>
    onSession('look from another repository', which, async (session, { repository }, registry) => {
      expectUnknown(await registry.send('GET', session.path.replace(`/v2/${repository}/`, '/v2/other/')))
    }),
  ),
]

describe.each(STORAGES)('uploads $name', ({ options }) => {
  test('stand where the requests have brought them, in any order', async () => {
    const settings = options()
    const registry = await startTestRegistry({ ...settings, maxUploads: 100_000 })
    let count = 0
    await fc.assert(
      fc.asyncProperty(fc.commands(commands, { maxCommands: 15, size: '+1', ...replayedCommands }), async (steps) => {
        const model: Model = { repository: `team/app-${count++}`, sessions: [], blobs: new Map() }
        await fc.asyncModelRun(() => ({ model, real: registry }), steps)
        for (const { path, isOpen } of model.sessions) if (isOpen) await registry.send('DELETE', path)
        // Nothing is left of what was given up, refused or finished.
        if (settings.folder !== undefined) expect(readdirSync(join(settings.folder, 'uploads'))).toEqual([])
      }),
      runs(0.15),
    )
  })
})

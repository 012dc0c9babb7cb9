import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { Emulator } from '../../emulator/emulator.js'
import { PROFILES } from '../../emulator/profiles/profiles.js'
import type { ProfileName } from '../../emulator/profiles/profile.js'
import { registriesUnderTest, startRegistry, type RunningRegistry } from '../harness/registries.js'
import { CONVERSATIONS, type Line } from './conversations.js'

/** Which emulated registry stands for which real one. */
const PROFILE_OF: Readonly<Record<string, ProfileName>> = {
  'docker-registry': 'distribution-2.8',
  registry: 'distribution-3',
  olareg: 'spec',
}

const kinds = registriesUnderTest().filter(({ name }) => name in PROFILE_OF)

/** Where olareg does not do, or does more than, what the specification says, or it leaves the choice to the registry. */
const OLAREG_WAYS = [
  // Another error code, or 400 where an upload is unknown.
  'upload in one request: wrong digest',
  'upload in chunks: finished',
  'a chunk in the wrong place: patch',
  'an upload that is given up: delete',
  'an upload that is given up: status',
  'what is no endpoint: unknown upload',
  // No repository has no tags; no referrers are null.
  'tags: of nothing',
  'referrers: of nothing',
  // 400 for what a manifest lacks, children of an index included; larger manifests are taken.
  'manifests that are refused: missing blob',
  'manifests that are refused: missing child',
  'manifests that are refused: too large',
]

/** What the specification leaves to the registry: the state in an address, and headers that it asks for elsewhere only. */
function withoutChoices(line: Line): Line {
  const { location, range, 'docker-content-digest': digest, 'accept-ranges': _, link, ...headers } = line.headers
  const isBlob = location?.includes('/blobs/sha256:') === true
  return {
    ...line,
    headers: {
      ...headers,
      ...(location === undefined ? {} : { location: location.replace('?<state>', '') }),
      ...(link === undefined ? {} : { link: plainLink(link) }),
      // Nothing received has no range.
      ...(range === undefined || range === '0-0' ? {} : { range }),
      ...(digest === undefined || isBlob ? {} : { 'docker-content-digest': digest }),
    },
  }
}

/** A Link by its target, with the query in a fixed order, and its relation. */
function plainLink(link: string): string {
  const [, path = '', query = '', relation = ''] = /^<([^?]+)\?(.+)>; rel="?(\w+)"?$/.exec(link) ?? []
  return `${path} ${query.split('&').sort().join('&')} ${relation}`
}

/** The lines of a conversation that both have to agree on. */
function compared(name: string, kind: string, lines: readonly Line[]): readonly Line[] {
  if (kind !== 'olareg') return lines
  // It answers by what a request accepts, which the specification allows.
  if (name === 'what is not accepted') return []
  return lines.filter(({ what }) => !OLAREG_WAYS.includes(`${name}: ${what}`)).map(withoutChoices)
}

describe.runIf(inject('registries').some((name) => name in PROFILE_OF))('emulated and real registries', () => {
  describe.each(kinds)('$name', (kind) => {
    const profile = PROFILE_OF[kind.name] ?? 'spec'
    let real: RunningRegistry
    let emulator: Emulator

    beforeAll(async () => {
      real = await startRegistry(kind)
      emulator = await Emulator.start({ ...PROFILES[profile].options, auth: {} })
    })
    afterAll(async () => {
      await emulator.close()
      await real.stop()
    })

    test.each(Object.keys(CONVERSATIONS))(`${profile} answers like ${kind.name}: %s`, async (name) => {
      const hold = CONVERSATIONS[name]
      const [answered = [], emulated = []] = [await hold?.(`http://${real.host}`), await hold?.(emulator.url)]
      expect(answered.length).toBeGreaterThan(0)
      expect(compared(name, kind.name, emulated)).toEqual(compared(name, kind.name, answered))
    })
  })
})

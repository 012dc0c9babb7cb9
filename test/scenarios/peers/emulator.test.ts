import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { Emulator } from '../../emulator/emulator.js'
import { PROFILES } from '../../emulator/profiles/profiles.js'
import type { ProfileName } from '../../emulator/profiles/profile.js'
import { registriesUnderTest, startRegistry, type RunningRegistry } from '../harness/registries.js'
import type { Line } from './conversation.js'
import { CONVERSATIONS } from './conversations.js'
import { KNOWN_WAYS } from './known-ways.js'

/** Which emulated registry stands for which real one. */
const PROFILE_OF: Readonly<Record<string, ProfileName>> = {
  'docker-registry': 'distribution-2.8',
  registry: 'distribution-3',
  olareg: 'spec',
}

const kinds = registriesUnderTest().filter(({ name }) => name in PROFILE_OF)

/** What the specification leaves to the registry: the state in an address, and headers that it asks for elsewhere only. */
function withoutChoices(line: Line): Line {
  const { location, range, 'docker-content-digest': digest, 'accept-ranges': _, link, ...headers } = line.headers
  const isBlob = /\/blobs\/sha(256|512):/.test(location ?? '')
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

/** The lines of a conversation as both have to agree on them. */
function compared(name: string, kind: string, lines: readonly Line[]): readonly Line[] {
  if (kind !== 'olareg') return lines
  // It answers by what a request accepts, which the specification allows.
  return name === 'what is not accepted' ? [] : lines.map(withoutChoices)
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
      const ways = KNOWN_WAYS[kind.name] ?? []
      const isKnown = ({ what }: Line): boolean => ways.includes(`${name}: ${what}`)
      const [theirs, ours] = [compared(name, kind.name, answered), compared(name, kind.name, emulated)]
      expect(ours.filter((line) => !isKnown(line))).toEqual(theirs.filter((line) => !isKnown(line)))
      for (const [index, line] of theirs.entries()) if (isKnown(line)) expect(ours[index]).not.toEqual(line)
    })
  })
})

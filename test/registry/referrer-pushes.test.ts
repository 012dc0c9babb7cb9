import { createHash } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { plainDescriptor } from '../../src/oci/descriptor.js'
import { MediaType } from '../../src/oci/media-types.js'
import { openBytes } from '../../src/util/bytes.js'
import type { ScriptedExchange } from './http/scripted-server.js'
import { manifestWith, NAME, startTestRegistry, type TestRegistry } from './test-registry.js'

const subject = plainDescriptor(manifestWith().descriptor)
const LIST = `/v2/${NAME}/referrers/${subject.digest}`

interface ForgetfulRegistry extends TestRegistry {
  listed(): string[]
  puts(): number
  lists(): number
}

interface ForgetfulOptions {
  /** Of the answer to a question for the list. */
  readonly status?: number
  /** Whether it gets to the requests of one connection one after the other, as most servers do. */
  readonly keepsOrder?: boolean
}

/** A registry that keeps the list of referrers, and forgets entries that are added at the same time. */
async function startForgetfulRegistry(options: ForgetfulOptions = {}): Promise<ForgetfulRegistry> {
  const { status = 200, keepsOrder = true } = options
  let listed: { digest: string; size: number; mediaType: string }[] = []
  const before = new Map<number, Promise<void>>()
  const registry = await startTestRegistry((exchange) => {
    const { connection } = exchange.entry
    const turn = keepsOrder ? (before.get(connection) ?? Promise.resolve()) : Promise.resolve()
    const done = turn.then(() => serve(exchange))
    before.set(connection, done)
    return done
  })
  const serve = async ({ request, entry, answer }: ScriptedExchange): Promise<void> => {
    if (request.method === 'PUT') {
      const before = listed
      await wait(10)
      const digest = `sha256:${createHash('sha256').update(entry.bodyText).digest('hex')}`
      const others = before.filter((one) => one.digest !== digest)
      listed = [...others, { mediaType: MediaType.imageManifest, digest, size: entry.bodySize }]
      answer(201, { 'oci-subject': subject.digest })
    } else if (request.url === LIST) {
      answer(status, { 'content-type': MediaType.imageIndex }, { schemaVersion: 2, manifests: listed })
    } else answer(404)
  }
  const count = (method: string) => () => registry.requests().filter((line) => line.startsWith(method)).length
  return {
    ...registry,
    listed: () => listed.map(({ digest }) => digest),
    puts: count('PUT'),
    lists: count(`GET ${LIST}`),
  }
}

function pushes(registry: TestRegistry, count: number): Promise<void>[] {
  const repository = registry.repository()
  return Array.from({ length: count }, (_, number) => {
    const { descriptor, bytes } = manifestWith({ subject, annotations: { number: String(number) } })
    return repository.push(descriptor, openBytes(bytes))
  })
}

describe('referrers that are pushed at the same time', () => {
  test('are all listed in the end', async () => {
    const registry = await startForgetfulRegistry()
    await Promise.all(pushes(registry, 20))
    expect(new Set(registry.listed()).size).toBe(20)
  })

  test('in several waves are, too', async () => {
    const registry = await startForgetfulRegistry()
    await Promise.all([
      ...pushes(registry, 5),
      wait(15).then(() => Promise.all(pushes(registry, 9))),
      wait(25).then(() => Promise.all(pushes(registry, 12))),
      wait(60).then(() => Promise.all(pushes(registry, 14))),
    ])
    expect(new Set(registry.listed()).size).toBe(14)
  })

  test('cost a second request each at most, and few questions', async () => {
    const registry = await startForgetfulRegistry()
    await Promise.all(pushes(registry, 20))
    expect(registry.puts()).toBeLessThan(40)
    expect(registry.lists()).toBeLessThanOrEqual(3)
  })

  test('are all listed where something in between does not keep to the order', async () => {
    const registry = await startForgetfulRegistry({ keepsOrder: false })
    await Promise.all(pushes(registry, 20))
    expect(new Set(registry.listed()).size).toBe(20)
  })

  test('are not looked for where the registry does not say', async () => {
    const registry = await startForgetfulRegistry({ status: 403 })
    await Promise.all(pushes(registry, 3))
    expect(registry.puts()).toBe(3)
  })

  test('fail each for itself', async () => {
    const registry = await startForgetfulRegistry()
    const broken = manifestWith({ subject, annotations: { broken: 'yes' } })
    const results = await Promise.allSettled([
      ...pushes(registry, 4),
      registry.repository().push(broken.descriptor, openBytes(new Uint8Array(broken.bytes.length))),
    ])
    expect(results.map(({ status }) => status)).toEqual([...Array.from({ length: 4 }, () => 'fulfilled'), 'rejected'])
    expect(new Set(registry.listed()).size).toBe(4)
  })
})

test('one after the other cost nothing more', async () => {
  const registry = await startForgetfulRegistry()
  for (const push of [0, 1, 2]) {
    const { descriptor, bytes } = manifestWith({ subject, annotations: { push: String(push) } })
    await registry.repository().push(descriptor, openBytes(bytes))
  }
  expect(registry.puts()).toBe(3)
  // Only the question whether there is the API.
  expect(registry.lists()).toBe(1)
})

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { isGantryError } from '../../src/errors.js'
import { plainDescriptor } from '../../src/oci/descriptor.js'
import { isIndexType, isManifestType, MediaType } from '../../src/oci/media-types.js'
import { LayoutStore } from '../../src/store/layout.js'
import { fc, replayedCommands, runs } from '../properties.js'
import { temporaryFolder } from '../util/temporary-folder.js'
import { blob, emptyConfig, index, listAll, manifest, readAll, type Content } from './content.js'
import { blobFile, listedIn } from './layout-folder.js'

const blobs = [blob(0), blob(1), blob(70_000)]
const base = manifest({ layers: blobs.map(({ descriptor }) => descriptor) })
const referrer = manifest({ subject: base.descriptor })
const inner = index([base.descriptor, referrer.descriptor])
const outer = index([inner.descriptor, base.descriptor], { subject: referrer.descriptor })
const contents: readonly Content[] = [...blobs, emptyConfig, base, referrer, inner, outer]
const TAGS = ['v1', 'v2', 'any name'] as const

/** What a layout is believed to hold. */
interface Model {
  readonly present: Set<Content>
  readonly tags: Map<string, Content>
}

/** Two programs that work on one folder in turn. */
interface Real {
  readonly folder: string
  readonly stores: LayoutStore[]
}

const isManifest = ({ descriptor }: Content): boolean => isManifestType(descriptor.mediaType)

/** What the indexes lead to that are listed, or lie in one that is. */
function containedIn({ present }: Model): Set<string> {
  const indexes = [...present].filter(({ descriptor }) => isIndexType(descriptor.mediaType))
  return new Set(
    indexes.flatMap(({ bytes }) =>
      (JSON.parse(Buffer.from(bytes).toString()) as { manifests: { digest: string }[] }).manifests.map(
        ({ digest }) => digest,
      ),
    ),
  )
}

/** Looks at everything, through both programs and on the disk. */
async function check(model: Model, { folder, stores }: Real): Promise<void> {
  for (const store of stores) {
    expect(await listAll(store.tags())).toEqual([...model.tags.keys()].sort())
    for (const [tag, { descriptor }] of model.tags)
      expect(plainDescriptor(await store.resolve(tag))).toEqual(plainDescriptor(descriptor))
    for (const content of contents) {
      const { descriptor, bytes } = content
      const isThere = model.present.has(content)
      expect(await store.has(descriptor), descriptor.mediaType).toBe(isThere)
      if (!isThere) await expect(store.resolve(descriptor.digest)).rejects.toMatchObject({ code: 'not-found' })
      else if (isManifest(content))
        expect(Buffer.from((await store.readManifest(descriptor.digest)).bytes).equals(bytes)).toBe(true)
      else expect(Buffer.from(await readAll(store.fetch(descriptor))).equals(bytes)).toBe(true)
    }
    const subjects = [
      [base, referrer],
      [referrer, outer],
    ] as const
    for (const [subject, expected] of subjects) {
      const found = await store.referrers(subject.descriptor)
      expect(found.map(({ digest }) => digest)).toEqual(model.present.has(expected) ? [expected.descriptor.digest] : [])
    }
  }
  checkFolder(model, folder)
}

function checkFolder(model: Model, folder: string): void {
  if (!existsSync(join(folder, 'index.json'))) {
    expect(model.present.size).toBe(0)
    return
  }
  expect(['blobs', 'index.json', 'oci-layout']).toEqual(expect.arrayContaining(readdirSync(folder)))
  const files = existsSync(join(folder, 'blobs/sha256')) ? readdirSync(join(folder, 'blobs/sha256')).sort() : []
  expect(files).toEqual([...model.present].map(({ descriptor }) => descriptor.digest.slice('sha256:'.length)).sort())
  for (const { descriptor, bytes } of model.present)
    expect(readFileSync(blobFile(folder, descriptor)).equals(bytes)).toBe(true)
  // Every manifest can be found, and what an index leads to is listed for its name alone.
  const listed = new Set(listedIn(folder).map(({ digest }) => digest as string))
  const contained = containedIn(model)
  const tagged = new Set([...model.tags.values()].map(({ descriptor }) => descriptor.digest as string))
  for (const { descriptor } of [...model.present].filter(isManifest)) {
    expect(listed.has(descriptor.digest) || contained.has(descriptor.digest)).toBe(true)
    if (contained.has(descriptor.digest)) expect(listed.has(descriptor.digest)).toBe(tagged.has(descriptor.digest))
  }
  expect([...listed].every((digest) => [...model.present].some(({ descriptor }) => descriptor.digest === digest))).toBe(
    true,
  )
}

/** One step: what it does to the model tells whether it has to succeed. */
function step(
  name: string,
  program: number,
  run: (store: LayoutStore) => Promise<void>,
  expectIn: (model: Model) => boolean,
): fc.AsyncCommand<Model, Real> {
  return {
    check: () => true,
    toString: () => `${program}: ${name}`,
    run: async (model, real) => {
      const store = real.stores[program]
      if (store === undefined) throw new Error('no such program')
      const isPossible = expectIn(model)
      if (isPossible) await run(store)
      else
        await expect(run(store)).rejects.toSatisfy((error) =>
          isGantryError(error, 'not-found', 'digest-mismatch', 'size-mismatch'),
        )
      // What a program has read of a manifest it believes until it opens the layout again.
      if (name.startsWith('delete')) real.stores[1 - program] = await LayoutStore.open(real.folder, { create: true })
      await check(model, real)
    },
  }
}

const program = fc.integer({ min: 0, max: 1 })
const manifestContent = fc.constantFrom(...contents.filter(isManifest))
const content = fc.oneof({ weight: 3, arbitrary: manifestContent }, fc.constantFrom(...contents))
const tag = fc.constantFrom(...TAGS)
const nameOf = (one: Content): string => String(contents.indexOf(one))

const commands = [
  fc.tuple(program, content).map(([at, one]) =>
    step(
      `push ${nameOf(one)}`,
      at,
      (store) => store.push(one.descriptor, one.open),
      ({ present }) => {
        present.add(one)
        return true
      },
    ),
  ),
  fc.tuple(program, manifestContent, tag).map(([at, one, name]) =>
    step(
      `push ${nameOf(one)} as ${name}`,
      at,
      (store) => store.push(one.descriptor, one.open, { tag: name }),
      ({ present, tags }) => {
        present.add(one)
        tags.set(name, one)
        return true
      },
    ),
  ),
  fc.tuple(program, content, content).map(([at, one, other]) =>
    step(
      `push ${nameOf(other)} for ${nameOf(one)}`,
      at,
      (store) => store.push(one.descriptor, other.open),
      ({ present }) => {
        // What is there already is not read again.
        const isRight = one === other
        if (isRight) present.add(one)
        return isRight || present.has(one)
      },
    ),
  ),
  fc.tuple(program, manifestContent, tag).map(([at, one, name]) =>
    step(
      `tag ${nameOf(one)} ${name}`,
      at,
      (store) => store.tag(one.descriptor, name),
      ({ present, tags }) => {
        if (present.has(one)) tags.set(name, one)
        return present.has(one)
      },
    ),
  ),
  fc.tuple(program, tag).map(([at, name]) =>
    step(
      `untag ${name}`,
      at,
      (store) => store.untag(name),
      ({ tags }) => tags.delete(name),
    ),
  ),
  fc.tuple(program, content).map(([at, one]) =>
    step(
      `delete ${nameOf(one)}`,
      at,
      (store) => store.delete(one.descriptor),
      ({ present, tags }) => {
        for (const [name, tagged] of tags) if (tagged === one) tags.delete(name)
        return present.delete(one)
      },
    ),
  ),
  program.map((at): fc.AsyncCommand<Model, Real> => ({
    check: ({ present }) => present.size > 0,
    toString: () => `${at}: open again`,
    run: async (model, real) => {
      real.stores[at] = await LayoutStore.open(real.folder)
      await check(model, real)
    },
  })),
]

test('a layout holds what two programs have put into it, whatever they do', async () => {
  const root = temporaryFolder()
  let count = 0
  await fc.assert(
    fc.asyncProperty(fc.commands(commands, { maxCommands: 20, size: '+1', ...replayedCommands }), async (steps) => {
      const folder = join(root, String(count++))
      mkdirSync(folder)
      const open = (): Promise<LayoutStore> => LayoutStore.open(folder, { create: true })
      const real = { folder, stores: [await open(), await open()] }
      await fc.asyncModelRun(
        () => ({ model: { present: new Set<Content>(), tags: new Map<string, Content>() }, real }),
        steps,
      )
      rmSync(folder, { recursive: true })
    }),
    runs(0.25),
  )
})

test('a layout holds what many write at once', async () => {
  const root = temporaryFolder()
  let count = 0
  const write = fc.tuple(
    program,
    fc.constantFrom(...contents.filter(({ descriptor }) => descriptor.mediaType !== MediaType.octetStream)),
    tag,
  )
  await fc.assert(
    fc.asyncProperty(fc.array(write, { minLength: 2, maxLength: 8 }), async (writes) => {
      const folder = join(root, String(count++))
      const stores = [
        await LayoutStore.open(folder, { create: true }),
        await LayoutStore.open(folder, { create: true }),
      ]
      const tagged = writes.filter(([, one]) => isManifest(one))
      await Promise.all(
        writes.map(async ([at, { descriptor, open }, name]) => {
          await stores[at]?.push(descriptor, open, isManifestType(descriptor.mediaType) ? { tag: name } : {})
        }),
      )
      for (const store of stores) {
        for (const [, { descriptor }] of writes) expect(await store.has(descriptor)).toBe(true)
        expect(await listAll(store.tags())).toEqual([...new Set(tagged.map(([, , name]) => name))].sort())
        for (const name of await listAll(store.tags())) {
          const candidates = tagged
            .filter(([, , other]) => other === name)
            .map(([, { descriptor }]) => descriptor.digest)
          expect(candidates).toContain((await store.resolve(name)).digest)
        }
      }
      expect(readdirSync(folder).sort()).toEqual(['blobs', 'index.json', 'oci-layout'])
      rmSync(folder, { recursive: true })
    }),
    runs(0.1),
  )
})

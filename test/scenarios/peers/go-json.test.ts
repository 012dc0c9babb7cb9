import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isGantryError } from '../../../src/errors.js'
import { descriptorOf, type Descriptor } from '../../../src/oci/descriptor.js'
import { digestOf } from '../../../src/oci/digest.js'
import { parseManifest, type Manifest } from '../../../src/oci/manifest.js'
import { MediaType } from '../../../src/oci/media-types.js'
import { foldKey } from '../../../src/util/json-structure.js'
import { fc } from '../../properties.js'
import { requestPeer } from '../harness/peers.js'

const go = requestPeer('go')

const DOCUMENTS = 4000

/** What Go's reader made of a document; its names are those of the program beside this file. */
interface GoResult {
  readonly Accepted: boolean
  readonly Document: GoFields & { readonly config: GoFields | null; readonly layers: GoFields[] | null } & {
    readonly manifests: GoFields[] | null
    readonly subject: GoFields | null
  }
}

interface GoFields {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
  readonly artifactType: string
  readonly annotations: Readonly<Record<string, string>> | null
}

/** Keys with letters in other cases, with letters that fold to ASCII, and escaped: some of them name what Go reads. */
const respelled = (key: string): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.array(fc.constantFrom('same', 'upper', 'fold', 'escape', 'same', 'same'), {
        minLength: key.length,
        maxLength: key.length,
      }),
      fc.nat(3),
    )
    .map(([ways, kind]) =>
      kind < 2
        ? key
        : Array.from(key, (letter, index) => {
            const way = ways[index]
            if (way === 'upper') return letter.toUpperCase()
            if (way === 'escape') return `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`
            if (way === 'fold') return { s: '\u017f', k: '\u212a', i: '\u0131' }[letter] ?? letter
            return letter
          }).join(''),
    )

const member = (key: string, value: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(respelled(key), value).map(([name, text]) => `"${name}":${text}`)

const object = (...members: fc.Arbitrary<readonly string[]>[]): fc.Arbitrary<string> =>
  fc
    .tuple(...members)
    .chain((lists) =>
      fc.shuffledSubarray(lists.flat(), { minLength: lists.flat().length }).map((all) => `{${all.join(',')}}`),
    )

const once = (key: string, value: fc.Arbitrary<string>): fc.Arbitrary<readonly string[]> =>
  fc.array(member(key, value), { minLength: 1, maxLength: 1 })
const sometimes = (key: string, value: fc.Arbitrary<string>): fc.Arbitrary<readonly string[]> =>
  fc.oneof(
    { weight: 9, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(member(key, value), { minLength: 1, maxLength: 2 }) },
  )

const digest = fc.constantFrom('a', 'b', 'c').map((text) => JSON.stringify(digestOf(text)))
const size = fc.constantFrom('1', '2', '3')
const mediaType = fc.constantFrom('"text/plain"', '"text/html"')
const annotations = fc
  .array(fc.tuple(fc.constantFrom('a', 'A', 's', '\u017f', 'k', '\u212a', '\\u0061', '\\ud800', '\\udc00'), size), {
    maxLength: 3,
  })
  .map((pairs) => `{${pairs.map(([key, value]) => `"${key}":"${value}"`).join(',')}}`)
const descriptor = object(
  once('mediaType', mediaType),
  once('digest', digest),
  once('size', size),
  sometimes('size', size),
  sometimes('digest', digest),
  sometimes('mediaType', mediaType),
  sometimes('annotations', annotations),
  sometimes('artifactType', mediaType),
  sometimes('unknown', size),
)
const descriptors = fc.array(descriptor, { maxLength: 2 }).map((list) => `[${list.join(',')}]`)
const common = [
  sometimes('subject', descriptor),
  sometimes('annotations', annotations),
  sometimes('artifactType', mediaType),
  sometimes('unknown', size),
]
const document = fc.oneof(
  object(once('config', descriptor), once('layers', descriptors), sometimes('layers', descriptors), ...common).map(
    (text) => ({ text, type: MediaType.imageManifest }),
  ),
  object(once('manifests', descriptors), sometimes('manifests', descriptors), ...common).map((text) => ({
    text,
    type: MediaType.imageIndex,
  })),
)

describe.runIf(go)("documents mean to gantry what they mean to Go's encoding/json", () => {
  let folder: string
  let program: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gantry-go-json-'))
    program = join(folder, 'go-json')
    await run(go ?? '', ['build', '-o', program, fileURLToPath(new URL('go-json.go', import.meta.url))])
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  test('whatever gantry accepts', async () => {
    const documents = fc.sample(document, DOCUMENTS)
    const input = documents.map(({ text }) => `${Buffer.from(text).toString('base64')}\n`).join('')
    const lines = (await run(program, [], input)).trimEnd().split('\n')
    expect(lines).toHaveLength(DOCUMENTS)
    let accepted = 0
    let refused = 0
    for (const [index, { text, type }] of documents.entries()) {
      const manifest = tryParse(text, type)
      if (manifest === undefined) {
        refused++
        continue
      }
      accepted++
      const { Accepted, Document } = JSON.parse(lines[index] ?? '') as GoResult
      expect(Accepted, text).toBe(true)
      expect(fromGo(Document, type), text).toEqual(fromGantry(manifest))
    }
    expect(accepted).toBeGreaterThan(DOCUMENTS / 20)
    expect(refused).toBeGreaterThan(DOCUMENTS / 20)
  })

  test.each([
    ['"Digest" beside "digest"', `{"digest":"${digestOf('a')}","Digest":"evil"`, 'evil'],
    ['the long s', `{"digest":"evil","dige\u017ft":"evil"`, 'evil'],
    ['a key twice', `{"digest":"${digestOf('a')}","digest":"evil"`, 'evil'],
  ])('what is refused is what Go reads otherwise: %s', async (_, start, read) => {
    const text = `{"config":${start},"mediaType":"a/b","size":1},"layers":[]}`
    const output = await run(program, [], `${Buffer.from(text).toString('base64')}\n`)
    expect((JSON.parse(output) as GoResult).Document.config?.digest).toBe(read)
    expect(tryParse(text, MediaType.imageManifest)).toBeUndefined()
  })

  test('characters that are equal to Go are equal to gantry', async () => {
    const lines = (await run(program, ['fold'])).trimEnd().split('\n')
    expect(lines.length).toBeGreaterThan(1000)
    const different = lines.filter((line) => {
      const [one = 0, other = 0] = line.split(' ').map(Number)
      return foldKey(String.fromCodePoint(one)) !== foldKey(String.fromCodePoint(other))
    })
    expect(different).toEqual([])
  })
})

function tryParse(text: string, type: string): Manifest | undefined {
  const bytes = Buffer.from(text)
  try {
    return parseManifest({ descriptor: descriptorOf(type, bytes), bytes })
  } catch (error) {
    if (!isGantryError(error, 'ambiguous-manifest', 'invalid-content', 'invalid-digest')) throw error
    return undefined
  }
}

/** The part of a manifest that both are asked for, in one form; Go has empty values where nothing was written. */
function fromGantry(manifest: Manifest): object {
  return {
    artifactType: manifest.artifactType ?? '',
    annotations: readable(manifest.annotations),
    subject: manifest.subject === undefined ? null : fields(manifest.subject),
    children: (manifest.kind === 'image'
      ? [manifest.config, ...manifest.layers]
      : manifest.kind === 'index'
        ? manifest.manifests
        : []
    ).map(fields),
  }
}

function fields({ mediaType, digest, size, artifactType, annotations }: Descriptor): object {
  return { mediaType, digest, size, artifactType: artifactType ?? '', annotations: readable(annotations) }
}

function fromGo({ artifactType, annotations, config, layers, manifests, subject }: GoResult['Document'], type: string) {
  const children = type === MediaType.imageIndex ? (manifests ?? []) : [config, ...(layers ?? [])]
  return {
    artifactType,
    annotations: annotations ?? {},
    subject: subject === null ? null : goFields(subject),
    children: children.map(goFields),
  }
}

function goFields(value: GoFields | null): object | null {
  if (value === null) return null
  const { mediaType, digest, size, artifactType, annotations } = value
  return { mediaType, digest, size, artifactType, annotations: annotations ?? {} }
}

/** Go reads an unpaired surrogate as the replacement character. */
function readable(annotations: Readonly<Record<string, string>> = {}): object {
  return Object.fromEntries(
    Object.entries(annotations).map(([key, value]) => [key.replace(/\p{Surrogate}/gu, '\ufffd'), value]),
  )
}

function run(program: string, args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else reject(new Error(`${program}: ${stderr}`, { cause: error }))
    })
    child.stdin?.end(input)
  })
}

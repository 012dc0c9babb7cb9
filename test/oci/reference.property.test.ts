import { describe, expect, test } from 'vitest'
import { isGantryError } from '../../src/errors.js'
import { formatReference, isRegistryName, parseReference, parseTaggedReference } from '../../src/oci/reference.js'
import { processorTime, fc, LINEAR_TIME } from '../properties.js'

// The grammar once more, as one expression of the distribution-spec ("Pulling manifests") and of what references look like
// in the reference package of distribution: it shares nothing with the parser.
const LABEL = '[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?'
const REGISTRY = String.raw`(?:${LABEL}(?:\.${LABEL})*|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?`
const NAME = String.raw`[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*`
const TAG = '[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}'
const DIGEST = '(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})'
const REFERENCE = new RegExp(`^${REGISTRY}/${NAME}(?::${TAG})?(?:@${DIGEST})?$`)

const label = fc.stringMatching(/^[a-z](-?[a-z0-9]){1,8}$/)
const port = fc.option(
  fc.integer({ min: 1, max: 65_535 }).map((number) => `:${number}`),
  { nil: '' },
)
const host = fc.oneof(
  fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join('.')),
  fc.ipV4(),
  fc.constantFrom('localhost', '[::1]', '[2001:db8::1]', 'my_registry', 'REG.example.com'),
)
const component = fc.stringMatching(/^[a-z0-9]{1,5}((\.|_|__|-{1,3})[a-z0-9]{1,4}){0,2}$/)
const hex = (length: number): fc.Arbitrary<string> => fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`))
const reference = fc
  .record({
    registry: fc.tuple(host, port).map((parts) => parts.join('')),
    repository: fc.array(component, { minLength: 1, maxLength: 4 }).map((path) => path.join('/')),
    tag: fc.option(fc.stringMatching(/^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,20}$/)),
    digest: fc.option(
      fc.oneof(
        hex(64).map((text) => `sha256:${text}`),
        hex(128).map((text) => `sha512:${text}`),
      ),
    ),
  })
  .map(({ registry, repository, tag, digest }) => ({
    registry,
    repository,
    ...(tag === null ? {} : { tag }),
    ...(digest === null ? {} : { digest }),
  }))
const textOf = (value: { registry: string; repository: string; tag?: string; digest?: string }): string =>
  `${value.registry}/${value.repository}${value.tag === undefined ? '' : `:${value.tag}`}${value.digest === undefined ? '' : `@${value.digest}`}`

/** Nearly a reference: some of its characters replaced, left out, or with others put in. */
const nearly = fc
  .tuple(
    reference.map(textOf),
    fc.array(
      fc.tuple(
        fc.nat(200),
        fc.nat(1),
        fc.oneof(
          fc.constantFrom(...Array.from('/:@.-_[]%?#\\ \t\n\0AZaz09é。１'), ''),
          fc.string({ unit: 'binary', maxLength: 2 }),
        ),
      ),
      { minLength: 1, maxLength: 3 },
    ),
  )
  .map(([text, edits]) =>
    edits.reduce((edited, [place, removed, inserted]) => {
      const at = place % (edited.length + 1)
      return `${edited.slice(0, at)}${inserted}${edited.slice(at + removed)}`
    }, text),
  )

/** What the parser makes of a text, or undefined when it refuses it in its own words. */
function parsed(text: string): ReturnType<typeof parseReference> | undefined {
  try {
    return parseReference(text)
  } catch (error) {
    expect(isGantryError(error, 'invalid-reference')).toBe(true)
    return undefined
  }
}

describe('parseReference', () => {
  test('reads what was written', () => {
    fc.assert(
      fc.property(reference, (value) => {
        const text = textOf(value)
        expect(parseReference(text)).toEqual(value)
        expect(formatReference(parseReference(text))).toBe(text)
      }),
    )
  })

  test('accepts nothing that the grammar does not have', () => {
    fc.assert(
      fc.property(nearly, (text) => {
        const result = parsed(text)
        if (result === undefined) return
        expect(text).toMatch(REFERENCE)
        expect(formatReference(result)).toBe(text)
      }),
    )
  })

  test('accepts no host that a URL parser reads as another', () => {
    fc.assert(
      fc.property(nearly, (text) => {
        const result = parsed(text)
        if (result === undefined) return
        const url = new URL(`https://${result.registry}/v2/`)
        const [, name = '', number = '443'] = /^(.*?)(?::(\d+))?$/.exec(result.registry) ?? []
        expect(url.hostname).toBe(name.toLowerCase())
        expect(url.port === '' ? '443' : url.port).toBe(String(Number(number)))
        expect(url.pathname).toBe('/v2/')
        expect([url.username, url.password]).toEqual(['', ''])
      }),
    )
  })

  test('says of anything else that it is no reference', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 6000 }), (text) => {
        if (parsed(text) !== undefined) expect(text).toMatch(REFERENCE)
      }),
    )
  })

  test('takes no time for 64 KiB', () => {
    const piece = fc.oneof(
      fc.constantFrom('a', 'a-', 'a.', '__', 'a/', ':', '@', '[', '1', '-', '%', 'sha256:'),
      fc.string(),
    )
    fc.assert(
      fc.property(
        piece,
        fc.constantFrom('', 'h/', 'h/a:', 'h/a@'),
        fc.constantFrom('', '!', '/a'),
        (repeated, start, end) => {
          const text = `${start}${(repeated || 'x').repeat(65_536 / (repeated.length || 1))}${end}`
          expect(processorTime(() => parsed(text))).toBeLessThan(LINEAR_TIME)
          expect(processorTime(() => isRegistryName(text))).toBeLessThan(LINEAR_TIME)
        },
      ),
    )
  })
})

test('parseTaggedReference reads every tag', () => {
  const tags = fc.array(fc.stringMatching(/^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,20}$/), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(reference, tags, ({ registry, repository }, [tag = '', ...extraTags]) => {
      const text = [`${registry}/${repository}:${tag}`, ...extraTags].join(',')
      expect(parseTaggedReference(text)).toEqual({ reference: { registry, repository, tag }, extraTags })
    }),
  )
})

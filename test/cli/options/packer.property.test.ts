import { describe, expect, test } from 'vitest'
import type { Context } from '../../../src/cli/context.js'
import { parseFileArgument, readAnnotations } from '../../../src/cli/options/packer.js'
import { UsageError } from '../../../src/cli/usage-error.js'
import { fc } from '../../properties.js'

const CREATED = 'org.opencontainers.image.created'
const context = { environment: { SOURCE_DATE_EPOCH: '0' } } as unknown as Context

describe('--annotation key=value', () => {
  test('gives back every key and value', async () => {
    const key = fc.oneof(
      fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('=')),
      fc.constantFrom('__proto__', 'constructor', 'a.b/c', ''),
    )
    const value = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('=', 'a=b', '', '__proto__'))
    const pairs = fc.uniqueArray(fc.tuple(key, value), { maxLength: 5, selector: ([name]) => name })
    await fc.assert(
      fc.asyncProperty(pairs, async (entries) => {
        const annotation = entries.map(([name, text]) => `${name}=${text}`)
        const { manifest } = await readAnnotations({ annotationFile: undefined, annotation }, context)
        const written = entries.filter(([name]) => name !== '__proto__')
        expect(
          Object.entries(manifest)
            .filter(([name]) => name !== CREATED && name !== '__proto__')
            .sort(),
        ).toEqual(written.filter(([name]) => name !== CREATED).sort())
        const proto = entries.find(([name]) => name === '__proto__')
        expect(Object.getOwnPropertyDescriptor(manifest, '__proto__')?.value).toBe(proto?.[1])
      }),
    )
  })

  test('refuses what comes twice, and what is no pair', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.array(fc.string(), { maxLength: 3 }), async (text, others) => {
        const bare = text.replaceAll('=', '')
        await expect(
          readAnnotations(
            { annotationFile: undefined, annotation: [...others.map((other, index) => `${index}=${other}`), bare] },
            context,
          ),
        ).rejects.toBeInstanceOf(UsageError)
        await expect(
          readAnnotations({ annotationFile: undefined, annotation: [`${bare}=1`, `${bare}=2`] }, context),
        ).rejects.toBeInstanceOf(UsageError)
      }),
    )
  })
})

test('a file with its media type comes back, and any text is one or refused', () => {
  const path = fc.string({ minLength: 1 })
  const type = fc.stringMatching(/^[a-z]{1,5}\/[a-z.+]{1,10}$/)
  fc.assert(
    fc.property(path, type, (file, mediaType) => {
      fc.pre(!/^[A-Za-z]$/.test(file))
      expect(parseFileArgument(`${file}:${mediaType}`)).toEqual({ path: file, mediaType })
    }),
  )
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      try {
        const { path: file, mediaType } = parseFileArgument(text)
        expect([text, `${text}:`]).toContain(
          `${file}${mediaType === undefined ? (text.endsWith(':') ? ':' : '') : `:${mediaType}`}`,
        )
      } catch (error) {
        expect(error).toBeInstanceOf(UsageError)
      }
    }),
  )
})

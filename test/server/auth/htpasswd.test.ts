import type * as Bcrypt from 'bcryptjs'
import { hash } from 'bcryptjs'
import { describe, expect, test, vi } from 'vitest'
import { parseHtpasswd } from '../../../src/server/auth/htpasswd.js'
import { PasswordFile } from '../../../src/server/auth/password-file.js'
import { usedProcessorTime } from '../../properties.js'

/** The costs of the comparisons that were made. */
const costs = vi.hoisted((): number[] => [])
vi.mock('bcryptjs', async (load) => {
  const real = await load<typeof Bcrypt>()
  return {
    ...real,
    compare: (password: string, text: string) => {
      costs.push(Number(text.slice(4, 6)))
      return real.compare(password, text)
    },
  }
})

// Made with `htpasswd -nbB alice secret` and `htpasswd -nbs carol secret`.
const ALICE = '$2y$05$IQuZYhW09JUcaP4gAdECpuNQQN7Xngc2I3lsKFRCWbsGTi7xCBi6a'
const TEXT = `# users
alice:${ALICE}

carol:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\r
`

describe('an htpasswd file', () => {
  test('holds users with bcrypt and SHA passwords', () => {
    expect([...parseHtpasswd(TEXT)]).toEqual([
      ['alice', { scheme: 'bcrypt', hash: ALICE }],
      ['carol', { scheme: 'sha1', hash: '5en6G6MezRroT3XKqkdPOmY/BfQ=' }],
    ])
    expect(parseHtpasswd('').size).toBe(0)
  })

  test.each([
    'alice',
    ':x',
    'alice:',
    'alice:secret',
    'alice:$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/',
    'alice:rl.3StKT.4T8M',
    `alice:${ALICE}x`,
    `alice:${ALICE.replace('$05$', '$20$')}`,
    'alice:{SHA}x',
  ])('with anything else is refused, and the error does not say what: %s', (line) => {
    expect(() => parseHtpasswd(`# one\n${line}\n`)).toThrow(
      expect.objectContaining({
        code: 'invalid-argument',
        message: expect.stringMatching(/^htpasswd line 2 is no user/),
      }),
    )
    expect(() => parseHtpasswd(line)).not.toThrow(/secret|apr1|StKT/)
  })
})

describe('a password', () => {
  const file = new PasswordFile({ dave: 'secret', __proto__: 'x' }, parseHtpasswd(TEXT))

  test.each([
    ['alice', 'secret', true],
    ['alice', 'Secret', false],
    ['alice', '', false],
    ['carol', 'secret', true],
    ['carol', 'secret ', false],
    ['dave', 'secret', true],
    ['dave', 'secre', false],
    ['eve', 'secret', false],
    ['', '', false],
    ['__proto__', 'x', false],
    ['constructor', '', false],
  ])('of %s: %s is right: %s', async (username, password, isRight) => {
    expect(await file.check(username, password)).toBe(isRight)
    expect(await file.check(username, password)).toBe(isRight)
  })

  test('that was right is checked fast the next time, and a wrong one is not taken for it', async () => {
    const slow = new PasswordFile({}, parseHtpasswd(TEXT))
    expect(await slow.check('alice', 'secret')).toBe(true)
    const start = usedProcessorTime()
    for (let round = 0; round < 200; round++) await slow.check('alice', 'secret')
    expect(usedProcessorTime() - start).toBeLessThan(2_000)
    expect(await slow.check('alice', 'secret2')).toBe(false)
    expect(await slow.check('carol', 'secret2')).toBe(false)
  })
})

describe('bcrypt', () => {
  test.each([
    ['72 bytes', 'x'.repeat(72), 'x'.repeat(72), true],
    ['80 bytes, and its beginning', 'x'.repeat(80), 'x'.repeat(72), true],
    ['80 bytes', 'x'.repeat(80), 'x'.repeat(80), false],
    ['72 bytes, and more of them', 'x'.repeat(72), 'x'.repeat(73), false],
    ['72 bytes in fewer characters, and more of them', 'ä'.repeat(36), 'ä'.repeat(37), false],
    ['a beginning before a NUL', 'secret', 'secret\0', false],
    ['a beginning before a NUL, and more', 'secret', 'secret\0more', false],
  ])('%s', async (_, made, sent, isRight) => {
    const file = new PasswordFile({}, parseHtpasswd(`alice:${await hash(made, 4)}`))
    expect(await file.check('alice', sent)).toBe(isRight)
    expect(await file.check('alice', sent)).toBe(isRight)
  })

  test.each([
    ['eve', 'secret'],
    ['alice', 'wrong'],
    ['carol', 'wrong'],
    ['dave', 'wrong'],
    ['fred', 'wrong'],
  ])('a wrong login of %s costs as much as the dearest password in the file', async (username, password) => {
    const text = `${TEXT}fred:${await hash('secret', 7)}\n`
    const file = new PasswordFile({ dave: 'secret' }, parseHtpasswd(text))
    costs.length = 0
    expect(await file.check(username, password)).toBe(false)
    expect(costs.at(-1)).toBe(7)
    expect(costs.filter((cost) => cost === 7)).toHaveLength(1)
  })
})

import { describe, expect, test } from 'vitest'
import { parseHtpasswd } from '../../../src/server/auth/htpasswd.js'
import { PasswordFile } from '../../../src/server/auth/password-file.js'

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
    const start = performance.now()
    for (let round = 0; round < 200; round++) await slow.check('alice', 'secret')
    expect(performance.now() - start).toBeLessThan(2_000)
    expect(await slow.check('alice', 'secret2')).toBe(false)
    expect(await slow.check('carol', 'secret2')).toBe(false)
  })
})

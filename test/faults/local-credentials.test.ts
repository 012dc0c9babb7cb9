import { existsSync } from 'node:fs'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { CANARY, LocalBench, type FailureOptions } from './local-bench.js'

type Command = readonly [
  string,
  { readonly words: (bench: LocalBench) => readonly string[]; readonly options: FailureOptions },
]

const COMMANDS: readonly Command[] = [
  ['pull', { words: (bench) => ['pull', bench.reference('v1'), '-o', bench.output, '--plain-http'], options: {} }],
  [
    'login',
    {
      words: (bench) => ['login', bench.wire.host, '-u', 'someone', '--password-stdin', '--plain-http'],
      options: { stdin: CANARY },
    },
  ],
  ['logout', { words: (bench) => ['logout', bench.wire.host], options: {} }],
]

const host = (bench: LocalBench): string => bench.wire.host

/** What a file may hold, and what is said about it. */
const FILES: readonly (readonly [string, (bench: LocalBench) => string, RegExp])[] = [
  [
    'cut off',
    (bench) => `{"auths":{"${host(bench)}":{"auth":"${CANARY}"`,
    /config\.json is not valid JSON \(byte \d+\)/,
  ],
  ['no JSON', () => CANARY, /config\.json is not valid JSON \(byte 0\)/],
  [
    'with a byte order mark',
    () => '\ufeff{"auths":{}}',
    /config\.json is not valid JSON: it begins with a byte order mark/,
  ],
  ['a list', () => `["${CANARY}"]`, /config\.json is not a JSON object/],
  ['with auths of a wrong type', () => `{"auths":["${CANARY}"]}`, /"auths" in .*config\.json is not an object/],
  ['with a key twice', () => '{"auths":{},"auths":{}}', /config\.json has the key "auths" twice/],
  ['too deep', () => `{"a":${'['.repeat(100)}${']'.repeat(100)}}`, /config\.json is nested deeper than 64 levels/],
  ['too large', () => `{"a":"${'x'.repeat(2 << 20)}"}`, /config\.json exceeds the limit of 1048576 bytes/],
  [
    'with a helper that is a path',
    (bench) => `{"credHelpers":{"${host(bench)}":"../../evil"}}`,
    /invalid|not a name|name of a credential helper/,
  ],
  [
    'with a helper that is missing',
    (bench) => `{"credHelpers":{"${host(bench)}":"nope"}}`,
    /credential helper docker-credential-nope not found/,
  ],
]

/** Entries that say nothing usable about an account. */
const ENTRIES: readonly (readonly [string, string])[] = [
  ['is no base64', `%%%${CANARY}`],
  ['has no colon', Buffer.from(CANARY).toString('base64')],
  ['is no UTF-8', Buffer.from([0xff, 0xfe, 0x3a, 0x61]).toString('base64')],
]

describe.each(COMMANDS)('44: for %s, a credential file', (_command, { words, options }) => {
  test.each(FILES)(
    '44: that is %s is an error that shows nothing of it, and is left alone',
    async (_what, text, message) => {
      const bench = await LocalBench.open({ auth: 'basic' })
      await bench.seed(Buffer.from('some content'))
      const evil = join(bench.programs, 'marker')
      await writeFile(join(bench.root, 'evil'), `#!/bin/sh\ntouch ${evil}\n`, { mode: 0o755 })
      await writeFile(bench.configFile, text(bench), { mode: 0o600 })
      const { stdout } = await bench.fails(words(bench), message, options)
      expect(stdout).not.toContain('Succeeded')
      expect(existsSync(evil)).toBe(false)
    },
  )
})

describe('44: an entry of a credential file', () => {
  test.each(ENTRIES)('44: that %s is an error that names its host', async (_what, auth) => {
    const bench = await LocalBench.open({ auth: 'basic' })
    await bench.seed(Buffer.from('some content'))
    await writeFile(bench.configFile, JSON.stringify({ auths: { [bench.wire.host]: { auth } } }))
    const [, { words }] = COMMANDS[0]!
    const { stderr } = await bench.fails(words(bench), /config\.json/)
    expect(stderr).toContain(bench.wire.host)
    expect(stderr).not.toContain(auth)
    for (const { headers } of bench.wire.ledger) expect(headers.authorization).toBeUndefined()
  })
})

describe('44: a credential helper', () => {
  const SCRIPTS: readonly (readonly [string, string, RegExp])[] = [
    ['that fails and prints the password', `echo '{"Secret":"${CANARY}"}'; exit 1`, /docker-credential-bad failed to/],
    [
      'that fails and prints it in a sentence',
      `echo 'no ${CANARY} for you' >&2; exit 1`,
      /docker-credential-bad failed to/,
    ],
    [
      'that prints without an end',
      `exec tr '\\0' 'C' < /dev/zero`,
      /docker-credential-bad printed more than 1048576 bytes/,
    ],
    ['that dies', 'kill -9 $$', /docker-credential-bad failed to/],
  ]
  for (const [command, { words, options }] of COMMANDS) {
    test.each(SCRIPTS)(`44: for ${command}, %s is an error that does not show it`, async (_what, script, message) => {
      const bench = await LocalBench.open({ auth: 'basic' })
      await bench.seed(Buffer.from('some content'))
      await bench.addHelper('bad', script)
      await bench.fails(words(bench), message, options)
      const sent = bench.wire.ledger.filter(({ headers }) => headers.authorization !== undefined)
      // What is logged in with is tried before it is kept.
      if (command !== 'login') expect(sent).toEqual([])
    })
  }

  test.each(COMMANDS.slice(0, 2))(
    '44: for %s, that hangs ends with the time for the command',
    async (_command, { words, options }) => {
      const bench = await LocalBench.open({ auth: 'basic' })
      await bench.seed(Buffer.from('some content'))
      const pidFile = join(bench.programs, 'pid')
      await bench.addHelper('bad', `echo $$ > ${pidFile}; exec sleep 60`)
      await bench.fails([...words(bench), '--timeout', '1500ms'], /did not finish within 1\.5 s/, options)
      const pid = Number(await readFile(pidFile, 'utf8'))
      expect(() => process.kill(pid, 0)).toThrow('ESRCH')
    },
  )

  test('44: that works is told everything on its input alone, and the file holds no secret', async () => {
    const bench = await LocalBench.open({ auth: 'basic' })
    const said = join(bench.programs, 'said')
    await bench.addHelper('good', `echo "$@" >> ${said}; cat > /dev/null`)
    const [, { words, options }] = COMMANDS[1]!
    await bench.succeeds(words(bench), options)
    expect(await readFile(said, 'utf8')).toBe('store\n')
    const text = await readFile(bench.configFile, 'utf8')
    expect(text).not.toContain(CANARY)
    expect(text).not.toContain(Buffer.from(`someone:${CANARY}`).toString('base64'))
    expect((await stat(bench.configFile)).mode & 0o777).toBe(0o600)
  })
})

import { describe, expect, test } from 'vitest'
import { createFixture, seedArtifact } from './fixture.js'
import { runCli } from './run-cli.js'

describe('wrong usage', () => {
  test.each([
    [['nosuch'], 'Error: unknown command "nosuch" for "gantry"\nRun \'gantry --help\' for usage.\n'],
    [['psuh'], 'Error: unknown command "psuh" for "gantry"\nDid you mean "push"? Run \'gantry --help\' for usage.\n'],
    [
      ['pusg', 'x'],
      'Error: unknown command "pusg" for "gantry"\nDid you mean "push"? Run \'gantry --help\' for usage.\n',
    ],
    [
      ['manifest', 'nosuch'],
      'Error: unknown command "nosuch" for "gantry manifest"\nRun \'gantry manifest --help\' for usage.\n',
    ],
    [['--nosuch'], "Error: unknown flag: --nosuch\nRun 'gantry --help' for usage.\n"],
    [
      ['resolve'],
      'Error: "gantry resolve" requires exactly 1 argument but got 0\n' +
        'Usage: gantry resolve [flags] <name>{:<tag>|@<digest>}\n' +
        'Please specify exactly 1 argument as the target artifact reference to resolve. Run "gantry resolve -h" for more options and examples\n',
    ],
    [
      ['push', ''],
      'Error: "": invalid reference: it is empty\n' +
        'Please make sure the provided reference is in the form of <registry>/<repo>[:tag|@digest]\n',
    ],
    [['push', '', '--oci-layout'], 'Error: found empty file path in ""\n'],
    [['resolve', 'a', 'b'], /requires exactly 1 argument but got 2/],
    [['cp', 'a'], /^Error: "gantry cp" requires exactly 2 arguments but got 1\nUsage: gantry cp \[flags\] <from>/],
    [['resolve', '--nosuch', 'x'], "Error: unknown flag: --nosuch\nRun 'gantry resolve --help' for usage.\n"],
    [
      ['resolve', 'x', '--username'],
      "Error: flag needs an argument: --username\nRun 'gantry resolve --help' for usage.\n",
    ],
    [['resolve', 'localhost:1/a'], /^Error: "localhost:1\/a": no tag or digest specified\nUsage: gantry resolve /],
    [
      ['resolve', 'localhost:5000/UPPER:a'],
      'Error: "localhost:5000/UPPER:a": invalid reference: invalid repository "UPPER"\n' +
        'Repository names are lower case: localhost:5000/upper:a\n',
    ],
    [
      ['resolve', 'x/y:1', '--username', 'u', '--identity-token', 't'],
      'Error: --username, --identity-token cannot be used at the same time\n',
    ],
    [
      ['resolve', 'x/y:1', '--password-stdin', '--identity-token-stdin'],
      'Error: --identity-token-stdin, --password-stdin cannot be used at the same time\n',
    ],
    [['tag', 'bad', 'v2'], /^Error: unable to add tag for 'bad': "bad": invalid reference: missing registry or /],
    [
      ['resolve', 'x/y:1', '--retries', '-1'],
      'Error: invalid argument "-1" for "--retries" flag: "-1" is not a whole number of at least 0\n',
    ],
    [
      ['attach', 'x/y:1', 'a.txt', '--artifact-type', 'a/b', '--annotation', 'bad', '--cert-file', 'c'],
      /^Error: annotation value doesn't match the required format\n/,
    ],
    [
      ['attach', 'x/y', 'a.txt', '--artifact-type', 'a/b', '--annotation', 'bad'],
      /^Error: annotation value doesn't match the required format\n/,
    ],
    [
      ['blob', 'push', 'x/y', '-', '--password-stdin'],
      /^Error: `-` read file from input and `--password-stdin` read password from input cannot be both used\n/,
    ],
    [['repo', 'ls', 'https://localhost:5000/a:v1'], /^Error: "https:.*": tags or digests should not be provided\n/],
    [['resolve', 'x/y:1', '--header', 'bad'], 'Error: invalid header: "bad"\n'],
    [['resolve', 'x/y:1', '--header', 'X: a\r\nEvil: 1'], /^Error: invalid header: "X: a\\u\{d\}\nEvil: 1"\n$/],
    [['resolve', 'x/y:1', '--header', 'Host: a'], 'Error: header "Host" cannot be set\n'],
    [
      ['resolve', 'x/y:1', '--resolve', 'bad'],
      'Error: failed to parse resolve flag "bad": expecting host:port:address[:address_port]\n',
    ],
    [['resolve', 'x/y:1', '--cert-file', 'c'], 'Error: --cert-file must be used in conjunction with --key-file\n'],
    [
      ['resolve', 'x/y:1', '--platform', 'bad/x/y/z'],
      'Error: failed to parse platform "bad/x/y/z": expected format os[/arch[/variant]]\n',
    ],
    [
      ['resolve', 'x/y:1', '--oci-layout', '--oci-layout-path', 'z'],
      'Error: --oci-layout-path, --oci-layout cannot be used at the same time\n',
    ],
    [
      ['resolve', 'x:1', '--oci-layout', '--header', 'a:b'],
      'Error: custom header flags cannot be used on an OCI image layout target\n',
    ],
    [
      ['resolve', 'nolay:v1', '--oci-layout'],
      'Error: invalid argument "nolay:v1": failed to find path "nolay": stat nolay: no such file or directory\n',
    ],
    [['resolve', ':v1', '--oci-layout'], 'Error: found empty file path in ":v1"\n'],
    [['resolve', 'x/y:1', '--idle-timeout', 'soon'], /"soon" is not a duration/],
    [
      ['discover', 'x/y:1', '--distribution-spec', 'bad'],
      'Error: invalid argument "bad" for "--distribution-spec" flag: unknown distribution specification flag: bad\nAvailable options: v1.1-referrers-tag, v1.1-referrers-api\n',
    ],
    [['discover', 'x/y:1', '--depth', '0'], 'Error: depth value should be at least 1\n'],
    [
      ['manifest', 'fetch', 'x/y:1', '--format', 'nosuch'],
      'Error: invalid format type: "nosuch"\nsupported types: json, go-template, text\n',
    ],
    [
      ['manifest', 'fetch', 'x/y:1', '--format', 'go-template'],
      'Error: "go-template" format specified but no template given\nuse `--format go-template=TEMPLATE` to specify the template\n',
    ],
    [
      ['manifest', 'fetch', 'x/y:1', '--format', 'json', '--template', 'x'],
      '{"code":"invalid-argument","message":"--template must be used with --format go-template"}\n',
    ],
    [
      ['manifest', 'fetch', 'x/y:1', '--format', 'json', '--descriptor'],
      '{"code":"invalid-argument","message":"--format, --descriptor cannot be used at the same time"}\n',
    ],
    [
      ['manifest', 'delete', 'x/y:1', '--descriptor'],
      'Error: must apply --force to confirm the deletion if the descriptor is outputted\n',
    ],
    [
      ['blob', 'fetch', 'x/y@sha256:' + 'a'.repeat(64)],
      'Error: either `--output` or `--descriptor` must be provided\n',
    ],
    [
      ['pull', '--resolve', 'localhost:1:name', 'localhost:1/a:v1'],
      'Error: failed to parse resolve flag "localhost:1:name": invalid IP address\n',
    ],
    [['attach'], /^Error: "gantry attach" requires at least 1 argument but got 0\n/],
    [['tag', 'localhost:1/a:v1'], /^Error: "gantry tag" requires at least 2 arguments but got 1\n/],
    [['blob', 'push', 'localhost:1/a:v1', 'file'], /^Error: "localhost:1\/a:v1": a blob is pushed without a tag\n/],
    [['resolve', '-lx=1', 'localhost:1/a:v1'], /^Error: unknown flag: -x\n/],
    [['resolve', '-l=maybe', 'localhost:1/a:v1'], /^Error: invalid argument "maybe" for "-l, --full-reference" flag/],
    [['blob', 'fetch', '-o', '-', 'x/y:v1'], /^Error: "x\/y:v1": no digest specified\n/],
    [['blob', 'push', 'x/y', '-'], 'Error: `--size` must be provided if the blob is read from stdin\n'],
    [
      ['tag', 'ls', 'x'],
      /^Error: there is no "list" sub-command for "gantry tag" command\nUsage: .*\nIf you want to list available tags/,
    ],
    [
      ['repo', 'ls', 'localhost:1/team:v1'],
      /^Error: "localhost:1\/team:v1": tags or digests should not be provided\nUsage: .*\n.*gantry repo tags/,
    ],
    [['pull', 'alpine'], /docker\.io\/library\/alpine:latest\n$/],
    [['pull', '--ouput', 'x', 'a/b:c'], /^Error: unknown flag: --ouput\nDid you mean "--output"\?/],
    [
      ['tag', 'a/b:c', 'a/b:d'],
      /^Error: "a\/b:d" is a reference, and a tag is wanted\nGive the tag alone: gantry tag a\/b:c d/,
    ],
    [
      ['completion', 'tcsh'],
      'Error: unknown command "tcsh" for "gantry completion"\nRun \'gantry completion --help\' for usage.\n',
    ],
  ])('%j', async (words, expected) => {
    const { code, stdout, stderr } = await runCli(words)
    expect(stdout).toBe('')
    if (typeof expected === 'string') expect(stderr).toBe(expected)
    else expect(stderr).toMatch(expected)
    expect(code).toBe(2)
  })

  test('a missing file that a flag names is no wrong usage', async () => {
    const { code, stderr } = await runCli(['resolve', 'x/y:1', '--ca-file', 'nofile'])
    expect(stderr).toBe('Error: open nofile: no such file or directory\n')
    expect(code).toBe(1)
  })
})

describe('help', () => {
  test.each([[[]], [['--help']], [['help']], [['manifest']], [['manifest', '-h']], [['help', 'manifest']]])(
    '%j',
    async (words) => {
      const { code, stdout, stderr } = await runCli(words)
      expect(stdout).toMatch(/^Usage:\n {2}gantry/m)
      expect(stdout).toContain('Available Commands:')
      expect(stderr).toBe('')
      expect(code).toBe(0)
    },
  )

  test.each([[['resolve', '--help']], [['help', 'resolve']], [['digest', '-h']]])('%j', async (words) => {
    const { code, stdout } = await runCli(words)
    expect(stdout).toMatch(/^Usage:\n {2}gantry (?:resolve|digest) \[flags\] <name>/m)
    expect(stdout).toContain('--full-reference')
    expect(code).toBe(0)
  })
})

test.each([['bash'], ['zsh'], ['fish'], ['powershell']])(
  'completion for %s knows commands and flags',
  async (shell) => {
    const { code, stdout } = await runCli(['completion', shell])
    expect(stdout).toContain('manifest')
    expect(stdout).toContain(shell === 'fish' ? 'exclude-digest-tags' : '--exclude-digest-tags')
    expect(code).toBe(0)
    const plain = await runCli(['completion', shell, '--no-descriptions'])
    const described = shell === 'fish' || shell === 'powershell'
    expect([stdout, plain.stdout].map((script) => script.includes('write the manifest to a file'))).toEqual([
      described,
      false,
    ])
  },
)

test.each([
  [['--help'], /^ {2}backup +\[Experimental\] \w/m],
  [['backup', '--help'], /^\[Experimental\] .*\n\nThis command is experimental/],
  [['manifest', 'index'], /^\[Experimental\] /],
  [['discover', '--help'], /^\[Preview\] .*\n\nThis command is a preview/],
  [['cp', '--help'], /--recursive +\[Preview\] /],
])('%j marks what may still change', async (words, mark) => {
  expect((await runCli(words)).stdout).toMatch(mark)
})

test.each([
  ['-l=false', 'sha256:'],
  ['-l=true', 'localhost:'],
  ['-dl=false', 'sha256:'],
  ['-dl', 'localhost:'],
])('resolve %s', async (word, start) => {
  const fixture = await createFixture()
  try {
    await seedArtifact(fixture.repository('hello'), { tag: 'v1' })
    const { stdout } = await runCli(['resolve', word, `${fixture.registry}/hello:v1`])
    expect(stdout.startsWith(start)).toBe(true)
  } finally {
    await fixture.close()
  }
})

test.each([[['version']], [['--version']]])('%j', async (words) => {
  const { code, stdout } = await runCli(words)
  expect(stdout).toMatch(/^Version: +\S+\nNode\.js version: \d+\.\d+\.\d+\nOS\/Arch: +\w+\/\w+\n$/)
  expect(code).toBe(0)
})

test('version takes no argument', async () => {
  const { code, stderr } = await runCli(['version', 'extra'])
  expect(stderr).toBe('warning: `gantry version` requires no argument, "extra" will be ignored\n')
  expect(code).toBe(0)
})

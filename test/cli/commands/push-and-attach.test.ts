import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { digestOf } from '../../../src/oci/digest.js'
import { createFixture, CREATED, type Fixture } from '../fixture.js'
import { runCli } from '../run-cli.js'

const EMPTY = '44136fa355b3 application/vnd.oci.empty.v1+json'
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const created = ['--annotation', `org.opencontainers.image.created=${CREATED}`]
let fixture: Fixture
let name: string
let file: string

// Paths of files are part of what is pushed, and these tests share one process: they say where their files are.
const absolute = ['--disable-path-validation']

beforeAll(async () => {
  fixture = await createFixture()
  name = `${fixture.registry}/push`
  file = join(fixture.folder, 'hi.txt')
  await writeFile(file, 'hello\n')
  await writeFile(
    join(fixture.folder, 'titles.json'),
    JSON.stringify({
      $manifest: { 'org.opencontainers.image.created': CREATED },
      [file]: { 'org.opencontainers.image.title': 'hi.txt' },
    }),
  )
})
afterAll(() => fixture.close())

/** The flags that make a push of the file give the manifest that `oras` makes of `hi.txt` in the current folder. */
const titled = () => [...absolute, '--annotation-file', join(fixture.folder, 'titles.json')]

/** Lines in any order: what runs side by side is reported as it comes. */
const sortedLines = (text: string) => text.split('\n').sort()

describe('push', () => {
  test('a file whose name holds a colon is offered in the form that is read', async () => {
    const colon = join(fixture.folder, '2024:report.txt')
    await writeFile(colon, 'report\n')
    for (const words of [[colon], [file, '--config', colon, '--artifact-type', 'a/b']]) {
      const refused = await runCli(['push', `${fixture.registry}/colon:v1`, ...words, ...absolute])
      expect(refused.stderr).toMatch(/2024: no such file or directory\n.* write ".*2024:report\.txt:" or /)
      expect(refused.code).toBe(1)
    }
    const { code, stdout } = await runCli(['push', `${fixture.registry}/colon:v1`, `${colon}:`, ...absolute])
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('2024:report.txt') as string })
  })
  test('a file, and again', async () => {
    const digest = 'sha256:70cffe781c9f4b952374eb7c89ae2520a4f49e0e29687c997750195b1c8a33d2'
    const first = await runCli(['push', `${name}:v1,v2`, file, ...titled()])
    expect(first.stderr).toBe('')
    expect(sortedLines(first.stdout)).toEqual(
      sortedLines(
        `Preparing ${file}\nUploading 5891b5b522d5 hi.txt\nUploading ${EMPTY}\nUploaded  5891b5b522d5 hi.txt\n` +
          `Uploaded  ${EMPTY}\nUploading 70cffe781c9f ${MANIFEST}\nUploaded  70cffe781c9f ${MANIFEST}\n` +
          `Pushed [registry] ${name}:v1\nTagged v2\nArtifactType: application/vnd.unknown.artifact.v1\nDigest: ${digest}\n`,
      ),
    )
    const again = await runCli(['push', `${name}:v1`, file, ...titled()])
    expect(again.stdout).toBe(
      `Preparing ${file}\nPushed [registry] ${name}:v1\n` +
        `ArtifactType: application/vnd.unknown.artifact.v1\nDigest: ${digest}\n`,
    )
    expect((await runCli(['resolve', `${name}:v2`])).stdout).toBe(`${digest}\n`)
  })

  test('as JSON', async () => {
    const { stdout } = await runCli(['push', `${name}:b,a`, file, ...titled(), '--format', 'json'])
    expect(JSON.parse(stdout)).toEqual({
      reference: `${name}@sha256:70cffe781c9f4b952374eb7c89ae2520a4f49e0e29687c997750195b1c8a33d2`,
      mediaType: MANIFEST,
      digest: 'sha256:70cffe781c9f4b952374eb7c89ae2520a4f49e0e29687c997750195b1c8a33d2',
      size: 584,
      annotations: { 'org.opencontainers.image.created': CREATED },
      artifactType: 'application/vnd.unknown.artifact.v1',
      referenceAsTags: [`${name}:a`, `${name}:b`],
    })
  })

  test('nothing', async () => {
    const { stdout } = await runCli(['push', `${name}:empty`, '--artifact-type', 'test/e', ...created])
    expect(stdout).toMatch(/^Uploading empty artifact\n/)
    expect(stdout).toContain(
      'ArtifactType: test/e\nDigest: sha256:afb6fedde618ee5d52692d94c8dce282a0d2973fc438d2e51dfac3e1ebebc6ee\n',
    )
  })

  test('with a config of its own, which makes it the 1.0 form, and the manifest exported', async () => {
    const config = join(fixture.folder, 'config.json')
    await writeFile(config, '{}')
    const exported = join(fixture.folder, 'exported.json')
    const words = ['push', `${name}:config`, file, ...titled(), '--config', `${config}:application/vnd.me.config`]
    const { stdout } = await runCli([...words, '--export-manifest', exported])
    expect(stdout).toContain('ArtifactType: application/vnd.me.config\n')
    expect(digestOf(await readFile(exported))).toBe(
      'sha256:3e355c94743aa7bde34cf0bd24bbbc74637466b409b59c4ba084cef7a9b322af',
    )
  })

  test.each([
    [
      ['--artifact-platform', 'linux/arm/v7:10.0', '--artifact-type', 'test/p'],
      'sha256:46a30df255bc48bce0f54c96506387d2ec103ec0872d90227114e0989423cdea',
    ],
    [
      ['--image-spec', 'v1.0', '--artifact-type', 'test/v10'],
      'sha256:4a69bcfaf953ebfc13ba04b6690eb853ff5db338f3e23416778ed5905e2e5c12',
    ],
  ])('%j', async (flags, digest) => {
    const { stdout } = await runCli(['push', `${name}:form`, file, ...titled(), ...flags])
    expect(stdout).toContain(`Digest: ${digest}\n`)
  })

  test('a folder twice gives one digest, whatever the times of its files', async () => {
    const folder = join(fixture.folder, 'details')
    await mkdir(folder)
    await writeFile(join(folder, 'a.md'), 'a')
    const first = await runCli(['push', `${name}:folder`, folder, ...absolute, ...created])
    await writeFile(join(folder, 'a.md'), 'a')
    const second = await runCli(['push', `${name}:folder`, folder, ...absolute, ...created])
    expect(second.stdout).not.toContain('Uploading')
    expect(second.stdout.split('\n').at(-2)).toBe(first.stdout.split('\n').at(-2))
  })

  test('a folder that nobody could unpack is refused before anything is sent', async () => {
    const folder = join(fixture.folder, 'odd')
    await mkdir(folder)
    await symlink('/etc/hosts', join(folder, 'link'))
    await writeFile(join(folder, 'A'), '')
    await writeFile(join(folder, 'a'), '')
    expect(await runCli(['push', `${fixture.registry}/never-made:v1`, folder, ...absolute])).toEqual({
      code: 1,
      stdout: `Preparing ${folder}\n`,
      stderr:
        `Error: cannot pack ${folder}: it has 2 entries that would not be unpacked again: ` +
        '"a" has a name that some systems cannot tell from "A"; ' +
        '"link" escapes the destination: it links to "/etc/hosts", which is absolute\n' +
        'leave them out or rename them, or make an archive of the folder yourself and push that as a file\n',
    })
    expect((await runCli(['repo', 'ls', fixture.registry])).stdout).not.toContain('never-made')
  })

  test('a folder that can be unpacked only on request is pushed with a warning', async () => {
    const folder = join(fixture.folder, 'times')
    await mkdir(folder)
    await writeFile(join(folder, '12:00'), 'noon')
    const words = ['push', `${name}:times`, folder, ...absolute]
    const warning = `WARNING: ${folder} can only be pulled with --allow-unportable-names: "12:00" has a name that has a colon\n`
    expect(await runCli(words)).toMatchObject({ code: 0, stderr: warning })
    expect(await runCli([...words, '-q'])).toEqual({ code: 0, stdout: '', stderr: '' })
    const pull = ['pull', '-T', '-o', join(fixture.folder, 'pulled'), `${name}:times`]
    expect(await runCli(pull)).toMatchObject({ code: 1 })
    expect(await runCli([...pull, '--allow-unportable-names'])).toMatchObject({ code: 0, stderr: '' })
  })

  test('SOURCE_DATE_EPOCH is the time of creation', async () => {
    const { stdout } = await runCli(['push', `${name}:epoch`, '--format', 'json'], {
      environment: { SOURCE_DATE_EPOCH: '1577836800' },
    })
    expect(JSON.parse(stdout)).toMatchObject({ annotations: { 'org.opencontainers.image.created': CREATED } })
  })

  test('nothing but errors with --quiet', async () => {
    expect(await runCli(['push', '-q', `${name}:quiet`, file, ...absolute])).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    })
  })

  test('to an image layout, and again', async () => {
    const layout = join(fixture.folder, 'layout')
    const first = await runCli(['push', '--oci-layout', `${layout}:v1`, file, ...titled()])
    expect(first.stdout).toContain(`Pushed [oci-layout] ${layout}:v1\n`)
    const again = await runCli(['push', '--oci-layout', layout, file, ...titled()])
    expect(again.stdout).toContain(`Exists    70cffe781c9f ${MANIFEST}\nPushed [oci-layout] ${layout}\n`)
    const named = await runCli(['push', '--oci-layout-path', layout, 'example.com/foo:v2', file, ...titled()])
    expect(named.stdout).toContain('Pushed [oci-layout] example.com/foo:v2\n')
    expect((await runCli(['repo', 'tags', '--oci-layout', layout])).stdout).toBe('example.com/foo:v2\nv1\n')
    expect((await runCli(['repo', 'tags', '--oci-layout-path', layout, 'example.com/foo'])).stdout).toBe('v2\n')
  })

  test.each([
    [
      ['/etc/hostname'],
      "Error: absolute file path detected. If it's intentional, use --disable-path-validation flag to skip this check: /etc/hostname\n",
    ],
    [
      ['-a', 'bad'],
      'Error: annotation value doesn\'t match the required format\nPlease use the correct format in the flag: --annotation "key=value"\n',
    ],
    [['-a', 'a=b', '-a', 'a=c'], 'Error: duplicate annotation key: a, \n'],
    [
      ['-a', 'a=b', '--annotation-file', 'x'],
      'Error: `--annotation` and `--annotation-file` cannot be both specified\n',
    ],
    [[''], 'Error: found empty file path in ""\n'],
    [[':x'], 'Error: found empty file path in ":x"\n'],
    [
      ['--image-spec', 'v9'],
      'Error: invalid argument "v9" for "--image-spec" flag: unknown image specification flag: v9\nAvailable options: v1.1, v1.0\n',
    ],
    [['--artifact-type', 'bad'], 'Error: invalid artifactType format: bad: invalid media type\n'],
    [['--config', 'c', '--image-spec', 'v1.1'], /^Error: missing artifact type for OCI image-spec v1\.1 artifacts\n/],
    [
      ['--config', 'c', '--artifact-platform', 'linux'],
      'Error: --config, --artifact-platform cannot be used at the same time\n',
    ],
    [['-a', 'org.opencontainers.image.created=notadate'], /^Error: invalid date and time format: "notadate"/],
  ])('refuses %j', async (words, expected) => {
    const { code, stderr } = await runCli(['push', `${name}:bad`, ...words])
    if (typeof expected === 'string') expect(stderr).toBe(expected)
    else expect(stderr).toMatch(expected)
    expect(code).toBe(2)
  })

  test('refuses what is missing, and what has one name twice', async () => {
    expect(await runCli(['push', `${name}:bad`, 'nosuch.txt'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^Error: stat .*nosuch\.txt: no such file or directory\n$/) as string,
    })
    expect(await runCli(['push', `${name}:bad`, file, file, ...absolute])).toMatchObject({
      stderr: `Error: ${file}: duplicate name\n`,
    })
    expect((await runCli(['resolve', `${name}:bad`])).code).toBe(6)
  })
})

describe('attach', () => {
  test('a file to a tag, and to the artifact that it became', async () => {
    const { stdout: pushed } = await runCli(['push', `${name}:subject`, '--artifact-type', 'test/s', ...created])
    const subject = /Digest: (\S+)/.exec(pushed)?.[1] ?? ''
    const words = ['attach', '--artifact-type', 'doc/ex', `${name}:subject`, file, ...titled()]
    const { code, stdout } = await runCli(words)
    expect(code).toBe(0)
    expect(stdout).toContain(`Attached to [registry] ${name}@${subject}\nDigest: sha256:`)
    const attached = /Digest: (\S+)/.exec(stdout)?.[1] ?? ''
    const nested = [
      'attach',
      '--artifact-type',
      'sig/ex',
      `${name}:subject@${attached}`,
      '-a',
      'k=v',
      '--format',
      'json',
    ]
    expect(JSON.parse((await runCli(nested)).stdout)).toMatchObject({
      mediaType: MANIFEST,
      annotations: { k: 'v' },
      artifactType: 'sig/ex',
    })
    expect((await runCli(['discover', `${name}:subject`])).stdout).toMatch(
      new RegExp(
        `^${name}@${subject}\n└── doc/ex\n    └── ${attached}\n        ├── \\[annotations\\]\n` +
          `        │   └── org\\.opencontainers\\.image\\.created: "${CREATED}"\n        └── sig/ex\n            └── sha256:`,
      ),
    )
  })

  test('what is not there', async () => {
    const { code, stderr } = await runCli(['attach', '--artifact-type', 'doc/ex', `${name}:nosuch`, '-a', 'k=v'])
    expect(stderr).toBe(`Error response from registry: failed to resolve nosuch: ${name}:nosuch: not found\n`)
    expect(code).toBe(6)
  })

  test.each([
    [
      ['--artifact-type', 'doc/ex', 'x/y:v1'],
      /^Error: neither file nor annotation provided in the command\nUsage: gantry attach /,
    ],
    [['x/y:v1', 'file'], /^Error: required flag\(s\) "artifact-type" not set\n/],
    [['--artifact-type', 'doc/ex', 'x/y', 'file'], /^Error: "x\/y": no tag or digest specified\n/],
  ])('refuses %j', async (words, expected) => {
    const { code, stderr } = await runCli(['attach', ...words])
    expect(stderr).toMatch(expected)
    expect(code).toBe(2)
  })
})

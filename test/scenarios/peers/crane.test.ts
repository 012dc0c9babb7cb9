import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { accounts } from '../harness/accounts.js'
import { digestOf } from '../harness/output.js'
import { requestPeer } from '../harness/peers.js'
import { registriesUnderTest, startRegistry } from '../harness/registries.js'
import type { RunningRegistry } from '../harness/registries.js'
import { Workplace } from '../harness/workplace.js'

describe.runIf(requestPeer('crane')).each(registriesUnderTest())('crane and gantry, on $name', (kind) => {
  let registry: RunningRegistry
  let shell: Workplace
  let count = 0

  beforeAll(async () => {
    registry = await startRegistry(kind, { password: true })
  })
  afterAll(async () => registry.stop())

  beforeEach(async () => {
    shell = await Workplace.create({
      HOST: registry.host,
      REPO: `${registry.host}/crane/case${++count}`,
      NAME: accounts.accessKey.username,
      PASSWORD: accounts.accessKey.password,
    })
    await shell.write('file.txt', 'content\n')
    await shell.do('tar -cf layer.tar file.txt && tar -czf layer.tar.gz file.txt')
    await shell.do('gantry login $HOST -u $NAME --password-stdin <<< $PASSWORD')
  })
  afterEach(async () => shell.leave())

  test.each(['', '--oci-empty-base'])('both make the same image of a compressed layer (%s)', async (flag) => {
    const reference = await shell.do(`gantry append ${flag} -f layer.tar.gz -t $REPO:v1`)
    expect(reference).toBe(await shell.do(`crane append ${flag} -f layer.tar.gz -t $REPO:v1`))
  })

  test('both make the same image on a base', async () => {
    await shell.do('crane append -f layer.tar.gz -t $REPO:base')
    const reference = await shell.do('gantry append -b $REPO:base -f layer.tar.gz -t $REPO:v1')
    expect(reference).toBe(await shell.do('crane append -b $REPO:base -f layer.tar.gz -t $REPO:v1'))
  })

  test.each(['layer.tar', 'layer.tar.gz'])('an image that gantry makes of %s is a valid one', async (layer) => {
    await shell.do(`gantry append -f ${layer} -t $REPO:v1`)
    expect(await shell.do('crane validate --remote $REPO:v1')).toContain('PASS')
    expect(await shell.do('crane export $REPO:v1 - | tar -xO file.txt')).toBe('content\n')
    expect(await shell.do('crane digest $REPO:v1')).toBe(await shell.do('gantry resolve $REPO:v1'))
  })

  test('what crane makes, gantry reads and copies', async () => {
    const reference = (await shell.do('crane append -f layer.tar -t $REPO:v1')).trim()
    const manifest = await shell.do('gantry manifest fetch $REPO:v1')
    expect(digestOf(manifest)).toBe(reference.split('@')[1])
    expect(manifest).toBe(await shell.do('crane manifest $REPO:v1'))
    await shell.do(`gantry copy ${reference} $REPO/copy:v1`)
    expect(await shell.do('crane validate --remote $REPO/copy:v1')).toContain('PASS')
  })

  test('both change an image to the same bytes', async () => {
    await shell.do('crane append -f layer.tar.gz -t $REPO:base')
    // With a time of its own an image differs from that of crane, which knows no such variable.
    for (const flags of [
      '-l a=b,c=d -a k=v',
      '-e A=1 --entrypoint sh,-c --cmd x',
      '-u me --set-platform linux/arm64',
    ]) {
      const reference = await shell.do(`SOURCE_DATE_EPOCH= gantry mutate ${flags} -t $REPO:v1 $REPO:base`)
      expect(reference).toBe(await shell.do(`crane mutate ${flags} -t $REPO:v2 $REPO:base`))
      expect(await shell.do('gantry config $REPO:v1')).toBe(await shell.do('crane config $REPO:v2'))
    }
  })

  test('both export the same tar, and what gantry flattens and rebases is valid', async () => {
    await shell.do('mkdir more && echo more > more/file && ln more/file more/link && touch .wh.file.txt')
    await shell.do('tar -czf more.tar.gz more .wh.file.txt')
    await shell.do('crane append -f layer.tar.gz -t $REPO:base && crane append -f more.tar.gz -t $REPO:other')
    await shell.do('crane append -b $REPO:base -f more.tar.gz -t $REPO:v1')
    await shell.do('gantry export $REPO:v1 ours.tar && crane export $REPO:v1 theirs.tar && cmp ours.tar theirs.tar')
    await shell.do('gantry flatten -t $REPO:flat $REPO:v1')
    await shell.do('crane export $REPO:flat flat.tar && cmp flat.tar ours.tar')
    const bases = '--old_base $REPO:base --new_base $REPO:other'
    const reference = await shell.do(`gantry rebase ${bases} -t $REPO:ours $REPO:v1`)
    expect(reference).toBe(await shell.do(`crane rebase ${bases} -t $REPO:theirs $REPO:v1`))
    for (const tag of ['flat', 'ours']) {
      expect(await shell.do(`crane validate --remote $REPO:${tag}`)).toContain('PASS')
      expect(await shell.do(`gantry validate $REPO:${tag}`)).toContain('PASS')
    }
  })

  test('both list the same tags', async () => {
    await shell.do('gantry append -f layer.tar -t $REPO:v1 && gantry tag $REPO:v1 v2 latest')
    const tags = await shell.do('gantry repo tags $REPO')
    expect(tags.split('\n').sort()).toEqual((await shell.do('crane ls $REPO')).split('\n').sort())
  })

  test.runIf(kind.hasCatalog)('both list the same repositories', async () => {
    await shell.do('gantry append -f layer.tar -t $REPO:v1 && gantry append -f layer.tar -t $REPO/more:v1')
    expect(await shell.do('gantry repo ls $HOST')).toBe(await shell.do('crane catalog $HOST'))
  })

  test('a layout that gantry writes, crane pushes, and the other way round', async () => {
    const reference = (await shell.do('gantry append --oci-empty-base -f layer.tar -t $REPO:v1')).trim()
    await shell.do('gantry copy $REPO:v1 --to-oci-layout ours:v1')
    expect((await shell.do('crane push ours $REPO/ours:v1')).split('@')[1]?.trim()).toBe(reference.split('@')[1])
    await shell.do('crane pull --format oci --annotate-ref $REPO:v1 theirs')
    const digest = reference.split('@')[1] ?? ''
    await shell.do(`gantry copy --from-oci-layout theirs@${digest} $REPO/theirs:v1`)
    expect(await shell.do('crane digest $REPO/theirs:v1')).toBe(`${digest}\n`)
  })

  test.runIf(kind.knowsPasswords)('log-ins are shared both ways', async () => {
    await shell.do('gantry append -f layer.tar -t $REPO:v1 && crane digest $REPO:v1')
    await shell.do('crane auth logout $HOST')
    expect(await shell.type('gantry resolve $REPO:v1')).toMatchObject({ stdout: '', exitCode: 5 })
    await shell.do('crane auth login $HOST -u $NAME --password-stdin <<< $PASSWORD')
    expect(await shell.do('gantry resolve $REPO:v1')).toBe(await shell.do('crane digest $REPO:v1'))
    await shell.do('gantry logout $HOST')
    expect((await shell.type('crane digest $REPO:v1')).exitCode).toBe(1)
  })
})

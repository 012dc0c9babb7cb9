import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { accounts } from '../harness/accounts.js'
import { printedDigest, treeNodes } from '../harness/output.js'
import { requestPeer } from '../harness/peers.js'
import { registriesUnderTest, startRegistry } from '../harness/registries.js'
import type { RunningRegistry } from '../harness/registries.js'
import { Workplace } from '../harness/workplace.js'

const created = '--annotation org.opencontainers.image.created=2020-01-01T00:00:00Z'

describe.runIf(requestPeer('oras')).each(registriesUnderTest())('oras and gantry, on $name', (kind) => {
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
      REPO: `${registry.host}/oras/case${++count}`,
      NAME: accounts.robot.username,
      PASSWORD: accounts.robot.password,
    })
    await shell.write('hello.txt', 'hello\n')
    await shell.write('folder/one.txt', 'one\n')
    await shell.write('folder/deep/two.txt', 'two\n')
    await shell.write('config.json', '{}')
    await shell.do('gantry login $HOST -u $NAME --password-stdin <<< $PASSWORD')
  })
  afterEach(async () => shell.leave())

  const pairs = [
    ['gantry', 'oras'],
    ['oras', 'gantry'],
  ] as const

  test.each(pairs)('what %s pushes, %s pulls', async (one, other) => {
    const pushed = await shell.do(`${one} push $REPO:v1,v2 hello.txt:text/plain folder --artifact-type example/thing`)
    const pulled = await shell.do(`${other} pull -o out $REPO:v2`)
    expect(printedDigest(pulled)).toBe(printedDigest(pushed))
    await shell.do('cmp hello.txt out/hello.txt && diff -r folder out/folder')
  })

  test.each([
    'hello.txt',
    'hello.txt:text/plain config.json --artifact-type example/thing',
    '--artifact-type example/nothing',
    'hello.txt --config config.json:application/vnd.example.config',
    'hello.txt --config config.json:application/vnd.example.config --artifact-type example/thing',
    'hello.txt --image-spec v1.0 --artifact-type example/old',
    'hello.txt --artifact-platform linux/arm/v7 --artifact-type example/thing',
    `hello.txt --annotation 'odd=<&> "quoted"'`,
  ])('both make the same manifest of: push %s', async (words) => {
    // One after the other: not every registry takes the same blob twice at the same time.
    const ours = await shell.do(`gantry push $REPO:gantry ${words} ${created}`)
    const theirs = await shell.do(`oras push $REPO:oras ${words} ${created}`)
    expect(await shell.do('gantry manifest fetch $REPO:gantry')).toBe(await shell.do('oras manifest fetch $REPO:oras'))
    expect(printedDigest(ours)).toBe(printedDigest(theirs))
  })

  test.each(pairs)('what %s attaches, %s discovers', async (one, other) => {
    await shell.do(`${one} push $REPO:v1 hello.txt`)
    await shell.do(`${one} attach $REPO:v1 --artifact-type example/note hello.txt`)
    await shell.do(`${one} attach $REPO:v1 --artifact-type example/sbom folder`)
    const trees = await Promise.all([one, other].map((program) => shell.do(`${program} discover $REPO:v1`)))
    expect(treeNodes(trees[1] ?? '')).toEqual(treeNodes(trees[0] ?? ''))
    expect(treeNodes(trees[0] ?? '')).toHaveLength(5)
  })

  test('both attach to the same subject, and each sees both', async () => {
    await shell.do('oras push $REPO:v1 hello.txt')
    await shell.do('oras attach $REPO:v1 --artifact-type example/theirs hello.txt')
    await shell.do('gantry attach $REPO:v1 --artifact-type example/ours hello.txt')
    await shell.do('oras attach $REPO:v1 --artifact-type example/later folder')
    const trees = await Promise.all(['gantry', 'oras'].map((program) => shell.do(`${program} discover $REPO:v1`)))
    expect(treeNodes(trees[0] ?? '')).toEqual(treeNodes(trees[1] ?? ''))
    expect(treeNodes(trees[0] ?? '')).toHaveLength(7)
  })

  test.each(pairs)('a layout that %s writes, %s reads', async (one, other) => {
    const pushed = await shell.do(`${one} push $REPO:v1 hello.txt folder`)
    await shell.do(`${one} cp $REPO:v1 --to-oci-layout layout:v1`)
    const copied = await shell.do(`${other} cp --from-oci-layout layout:v1 $REPO/copy:v1`)
    expect(printedDigest(copied)).toBe(printedDigest(pushed))
    await shell.do(`${other} pull --oci-layout -o out layout:v1 && diff -r folder out/folder`)
  })

  test.each(pairs)('what %s deletes is gone for %s', async (one, other) => {
    await shell.do(`${other} push $REPO:v1 hello.txt && ${one} manifest delete -f $REPO:v1`)
    expect((await shell.type(`${other} manifest fetch $REPO:v1`)).exitCode).toBe(other === 'gantry' ? 6 : 1)
  })

  test.runIf(kind.knowsPasswords).each(pairs)(
    'where %s has logged in, %s is logged in, and out again',
    async (one, other) => {
      await shell.do('gantry logout $HOST')
      expect((await shell.type(`${other} repo tags $REPO`)).exitCode).not.toBe(0)
      await shell.do(`${one} login $HOST -u $NAME --password-stdin <<< $PASSWORD`)
      await shell.do(`${other} push $REPO:v1 hello.txt`)
      await shell.do(`${other} logout $HOST`)
      expect((await shell.type(`${one} repo tags $REPO`)).exitCode).not.toBe(0)
    },
  )

  test.each(pairs)('what %s backs up, %s restores, from a folder and from a tar', async (one, other) => {
    await shell.do('gantry push $REPO:v1 hello.txt && gantry push $REPO:v2 folder')
    await shell.do('gantry attach $REPO:v1 --artifact-type example/note hello.txt')
    for (const path of ['saved', 'saved.tar']) {
      await shell.do(`${one} backup -o ${path} --include-referrers $REPO:v1,v2`)
      expect(await shell.do(`${other} repo tags --oci-layout ${path}`)).toBe('v1\nv2\n')
      await shell.do(`${other} restore --input ${path} $REPO/${path}`)
      const trees = await Promise.all(
        [`${one} discover $REPO/${path}:v1`, `${other} discover --oci-layout ${path}:v1`].map((line) => shell.do(line)),
      )
      // The roots are called by the places that they are in.
      const [there, here] = trees.map((tree) => treeNodes(tree).map((way) => way.slice(1)))
      expect(there).toEqual(here)
      expect(there).toHaveLength(3)
      await shell.do(`${one} pull -o out-${path} $REPO/${path}:v2 && diff -r folder out-${path}/folder`)
    }
  })

  test('both make the same indexes', async () => {
    const platform = (name: string) => `--artifact-platform linux/${name} --artifact-type example/thing ${created}`
    await shell.do(`gantry push $REPO:amd64 hello.txt ${platform('amd64')}`)
    await shell.do(`gantry push $REPO:arm64 hello.txt ${platform('arm64/v8')}`)
    await shell.do(`gantry push $REPO:old hello.txt --config config.json:application/vnd.example.config ${created}`)
    for (const line of [
      "manifest index create $REPO amd64 arm64 old -o - --annotation 'odd=<&>' --artifact-type example/index",
      'manifest index create $REPO -o -',
    ]) {
      expect(await shell.do(`gantry ${line}`)).toBe(await shell.do(`oras ${line}`))
    }
    const digest = printedDigest(await shell.do('gantry manifest index create $REPO:both amd64 arm64'))
    await shell.do('oras manifest index create $REPO:more old')
    for (const change of [
      '--add old --merge more',
      `--remove ${(await shell.do('gantry resolve $REPO:amd64')).trim()}`,
      "--artifact-type ''",
    ]) {
      const line = `manifest index update $REPO@${digest} ${change} -o -`
      expect(await shell.do(`gantry ${line}`)).toBe(await shell.do(`oras ${line}`))
    }
  })
})

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { requestPeer } from '../harness/peers.js'
import { registriesUnderTest, startRegistry, type RunningRegistry } from '../harness/registries.js'
import { Workplace } from '../harness/workplace.js'

/** cosign asks no log, and says so. */
const OFFLINE = '--use-signing-config=false --tlog-upload=false'
const VERIFY = 'cosign verify --key cosign.pub --insecure-ignore-tlog'

describe.runIf(requestPeer('cosign')).each(registriesUnderTest())('cosign and gantry, on $name', (kind) => {
  let registry: RunningRegistry
  let shell: Workplace
  let count = 0

  beforeAll(async () => {
    registry = await startRegistry(kind)
  })
  afterAll(async () => registry.stop())

  beforeEach(async () => {
    shell = await Workplace.create({
      REPO: `${registry.host}/cosign/case${++count}`,
      COSIGN_PASSWORD: 'secret',
      // It would look for the keys of public services.
      SIGSTORE_NO_CACHE: 'true',
      TUF_ROOT: '/nonexistent',
    })
    await shell.write('file.txt', 'content\n')
    await shell.write('predicate.json', '{"builder":{"id":"https://ci.example.com"}}\n')
    await shell.do('gantry push -q $REPO:v1 file.txt')
  })
  afterEach(async () => shell.leave())

  const reference = '$REPO@$(gantry resolve $REPO:v1)'

  test.each(['bundle', 'tag'])('cosign verifies what gantry signs with its own key, as a %s', async (form) => {
    await shell.do('gantry generate-key-pair')
    await shell.do(`gantry sign --key cosign.key --signature-form ${form} -a stage=prod $REPO:v1`)
    await shell.do(
      `gantry attest --key cosign.key --signature-form ${form} --type custom --predicate predicate.json $REPO:v1`,
    )
    await shell.do(`${VERIFY} -a stage=prod $REPO:v1`)
    await shell.do('cosign verify-attestation --type custom --key cosign.pub --insecure-ignore-tlog $REPO:v1')
    expect((await shell.type(`${VERIFY} -a stage=dev $REPO:v1`)).exitCode).not.toBe(0)
  })

  test.each([
    ['a bundle', '', ''],
    ['the tag', '--new-bundle-format=false', ''],
    [
      'a referrer in the older form',
      '--new-bundle-format=false --registry-referrers-mode=oci-1-1',
      'COSIGN_EXPERIMENTAL=1',
    ],
  ])('gantry verifies what cosign signs as %s', async (_, flags, variables) => {
    await shell.do('cosign generate-key-pair')
    await shell.do(`${variables} cosign sign --key cosign.key ${OFFLINE} ${flags} -y -a stage=prod ${reference}`)
    await shell.do('gantry verify --key cosign.pub -a stage=prod $REPO:v1')
    expect((await shell.type('gantry verify --key cosign.pub -a stage=dev $REPO:v1')).exitCode).toBe(11)
    await shell.do('gantry generate-key-pair --output-key-prefix other')
    expect((await shell.type('gantry verify --key other.pub $REPO:v1')).exitCode).toBe(11)
  })

  test.each(['', '--new-bundle-format=false'])('gantry verifies what cosign attests (%s)', async (flags) => {
    await shell.do('cosign generate-key-pair')
    await shell.do(
      `cosign attest --key cosign.key ${OFFLINE} ${flags} -y --type custom --predicate predicate.json ${reference}`,
    )
    const statement = await shell.do('gantry verify-attestation --key cosign.pub --type custom $REPO:v1')
    expect(statement).toContain('ci.example.com')
    expect((await shell.type('gantry verify --key cosign.pub $REPO:v1')).exitCode).toBe(10)
  })

  test('a copy through the gate carries signatures that cosign verifies', async () => {
    await shell.do('gantry generate-key-pair')
    await shell.do('gantry sign --key cosign.key $REPO:v1')
    await shell.do('gantry copy --verify-key cosign.pub $REPO:v1 $REPO-prod:v1')
    await shell.do(`${VERIFY} $REPO-prod:v1`)
    expect((await shell.type('gantry copy --verify-key cosign.pub $REPO:v1 $REPO-prod:v1')).exitCode).toBe(0)
  })
})

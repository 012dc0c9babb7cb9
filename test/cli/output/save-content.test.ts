import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { saveContent } from '../../../src/cli/output/save-content.js'
import { GantryError } from '../../../src/errors.js'
import { openBytes } from '../../../src/util/bytes.js'

describe('what is no regular file', () => {
  test.runIf(existsSync('/dev/full'))('fails like any other when it takes nothing', async () => {
    await expect(saveContent('/dev/full', openBytes(Buffer.from('x'))())).rejects.toMatchObject({
      name: 'GantryError',
      code: 'file-error',
      message: expect.stringMatching(/^cannot write \/dev\/full: .*no space left on device/),
    })
  })

  test.runIf(existsSync('/dev/null'))('leaves the failure of the content as it is', async () => {
    const failure = new GantryError('digest-mismatch', 'wrong')
    const content = (async function* () {
      yield Buffer.from('x')
      throw failure
    })()
    await expect(saveContent('/dev/null', content)).rejects.toBe(failure)
  })
})

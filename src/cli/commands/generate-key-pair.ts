import { open, rm } from 'node:fs/promises'
import { GantryError } from '../../errors.js'
import { generateKeys } from '../../signature/private-key.js'
import { reasonOf } from '../../util/file-error.js'
import { command } from '../command.js'
import { requiredText } from '../options/option.js'
import { readPassword } from '../options/signing.js'

export default command({
  summary: 'Make a pair of keys to sign with',
  description: `Writes a private key, encrypted with a password, and the public key that belongs to it, in the form of cosign. Files that
are there are not overwritten. The password comes from COSIGN_PASSWORD, or is asked for.`,
  options: {
    outputKeyPrefix: requiredText('--output-key-prefix <path>', 'what the names of both files begin with', {
      fallback: 'cosign',
    }),
  },
  examples: [['Make release.key and release.pub', 'generate-key-pair --output-key-prefix release']],
  async run({ options: { outputKeyPrefix }, context }) {
    const files = { privateKey: `${outputKeyPrefix}.key`, publicKey: `${outputKeyPrefix}.pub` }
    const password = await readPassword(
      context,
      'Enter password for private key: ',
      'Enter password for private key again: ',
    )
    const keys = await generateKeys(password)
    await writeNew(files.publicKey, keys.publicKey, 0o644)
    try {
      await writeNew(files.privateKey, keys.privateKey, 0o600)
    } catch (error) {
      await rm(files.publicKey)
      throw error
    }
    return files
  },
  text({ privateKey, publicKey }, print) {
    print.status(`Private key written to ${privateKey}`)
    print.status(`Public key written to ${publicKey}`)
  },
})

async function writeNew(path: string, text: string, mode: number): Promise<void> {
  try {
    const file = await open(path, 'wx', mode)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
  } catch (cause) {
    const isThere = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST'
    if (!isThere) throw new GantryError('file-error', `${path} was not written: ${reasonOf(cause)}`, { cause })
    throw new GantryError('already-exists', `${path} is there already: no keys were made`, {
      hint: 'Choose another name with --output-key-prefix, or move that file away.',
    })
  }
}

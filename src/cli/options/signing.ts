import { GantryError } from '../../errors.js'
import type { PrivateKey } from '../../signature/private-key.js'
import type { SignOptions } from '../../signature/sign.js'
import type { Context } from '../context.js'
import { Prompt } from '../prompt.js'
import { list, parsed, requiredText, type OptionValues } from './option.js'
import { createdAt, parseAnnotationFlags } from './packer.js'
import { readKey } from './trust.js'

/** The variable that cosign takes the password of a key from. */
const PASSWORD_VARIABLE = 'COSIGN_PASSWORD'

/** The flags of commands that sign. */
export const signingOptions = {
  key: requiredText('--key <key>', 'private key: a file, env://VARIABLE or the text itself'),
  annotation: list('-a, --annotation <key=value>', 'what the signature says beside the digest'),
  signatureForm: parsed(
    '--signature-form <form>',
    'bundle, as a referrer (default), or tag, for older verifiers',
    parseForm,
  ),
}

/** How something is signed, as the flags say. */
export async function readSigning(
  { key, annotation, signatureForm }: OptionValues<typeof signingOptions>,
  context: Context,
): Promise<Omit<SignOptions, 'signal' | 'repository'>> {
  return {
    key: await readPrivateKey(key, context),
    annotations: parseAnnotationFlags(annotation),
    form: signatureForm,
    created: createdAt(context.environment),
  }
}

/**
 * Opens a private key; its password comes from COSIGN_PASSWORD, or is asked for on a terminal.
 * @throws GantryError `file-error`, `invalid-content`, `unauthorized`
 */
export async function readPrivateKey(key: string, context: Context): Promise<PrivateKey> {
  const { openPrivateKey } = await import('../../signature/private-key.js')
  const { pem, name } = await readKey(key, context)
  return openPrivateKey(pem, name, await readPassword(context, `Enter password for ${name}: `))
}

/** The password of a key, which may be empty. With a question for its repetition, both have to agree. */
export async function readPassword(context: Context, question: string, repetition?: string): Promise<string> {
  const known = context.environment[PASSWORD_VARIABLE]
  if (known !== undefined) return known
  if (context.stdin.isTTY !== true) {
    throw new GantryError('invalid-argument', `the password of the key is not known`, {
      hint: `Set the variable ${PASSWORD_VARIABLE}, to an empty text where the key has no password.`,
    })
  }
  const prompt = new Prompt(context)
  try {
    const password = await prompt.askSecret(question)
    if (repetition !== undefined && (await prompt.askSecret(repetition)) !== password) {
      throw new GantryError('invalid-argument', 'the passwords are not the same')
    }
    return password
  } finally {
    prompt.close()
  }
}

function parseForm(text: string): 'bundle' | 'tag' {
  if (text === 'bundle' || text === 'tag') return text
  throw new GantryError('invalid-argument', `"${text}" is no form of signatures: it is bundle or tag`)
}

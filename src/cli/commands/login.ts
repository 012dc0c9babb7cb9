import type { LoginNotice } from '../../client/login.js'
import { isRegistryName } from '../../oci/reference.js'
import type { Credential } from '../../registry/auth/credential.js'
import { registry as registryArgument } from '../arguments.js'
import { command } from '../command.js'
import type { Context } from '../context.js'
import { withoutScheme } from '../options/registry-name.js'
import { Prompt } from '../prompt.js'
import { UsageError } from '../usage-error.js'

export default command({
  summary: 'Log in to a registry',
  description: `The credentials are tried before they are stored.

They are stored where docker keeps its own, in $DOCKER_CONFIG or ~/.docker/config.json and through the credential
helpers that it names, so that docker, podman, oras and crane find them.`,
  arguments: { registry: registryArgument() },
  needs: 'the registry to log in to',
  examples: [
    ['Log in with a password from stdin', 'login -u user --password-stdin localhost:5000 < password.txt'],
    ['Log in with an identity token', 'login --identity-token-stdin registry.example.com < token.txt'],
  ],
  async run({ registry: typed, access, client, context, signal, print, usage, flags }) {
    const registry = withoutScheme(typed, (text) => print.notice(text))
    if (!isRegistryName(registry)) throw new UsageError(`invalid registry "${registry}"`, { usage })
    const { credentials } = access
    const given = typeof credentials === 'object' && 'type' in credentials ? credentials : undefined
    const credential = await completeCredential(given, context)
    const onNotice = (notice: LoginNotice): void => print.notice(describeNotice(notice))
    const files = (flags.registryConfig ?? []) as readonly string[]
    const { path, helper } = await client.login(registry, credential, {
      // What the other flags say is who logs in, and not where that is kept.
      credentials: files.length === 0 ? undefined : { files },
      onNotice,
      signal,
    })
    return { registry, username: credential.type === 'basic' ? credential.username : undefined, path, helper }
  },
  text: (_result, print) => print.line('Login Succeeded'),
})

function describeNotice(notice: LoginNotice): string {
  switch (notice.type) {
    case 'sent-in-clear':
      return `WARNING! The credentials go to ${notice.registry} without TLS: everybody on the way can read them.`
    case 'stored-in-clear':
      return `WARNING! The credentials are stored unencrypted in ${notice.path}.`
    case 'file-closed':
      return `${notice.path} is now readable by its owner alone.`
  }
}

/** Asks for what the flags did not say. */
async function completeCredential(given: Credential | undefined, context: Context): Promise<Credential> {
  if (given !== undefined && !(given.type === 'basic' && given.password === '')) return given
  const prompt = new Prompt(context)
  try {
    const user = given?.type === 'basic' ? given.username : (await prompt.ask('Username: ')).trim()
    const secret = await prompt.askSecret(user === '' ? 'Token: ' : 'Password: ')
    if (secret === '') throw new UsageError(user === '' ? 'token required' : 'password required')
    return user === '' ? { type: 'identity-token', token: secret } : { type: 'basic', username: user, password: secret }
  } finally {
    prompt.close()
  }
}

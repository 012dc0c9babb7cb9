import { storeCredential } from '../../credentials/credential-store.js'
import {
  readRegistrySettings,
  registrySettingsFileOf,
  setRegistrySettings,
  settingsOfRegistry,
} from '../../credentials/registry-settings.js'
import { isRegistryName } from '../../oci/reference.js'
import { checkCredential, type Credential } from '../../registry/auth/credential.js'
import { classifyHost } from '../../registry/http/host-class.js'
import { Registry } from '../../registry/registry.js'
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
  async run({ registry: typed, access, client, context, signal, print, usage }) {
    const registry = withoutScheme(typed, (text) => print.notice(text))
    if (!isRegistryName(registry)) throw new UsageError(`invalid registry "${registry}"`, { usage })
    const { credentials } = access
    const given = typeof credentials === 'object' && 'type' in credentials ? credentials : undefined
    const credential = await completeCredential(given, context)
    checkCredential(credential)
    const transport = await client.connections({ ...access, credentials: credential }).transport(registry)
    if (isReadOnTheWay(transport.origin)) {
      print.notice(`WARNING! The credentials go to ${registry} without TLS: everybody on the way can read them.`)
    }
    await new Registry(transport).ping({ signal })
    const stored = await storeCredential(client.connections().credentialSettings(), registry, credential)
    if (stored.isPlainText) print.notice(`WARNING! The credentials are stored unencrypted in ${stored.path}.`)
    if (stored.tightenedFrom !== undefined) print.notice(`${stored.path} is now readable by its owner alone.`)
    await rememberAuthHosts(registry, access.trustedAuthHosts ?? [], context)
    const { path, helper } = stored
    return { registry, username: credential.type === 'basic' ? credential.username : undefined, path, helper }
  },
  text: (_result, print) => print.line('Login Succeeded'),
})

/** Keeps the token services that the user has named for a registry, so that later commands need no flag. */
async function rememberAuthHosts(registry: string, authHosts: readonly string[], context: Context): Promise<void> {
  if (authHosts.length === 0) return
  const path = registrySettingsFileOf(context)
  const { authHosts: known = [] } = settingsOfRegistry(await readRegistrySettings(path), registry)
  await setRegistrySettings(path, registry, { authHosts: [...new Set([...known, ...authHosts])] }, context)
}

/** Whether what is sent to an origin passes other machines in clear. */
function isReadOnTheWay(origin: string): boolean {
  const { protocol, hostname } = new URL(origin)
  return protocol === 'http:' && classifyHost(hostname) !== 'loopback'
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

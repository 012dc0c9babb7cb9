import {
  readRegistrySettings,
  registrySettingsFileOf,
  setRegistrySettings,
  settingsOfRegistry,
} from '../../credentials/registry-settings.js'
import { checkCredential } from '../../registry/auth/credential.js'
import { classifyHost } from '../../registry/http/host-class.js'
import { isRegistryName, Registry, storeCredential, type Credential } from '../../index.js'
import type { Context } from '../context.js'
import { defineCommand } from '../define-command.js'
import { declareConnection } from '../options/connection.js'
import { credentialSettings } from '../options/environment.js'
import { withoutScheme } from '../options/registry-name.js'
import { declareRemote, readRemote, type RemoteOptions } from '../options/remote.js'
import { Printer } from '../output/printer.js'
import { Prompt } from '../prompt.js'
import { UsageError } from '../usage-error.js'
import { withSession } from '../with-session.js'

export const login = defineCommand<object>({
  usage: '<registry>',
  description: `Log in to a registry. The credentials are tried before they are stored.

They are stored where docker keeps its own, in $DOCKER_CONFIG or ~/.docker/config.json and through the credential
helpers that it names, so that docker, podman, oras and crane find them.

Example - Log in with a password from stdin:
  gantry login -u user --password-stdin localhost:5000 < password.txt

Example - Log in with an identity token:
  gantry login --identity-token-stdin registry.example.com < token.txt`,
  arguments: { minimum: 1, as: 'the registry to log in to' },
  configure: (command) => {
    declareRemote(command)
    declareConnection(command)
  },
  run: (call) =>
    withSession(call.context, call.values, async (session) => {
      const { context } = call
      const printer = new Printer(context)
      const registry = withoutScheme(call.arguments[0] ?? '', (text) => printer.notice(text))
      if (!isRegistryName(registry)) throw new UsageError(`invalid registry "${registry}"`, { usage: call.usage })
      const options = await readRemote({ ...call.values }, context)
      const credential = await completeCredential(options, context)
      checkCredential(credential)
      const transport = await session.transport(registry, { ...options, credential })
      if (isReadOnTheWay(transport.origin)) {
        printer.notice(`WARNING! The credentials go to ${registry} without TLS: everybody on the way can read them.`)
      }
      await new Registry(transport).ping({ signal: context.signal })
      const stored = await storeCredential(credentialSettings(context, options.registryConfig), registry, credential)
      if (stored.isPlainText) printer.notice(`WARNING! The credentials are stored unencrypted in ${stored.path}.`)
      if (stored.tightenedFrom !== undefined) printer.notice(`${stored.path} is now readable by its owner alone.`)
      await rememberAuthHosts(registry, options.trustedAuthHosts, context)
      printer.line('Login Succeeded')
    }),
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
async function completeCredential({ credential, username }: RemoteOptions, context: Context): Promise<Credential> {
  if (credential !== undefined && !(credential.type === 'basic' && credential.password === '')) return credential
  const prompt = new Prompt(context)
  try {
    const user = username ?? (await prompt.ask('Username: ')).trim()
    const secret = await prompt.askSecret(user === '' ? 'Token: ' : 'Password: ')
    if (secret === '') throw new UsageError(user === '' ? 'token required' : 'password required')
    return user === '' ? { type: 'identity-token', token: secret } : { type: 'basic', username: user, password: secret }
  } finally {
    prompt.close()
  }
}

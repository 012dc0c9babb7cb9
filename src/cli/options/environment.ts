import { credentialSettingsOf, type CredentialSettings, type ProxyOptions } from '../../index.js'
import type { Context } from '../context.js'

/** The proxies that the environment names; lower-case names win, as in curl. */
export function proxyOf(environment: Context['environment']): ProxyOptions {
  // Behind a CGI gateway HTTP_PROXY is a header of the request and not a setting.
  const upperCaseHttp = environment.REQUEST_METHOD === undefined ? environment.HTTP_PROXY : undefined
  const variables: Context['environment'] = { ...environment, HTTP_PROXY: upperCaseHttp }
  const nameOf = (...names: string[]): string | undefined => names.find((name) => variables[name] !== undefined)
  const http = nameOf('http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY')
  const https = nameOf('https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY')
  const valueOf = (name: string | undefined): string | undefined =>
    name === undefined || variables[name] === '' ? undefined : variables[name]
  return {
    http: valueOf(http),
    https: valueOf(https),
    noProxy: environment.no_proxy ?? environment.NO_PROXY,
    origin: { http, https },
  }
}

/** Whether colours may be used on a stream: NO_COLOR (no-color.org) and dumb terminals turn them off. */
export function wantsColour(environment: Context['environment'], isTerminal: boolean): boolean {
  return isTerminal && (environment.NO_COLOR ?? '') === '' && environment.TERM !== 'dumb'
}

/** Where credentials are looked up and stored. */
export function credentialSettings(context: Context, registryConfig: readonly string[]): CredentialSettings {
  const userId = process.getuid?.()
  return credentialSettingsOf({
    env: context.environment,
    homeFolder: context.homeFolder,
    registryConfig,
    signal: context.signal,
    ...(userId === undefined ? {} : { userId }),
  })
}

/** The folder of the cache for fetched content: GANTRY_CACHE, or ORAS_CACHE, which scripts set. */
export function cacheFolderOf(environment: Context['environment']): string | undefined {
  const folder = environment.GANTRY_CACHE ?? environment.ORAS_CACHE
  return folder === '' ? undefined : folder
}

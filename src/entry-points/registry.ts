// `gantry/registry`: repositories as stores, connections, and where credentials and certificates are kept.
export { Registry } from '../registry/registry.js'
export type { CatalogOptions } from '../registry/registry.js'
export { Repository } from '../registry/repository.js'
export type { RepositoryAction } from '../registry/repository-context.js'
export type { BackoffOptions } from '../util/backoff.js'
export type { RepositoryOptions } from '../registry/repository.js'
export type { ReferrersMode } from '../registry/referrers.js'
export type { Credential, CredentialLookup, CredentialScope, FoundCredential } from '../registry/auth/credential.js'
export type { CredentialRefusal } from '../registry/auth/refused-credentials.js'
export { repositoryScope } from '../registry/auth/scope.js'
export type { Scope } from '../registry/auth/scope.js'
export type { CredentialFiles, RegistryAccess } from '../client/connect.js'
export { createTransport } from '../registry/http/create-transport.js'
export type { Transport } from '../registry/http/create-transport.js'
export type { LoginResult } from '../registry/http/http-transport.js'
export type {
  AnswerContent,
  Method,
  RegistryAnswer,
  RegistryRequest,
  RegistryTransport,
  RequestBody,
} from '../registry/http/transport.js'
export type { TransportEvent } from '../registry/http/transport-event.js'
export type {
  HostOverride,
  ProxyOptions,
  RetryOptions,
  TimeoutOptions,
  TlsOptions,
  TransportOptions,
} from '../registry/http/transport-options.js'

export { certificateRootsOf, readRegistryCertificates } from '../credentials/certs-d.js'
export type { CertificateReading, RegistryCertificates } from '../credentials/certs-d.js'
export { createCredentialLookup } from '../credentials/credential-lookup.js'
export { credentialSettingsOf } from '../credentials/credential-settings.js'
export type { CredentialContext, CredentialSettings } from '../credentials/credential-settings.js'
export { eraseCredential, storeCredential } from '../credentials/credential-store.js'
export type { ErasedCredential, StoredCredential } from '../credentials/credential-store.js'
export type { EnvironmentCredential } from '../credentials/environment-credentials.js'
export type { Environment } from '../credentials/helper-program.js'
export { readHttpHeaders } from '../credentials/http-headers.js'
export type { OnSkippedFile } from '../credentials/optional-file.js'
export {
  readRegistrySettings,
  registrySettingsFileOf,
  setRegistrySettings,
  settingsOfRegistry,
  unsetRegistrySettings,
} from '../credentials/registry-settings.js'
export type { RegistrySettingName, RegistrySettings, RegistrySettingsPlace } from '../credentials/registry-settings.js'

import type { AuthSwitches, TokenSwitches } from './auth/auth-switches.js'
import type { BlobSwitches, ManifestSwitches, NameSwitches, PolicySwitches } from './content/content-switches.js'
import type { GeneralSwitches, HttpSwitches, RateLimitSwitches } from './limits/limit-switches.js'
import type { CatalogSwitch, DeleteSwitches, ReferrersSwitches, TagListSwitches } from './lists/list-switches.js'
import type { MountSwitches, UploadSwitches } from './uploads/upload-switches.js'

/** The names that clients know an emulator's servers by; they are then reached with TLS. */
export interface EmulatorHosts {
  readonly registry: string
  /** Further names of the registry. */
  readonly aliases?: readonly string[]
  readonly tokens: string
  readonly blobs: string
}

/** Every way in which a registry can differ from the specification; without any it keeps to it. */
export interface EmulatorOptions {
  readonly hosts?: EmulatorHosts
  readonly auth?: AuthSwitches
  readonly token?: TokenSwitches
  readonly upload?: UploadSwitches
  readonly mount?: MountSwitches
  readonly blob?: BlobSwitches
  readonly manifest?: ManifestSwitches
  readonly policy?: PolicySwitches
  readonly names?: NameSwitches
  readonly tags?: TagListSwitches
  readonly catalog?: CatalogSwitch
  /** 66: the most repositories that may be asked for at once: more is 400. */
  readonly catalogMaxN?: number
  readonly delete?: DeleteSwitches
  readonly referrers?: ReferrersSwitches
  readonly rateLimit?: RateLimitSwitches
  readonly http?: HttpSwitches
  readonly general?: GeneralSwitches
}

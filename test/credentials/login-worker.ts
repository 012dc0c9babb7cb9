import { credentialSettingsOf } from '../../src/credentials/credential-settings.js'
import { storeCredential } from '../../src/credentials/credential-store.js'

/** Logs in to some registries, one after the other: `worker FOLDER HOST...`. */
const [, , folder = '', ...hosts] = process.argv
process.umask(0)
const settings = credentialSettingsOf({ env: {}, homeFolder: folder })
for (const host of hosts) await storeCredential(settings, host, { type: 'basic', username: 'u', password: 'p' })

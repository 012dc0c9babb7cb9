import { GantryError } from '../errors.js'
import { visibleLine } from '../util/visible-text.js'
import { lookupFilesOf, readLookupFile } from './credential-lookup.js'
import type { CredentialSettings } from './credential-settings.js'

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/**
 * The headers that Docker's config.json (`HttpHeaders`) adds to every request to a registry; none of them may reach
 * another host. Of several files the first that sets a header wins.
 * @returns a record without prototype
 * @throws GantryError `credential-store-error` for a header that cannot be sent; never shows its value
 */
export async function readHttpHeaders(settings: CredentialSettings): Promise<Readonly<Record<string, string>>> {
  const headers = Object.create(null) as Record<string, string>
  for (const path of lookupFilesOf(settings)) {
    const file = await readLookupFile(path, settings)
    for (const [name, value] of file?.httpHeaders ?? []) {
      // eslint-disable-next-line no-control-regex -- refusing them is the job
      if (!TOKEN.test(name) || /[\u0000-\u0008\u000a-\u001f\u007f]/.test(value)) {
        throw new GantryError('credential-store-error', `header "${visibleLine(name)}" in ${path} cannot be sent`)
      }
      headers[name] ??= value
    }
  }
  return headers
}

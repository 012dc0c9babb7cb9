import { GantryError } from '../errors.js'
import { isDigest } from '../oci/digest.js'
import { visibleLine } from '../util/visible-text.js'

/**
 * Checks a tag that a local store is to set. A layout's names are freer than a registry's tags (image-spec,
 * annotations.md, `org.opencontainers.image.ref.name`): any text that is visible, and no digest.
 * @throws GantryError `invalid-argument`
 */
export function checkTagName(tag: string): void {
  const shown = visibleLine(tag.length > 200 ? `${tag.slice(0, 200)}…` : tag)
  if (tag === '') throw new GantryError('invalid-argument', 'a tag is empty')
  if (tag.length > 4096 || visibleLine(tag) !== tag) throw new GantryError('invalid-argument', `invalid tag "${shown}"`)
  if (isDigest(tag)) throw new GantryError('invalid-argument', `invalid tag "${shown}": it is a digest`)
}

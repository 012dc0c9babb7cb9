import { isJsonObject } from '../../util/json.js'

/** A parsed document with the keys of every object in order, as Go prints maps. */
export function sortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedKeys)
  if (!isJsonObject(value)) return value
  const sorted = Object.create(null) as Record<string, unknown>
  for (const key of Object.keys(value).sort()) sorted[key] = sortedKeys(value[key])
  return sorted
}

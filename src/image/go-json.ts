import { encodeJson } from '../oci/encode-json.js'
import { isJsonObject, type JsonObject } from '../util/json.js'

/** How one field of a document is written. */
interface Field {
  /** Written even where it is empty, and with this value where it is missing. */
  readonly default?: unknown
  /** Order of the fields of its value, or of the values in its list. */
  readonly shape?: Shape
  /** Its value is a map, whose keys are sorted. */
  readonly isMap?: boolean
}

/** Fields of a document, in the order in which they are written. */
type Shape = Readonly<Record<string, Field>>

const ZERO_TIME = '0001-01-01T00:00:00Z'

const HISTORY: Shape = { author: {}, created: { default: ZERO_TIME }, created_by: {}, comment: {}, empty_layer: {} }

const CONTAINER_CONFIG: Shape = {
  AttachStderr: {},
  AttachStdin: {},
  AttachStdout: {},
  Cmd: {},
  Healthcheck: { shape: { Test: {}, Interval: {}, Timeout: {}, StartPeriod: {}, Retries: {} } },
  Domainname: {},
  Entrypoint: {},
  Env: {},
  Hostname: {},
  Image: {},
  Labels: { isMap: true },
  OnBuild: {},
  OpenStdin: {},
  StdinOnce: {},
  Tty: {},
  User: {},
  Volumes: { isMap: true },
  WorkingDir: {},
  ExposedPorts: { isMap: true },
  ArgsEscaped: {},
  NetworkDisabled: {},
  MacAddress: {},
  StopSignal: {},
  Shell: {},
}

const CONFIG: Shape = {
  architecture: { default: '' },
  author: {},
  container: {},
  created: { default: ZERO_TIME },
  docker_version: {},
  history: { shape: HISTORY },
  os: { default: '' },
  rootfs: { default: {}, shape: { type: { default: '' }, diff_ids: { default: null } } },
  config: { default: {}, shape: CONTAINER_CONFIG },
  'os.version': {},
  variant: {},
  'os.features': {},
}

const DESCRIPTOR: Shape = {
  mediaType: { default: '' },
  size: { default: 0 },
  digest: { default: '' },
  data: {},
  urls: {},
  annotations: { isMap: true },
  platform: {},
  artifactType: {},
}

const MANIFEST: Shape = {
  schemaVersion: { default: 2 },
  mediaType: {},
  config: { shape: DESCRIPTOR },
  layers: { default: null, shape: DESCRIPTOR },
  annotations: { isMap: true },
  subject: { shape: DESCRIPTOR },
  artifactType: {},
}

/**
 * Encodes an image config (image-spec, config.md) with its fields in the order of the Go tools that build images, so
 * that the same image has the same digest. Empty fields are left out; fields that are not known here follow the others.
 */
export function encodeConfig(document: JsonObject): Uint8Array {
  return encodeJson(inOrder(document, CONFIG))
}

/** Encodes an image manifest in the same way. */
export function encodeImageManifest(document: JsonObject): Uint8Array {
  return encodeJson(inOrder(document, MANIFEST))
}

function inOrder(document: JsonObject, shape: Shape): JsonObject {
  const ordered = Object.create(null) as JsonObject
  for (const [name, field] of Object.entries(shape)) {
    const value = document[name] ?? field.default
    if (value === undefined || (!('default' in field) && isEmpty(value))) continue
    ordered[name] = orderedValue(value, field)
  }
  for (const [name, value] of Object.entries(document)) if (!Object.hasOwn(shape, name)) ordered[name] = value
  return ordered
}

function orderedValue(value: unknown, { shape, isMap = false }: Field): unknown {
  if (isMap && isJsonObject(value)) return sortedMap(value)
  if (shape === undefined) return value
  if (Array.isArray(value)) return value.map((entry) => orderedValue(entry, { shape }))
  return isJsonObject(value) ? inOrder(value, shape) : value
}

function sortedMap(map: JsonObject): JsonObject {
  const sorted = Object.create(null) as JsonObject
  const keys = Object.keys(map).sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)))
  for (const key of keys) sorted[key] = map[key]
  return sorted
}

/** What Go's `omitempty` leaves out. */
function isEmpty(value: unknown): boolean {
  if (value === null || value === '' || value === 0 || value === false) return true
  if (Array.isArray(value)) return value.length === 0
  return isJsonObject(value) && Object.keys(value).length === 0
}

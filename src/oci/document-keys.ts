import { freeKeys, knownKeys } from '../util/json-structure.js'

/** Names and texts of the author: annotations and labels, where `A` and `a` are two names. */
const NAMES = freeKeys()

/** image-spec, image-index.md, "platform"; `features` is Docker's. */
const PLATFORM_KEYS = knownKeys({
  architecture: null,
  os: null,
  'os.version': null,
  'os.features': null,
  variant: null,
  features: null,
})

/** image-spec, descriptor.md. */
export const DESCRIPTOR_KEYS = knownKeys({
  mediaType: null,
  digest: null,
  size: null,
  urls: null,
  annotations: NAMES,
  data: null,
  platform: PLATFORM_KEYS,
  artifactType: null,
})

/** What a manifest of any type, known here or not, says by the same keys. */
const COMMON = {
  schemaVersion: null,
  mediaType: null,
  artifactType: null,
  subject: DESCRIPTOR_KEYS,
  annotations: NAMES,
}

/** A manifest of a type that is not known here. */
export const UNKNOWN_MANIFEST_KEYS = knownKeys(COMMON)

/**
 * All kinds of manifests and indexes together (image-spec, manifest.md and image-index.md; Docker's schemas; the
 * withdrawn artifact manifest), as some readers decide by the keys what a document is.
 */
export const MANIFEST_KEYS = knownKeys({
  ...COMMON,
  config: DESCRIPTOR_KEYS,
  layers: DESCRIPTOR_KEYS,
  manifests: DESCRIPTOR_KEYS,
  blobs: DESCRIPTOR_KEYS,
  fsLayers: null,
  history: null,
})

/** A manifest of Docker's schema 1, plain and signed (distribution, "Image Manifest Version 2, Schema 1"). */
export const SCHEMA_1_KEYS = knownKeys({
  schemaVersion: null,
  mediaType: null,
  name: null,
  tag: null,
  architecture: null,
  fsLayers: knownKeys({ blobSum: null }),
  history: knownKeys({ v1Compatibility: null }),
  signatures: knownKeys({ header: null, signature: null, protected: null }),
})

/** image-spec, config.md, with the keys that Docker adds to `config`. */
export const IMAGE_CONFIG_KEYS = knownKeys({
  created: null,
  author: null,
  architecture: null,
  os: null,
  'os.version': null,
  'os.features': null,
  variant: null,
  config: knownKeys({
    User: null,
    ExposedPorts: NAMES,
    Env: null,
    Entrypoint: null,
    Cmd: null,
    Volumes: NAMES,
    WorkingDir: null,
    Labels: NAMES,
    StopSignal: null,
    ArgsEscaped: null,
    Memory: null,
    MemorySwap: null,
    CpuShares: null,
    Healthcheck: knownKeys({
      Test: null,
      Interval: null,
      Timeout: null,
      StartPeriod: null,
      StartInterval: null,
      Retries: null,
    }),
    Hostname: null,
    Domainname: null,
    Tty: null,
    OpenStdin: null,
    StdinOnce: null,
    Image: null,
    OnBuild: null,
    Shell: null,
    StopTimeout: null,
  }),
  rootfs: knownKeys({ type: null, diff_ids: null }),
  history: knownKeys({ created: null, created_by: null, author: null, comment: null, empty_layer: null }),
  docker_version: null,
  id: null,
  parent: null,
  comment: null,
  container: null,
  container_config: null,
})

/** The `oci-layout` file (image-spec, image-layout.md). */
export const LAYOUT_FILE_KEYS = knownKeys({ imageLayoutVersion: null })

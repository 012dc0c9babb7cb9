import type { ImageSpec } from '../../oci/pack.js'
import type { Platform } from '../../oci/platform.js'
import { UsageError } from '../usage-error.js'
import { checkExclusive } from './exclusive.js'
import { parsed, text, type OptionValues } from './option.js'
import { readFileArgument, type FileArgument } from './packer.js'
import { readPlatform } from './platform.js'

/** Flags that decide what kind of manifest files are packed into. */
export const packOptions = {
  artifactType: text('--artifact-type <type>', 'what kind of artifact this is'),
  config: text('--config <file[:type]>', 'file that becomes the config of the manifest'),
  artifactPlatform: parsed(
    '--artifact-platform <os[/arch][/variant][:os_version]>',
    'platform of the artifact',
    readPlatform,
    { stage: 'experimental' },
  ),
  imageSpec: text('--image-spec <version>', 'form of the manifest: v1.1 or v1.0', { stage: 'preview' }),
}

/** The decision that the flags stand for. */
export interface PackDecision {
  readonly imageSpec: ImageSpec
  readonly artifactType?: string
  readonly config?: FileArgument
  readonly artifactPlatform?: Platform
}

/**
 * Decides the form of the manifest: 1.1 unless asked otherwise; a config without an artifact type means 1.0, where the
 * config's type is that of the artifact.
 */
export async function readPack(values: OptionValues<typeof packOptions>): Promise<PackDecision> {
  const { config, artifactType, artifactPlatform } = values
  checkExclusive({ config, 'artifact-platform': artifactPlatform })
  const asked = readImageSpec(values.imageSpec)
  const imageSpec = asked ?? (config !== undefined && artifactType === undefined ? 'v1.0' : 'v1.1')
  if (imageSpec === 'v1.1' && config !== undefined && artifactType === undefined) {
    throw new UsageError('missing artifact type for OCI image-spec v1.1 artifacts', {
      hint: 'set an artifact type via `--artifact-type` or consider image spec v1.0',
    })
  }
  if (imageSpec === 'v1.0' && artifactType !== undefined && (config ?? artifactPlatform) !== undefined) {
    if (config !== undefined)
      throw new UsageError('--artifact-type and --config cannot both be provided for 1.0 OCI image')
    throw new UsageError('artifact type cannot be customized for OCI image-spec v1.0 when platform is specified', {
      hint: 'consider using image spec v1.1 or remove --artifact-type',
    })
  }
  return {
    imageSpec,
    artifactType,
    config: config === undefined ? undefined : await readFileArgument(config),
    artifactPlatform,
  }
}

function readImageSpec(text: string | undefined): ImageSpec | undefined {
  if (text === undefined || text === 'v1.1' || text === 'v1.0') return text
  throw new UsageError(
    `invalid argument "${text}" for "--image-spec" flag: unknown image specification flag: ${text}`,
    {
      hint: 'Available options: v1.1, v1.0',
    },
  )
}

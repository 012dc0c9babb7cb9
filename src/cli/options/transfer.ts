import { flag, parseConcurrency, parseCount, parsed, parseSize } from './option.js'

/** The flags of commands that move content. */
export const transferOptions = {
  concurrency: parsed(
    '--concurrency <count>',
    'how much is moved side by side; follows the registry when not given, and for 0',
    parseConcurrency,
    { group: 'network' },
  ),
}

/** The flags of commands that send blobs. */
export const uploadOptions = {
  ...transferOptions,
  chunkSize: parsed(
    '--chunk-size <size>',
    'largest body of an upload request; larger blobs are sent in chunks (default: adapts to the registry)',
    parseSize,
    { group: 'network' },
  ),
}

/** The flag of commands that push images, as crane spells it. */
export const foreignLayerOptions = {
  allowNondistributableArtifacts: flag(
    '--allow-nondistributable-artifacts',
    'push layers too that their owner wants fetched from elsewhere',
  ),
}

/** The flag of commands that show progress, which the runner reads. */
export const progressOptions = {
  noTty: flag('--no-tty', 'no progress rows, also on a terminal', { group: 'output', stage: 'preview' }),
}

/** The flag of commands that print lists. */
export const listOptions = {
  maxListLength: parsed(
    '--max-list-length <count>',
    'most entries that are read from one list (default: 100000)',
    parseCount,
    {
      group: 'network',
    },
  ),
}

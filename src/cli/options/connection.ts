import type { ClientOptions } from '../../client/opener.js'
import { flag, parseAttempts, parsed, parseDuration, parseSize, type OptionValues } from './option.js'

/** The flags that every command has: how patient and how greedy it is with registries, and how much it says. */
export const connectionOptions = {
  debug: flag('-d, --debug', 'log requests and responses on stderr, without secrets', { group: 'output' }),
  quiet: flag('-q, --quiet', 'print nothing but results that were asked for, and errors', { group: 'output' }),
  verbose: flag('-v, --verbose', 'accepted for scripts', {
    hidden: true,
    fallback: undefined,
    deprecated: 'Flag --verbose has been deprecated, and will be removed in a future release.',
  }),
  retries: parsed(
    '--retries <count>',
    'most attempts for each request; 1 or 0 turns retries off (default: 5)',
    parseAttempts,
    {
      group: 'network',
    },
  ),
  retryMaxWait: parsed(
    '--retry-max-wait <duration>',
    'longest wait that a registry may ask for (default: 60s)',
    parseDuration,
    { group: 'network' },
  ),
  connectTimeout: parsed('--connect-timeout <duration>', 'time to connect (default: 15s)', parseDuration, {
    group: 'network',
  }),
  headersTimeout: parsed('--headers-timeout <duration>', 'time until a response begins (default: 60s)', parseDuration, {
    group: 'network',
  }),
  idleTimeout: parsed('--idle-timeout <duration>', 'time without any data (default: 30s)', parseDuration, {
    group: 'network',
  }),
  timeout: parsed('--timeout <duration>', 'time for the whole command (default: none)', parseDuration, {
    group: 'network',
  }),
  maxManifestSize: parsed('--max-manifest-size <size>', 'largest manifest that is read (default: 4MiB)', parseSize, {
    group: 'network',
  }),
}

/** How a client connects by these flags. */
export function clientOptionsOf(
  values: OptionValues<typeof connectionOptions>,
): Pick<ClientOptions, 'retry' | 'timeouts' | 'maxManifestSize' | 'trace'> {
  const { retries, retryMaxWait, connectTimeout, headersTimeout, idleTimeout, maxManifestSize, debug } = values
  return {
    retry: { attempts: retries, maxRetryAfter: retryMaxWait },
    timeouts: { connect: connectTimeout, headers: headersTimeout, body: idleTimeout },
    maxManifestSize,
    trace: debug,
  }
}

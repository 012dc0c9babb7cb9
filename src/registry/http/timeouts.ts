import type { TimeoutOptions } from './transport-options.js'

/** Every time limit with its value, in milliseconds; 0 is none. */
export type Timeouts = Required<TimeoutOptions>

/** Fills in the time limits that were not given. */
export function timeoutsOf(options: TimeoutOptions = {}): Timeouts {
  const { connect = 15_000, tls = 15_000, headers = 60_000, slowHeaders = 300_000, body = 30_000 } = options
  const { token = 30_000, minimumRate = 1024, minimumRateWindow = 60_000 } = options
  return { connect, tls, headers, slowHeaders, body, token, minimumRate, minimumRateWindow }
}

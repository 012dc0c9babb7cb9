/** What happens on the wire. Secrets are removed before an event is made; events inform and never steer. */
export type TransportEvent =
  /** A request leaves; `id` joins it with its answer. */
  | {
      readonly type: 'request'
      readonly id: number
      readonly method: string
      readonly url: string
      readonly headers: Readonly<Record<string, string>>
    }
  /** The headers of an answer arrived, `milliseconds` after the request was handed to the connection pool. */
  | {
      readonly type: 'response'
      readonly id: number
      readonly method: string
      readonly url: string
      readonly status: number
      readonly headers: Readonly<Record<string, string>>
      readonly milliseconds: number
    }
  /** A request got no answer. */
  | {
      readonly type: 'failure'
      readonly id: number
      readonly method: string
      readonly url: string
      readonly reason: string
    }
  /** Attempt number `attempt` (counted from 1) of `attempts` failed, and the next one starts in `delay` milliseconds. */
  | {
      readonly type: 'retry'
      readonly method: string
      readonly url: string
      readonly attempt: number
      readonly attempts: number
      readonly delay: number
      readonly reason: string
    }
  /** The last attempt did not succeed either. */
  | {
      readonly type: 'gave-up'
      readonly method: string
      readonly url: string
      readonly attempts: number
      readonly reason: string
    }
  /**
   * The registry sent `Warning: 299 - "…"` (distribution-spec, "Warnings"), or something about it is worth knowing and
   * no failure; each text is reported once.
   */
  | { readonly type: 'warning'; readonly message: string }

export type OnTransportEvent = (event: TransportEvent) => void

import type { ErrorCode, GantryError } from '../index.js'

/** What to do about an error, in terms of flags. */
interface FlagHint {
  readonly code: ErrorCode
  /** The part of the message that tells this case from others with the same code. */
  readonly message?: RegExp
  readonly hint: string
}

const HINTS: readonly FlagHint[] = [
  {
    code: 'unsafe-path',
    message: /path traversal disallowed/,
    hint: 'Pulling files outside of working directory is insecure and blocked by default. If you trust the content producer, use --allow-path-traversal to bypass this check.',
  },
  {
    code: 'unsafe-path',
    message: /has a colon|reserved on Windows|ends with a dot or a space/,
    hint: 'If these names need not work on every system, use --allow-unportable-names.',
  },
  {
    code: 'tls-error',
    message: /^redirect target .* certificate signed by unknown authority/,
    hint: 'This host is not the registry itself, which keeps content there and redirects to it. If it is the one you mean, name its certificate authority with --ca-file; --insecure does not count for it.',
  },
  {
    code: 'network-error',
    message: /^redirect target/,
    hint: 'This host is not the registry itself, which keeps content there and redirects to it. It has to be reachable too: through a proxy (HTTPS_PROXY and NO_PROXY), or at another address with --resolve.',
  },
  {
    code: 'timeout',
    message: /^redirect target/,
    hint: 'This host is not the registry itself, which keeps content there and redirects to it. It has to be reachable too; on a slow link, allow more time with --connect-timeout or --headers-timeout.',
  },
  {
    code: 'tls-error',
    message: /certificate signed by unknown authority/,
    hint: 'If the server is the one you mean: name its certificate authority with --ca-file, put it into /etc/containers/certs.d/<host[:port]>/ca.crt (or /etc/docker/certs.d), or do not check at all with --insecure.',
  },
  {
    code: 'tls-error',
    message: /HTTP response to an HTTPS client/,
    hint: 'If the server offers nothing but plain HTTP, use --plain-http.',
  },
  {
    code: 'tls-error',
    message: /was asked in plain HTTP/,
    hint: 'Speak TLS with this registry: --plain-http=false.',
  },
  {
    code: 'limit-exceeded',
    // The list of a layout, the depth of a document and the number of pages have limits that no flag moves.
    message: /^(?!.*index\.json).*(manifest|index|list|tags|referrers).* exceeds the limit of \d+ bytes/,
    hint: 'If you trust the source, allow larger documents with --max-manifest-size.',
  },
  {
    code: 'limit-exceeded',
    message: /unpack/,
    hint: 'If you trust the source, allow more with --max-unpacked-size.',
  },
  {
    code: 'untrusted-destination',
    message: /token service .* is not trusted/,
    hint: 'If this token service belongs to the registry, name it with --auth-host.',
  },
  {
    code: 'unsupported',
    message: /does not take the Docker media type/,
    hint: 'An image that is made here can have OCI media types: append --oci-empty-base.',
  },
  {
    code: 'rate-limited',
    message: /asks to wait/,
    hint: 'To wait that long, allow it with --retry-max-wait.',
  },
  {
    code: 'timeout',
    hint: 'On a slow link, allow more time with --idle-timeout, --headers-timeout or --connect-timeout.',
  },
]

/** Advice that names flags, which the library itself cannot give; undefined where none helps. */
export function flagHintFor({ code, message }: GantryError): string | undefined {
  return HINTS.find((hint) => hint.code === code && (hint.message?.test(message) ?? true))?.hint
}

import type { ErrorCode, ErrorReason, GantryError } from '../errors.js'

const REDIRECT_TARGET = 'This host is not the registry itself, which keeps content there and redirects to it.'

/** What to do about an error, in terms of flags, by its reason. */
const BY_REASON: Partial<Record<ErrorReason, string>> = {
  'path-traversal':
    'Pulling files outside of working directory is insecure and blocked by default. If you trust the content producer, use --allow-path-traversal to bypass this check.',
  'unportable-name': 'If these names need not work on every system, use --allow-unportable-names.',
  'unknown-authority':
    'If the server is the one you mean: name its certificate authority with --ca-file, put it into /etc/containers/certs.d/<host[:port]>/ca.crt (or /etc/docker/certs.d), or do not check at all with --insecure.',
  'plain-http-server': 'If the server offers nothing but plain HTTP, use --plain-http.',
  'tls-server': 'Speak TLS with this registry: --plain-http=false.',
  'manifest-size': 'If you trust the source, allow larger documents with --max-manifest-size.',
  'unpacked-size': 'If you trust the source, allow more with --max-unpacked-size.',
  'token-service': 'If this token service belongs to the registry, name it with --auth-host.',
  'list-length': 'If you trust the registry, read longer lists with --max-list-length.',
  'long-wait': 'To wait that long, allow it with --retry-max-wait.',
  'whole-command': 'To allow more time, raise --timeout.',
  'docker-media-types': 'An image that is made here can have OCI media types: append --oci-empty-base.',
}

/** The same where the host is one that the registry has redirected to. */
const OF_REDIRECT_TARGETS: Partial<Record<ErrorCode, string>> = {
  'tls-error': `${REDIRECT_TARGET} If it is the one you mean, name its certificate authority with --ca-file; --insecure does not count for it.`,
  'network-error': `${REDIRECT_TARGET} It has to be reachable too: through a proxy (HTTPS_PROXY and NO_PROXY), or at another address with --resolve.`,
  timeout: `${REDIRECT_TARGET} It has to be reachable too; on a slow link, allow more time with --connect-timeout or --headers-timeout.`,
}

/** Advice that names flags, which the library itself cannot give; undefined where none helps. */
export function flagHintFor({ code, details }: Pick<GantryError, 'code' | 'details'>): string | undefined {
  const { reason, role } = details
  if (role === 'redirect-target' && OF_REDIRECT_TARGETS[code] !== undefined) return OF_REDIRECT_TARGETS[code]
  if (reason !== undefined) return BY_REASON[reason]
  if (code !== 'timeout') return undefined
  return 'On a slow link, allow more time with --idle-timeout, --headers-timeout or --connect-timeout.'
}

import type { EmulatorOptions } from '../emulator-options.js'
import { secretOf, type Profile } from './profile.js'

const MIB = 1024 * 1024

/** What all tokens have in common that say nothing of their age. */
const SILENT = { omitExpiresIn: true, issuedAt: 'missing' } as const

const azureAccount = {
  username: '00000000-0000-0000-0000-000000000000',
  password: secretOf('acr-access'),
  refreshToken: secretOf('acr-refresh'),
}

/** Azure Container Registry. */
export const acr: Profile = {
  name: 'acr',
  hosts: {
    registry: 'contoso.azurecr.io',
    tokens: 'login.microsoftonline.com',
    blobs: 'eus2managed.blob.core.windows.net',
  },
  account: azureAccount,
  options: {
    auth: { type: 'bearer', accounts: [azureAccount], realmPath: '/oauth2/token', errorDetail: 'array' },
    token: { ...SILENT, field: 'access_token', refreshOnly: true, ttl: { seconds: 4500 } },
    upload: { locationQuery: 'cache-and-state', contentRangeFormat: 400, unknownOnce: 1 },
    blob: { redirect: 307 },
    tags: { link: 'relative', linkExtra: '&orderby=', defaultN: 100 },
    rateLimit: { allowed: 10_000, retryAfter: 30 },
    general: { requiredHeaders: ['X-Meta-Source-Client'] },
  },
}

const googleAccount = {
  username: '_json_key',
  password: `{\n  "type": "service_account",\n  "key": "${secretOf('gar')}:a"\n}`,
}

const google: EmulatorOptions = {
  auth: { type: 'bearer', accounts: [googleAccount], realmPath: '/v2/token' },
  token: { length: 1500, ttl: { seconds: 3600 } },
  upload: { location: 'outsideV2', locationLength: 3000, noChunked: true },
  blob: { redirect: 302, ranges: 'none' },
  tags: { ignoreN: true, extraMembers: true },
  delete: { danglingTag: 400, blob: 405 },
}

/** Google Artifact Registry. */
export const gar: Profile = {
  name: 'gar',
  hosts: { registry: 'us-docker.pkg.dev', tokens: 'oauth2.googleapis.com', blobs: 'storage.googleapis.com' },
  account: googleAccount,
  namespace: 'project/repo',
  options: google,
}

/** Google Container Registry. */
export const gcr: Profile = {
  name: 'gcr',
  hosts: { registry: 'gcr.io', tokens: 'oauth2.googleapis.com', blobs: 'storage.googleapis.com' },
  account: googleAccount,
  options: { ...google, auth: { ...google.auth, noChallengeOnRequest: true } },
}

const hubAccount = { username: 'acme', password: secretOf('docker-hub') }

/** Docker Hub. */
export const dockerHub: Profile = {
  name: 'docker-hub',
  registry: 'docker.io',
  hosts: {
    registry: 'registry-1.docker.io',
    tokens: 'auth.docker.io',
    blobs: 'production.cloudflare.docker.com',
  },
  account: hubAccount,
  namespace: 'acme',
  options: {
    auth: {
      type: 'bearer',
      accounts: [hubAccount, { username: 'guest', password: secretOf('docker-hub-guest'), actions: ['pull'] }],
      anonymousActions: ['pull'],
      anonymousTokenRequired: true,
      tokenWithoutRight: 401,
      realm: 'otherHost',
      service: 'registry.docker.io',
      errorDetail: 'array',
    },
    token: { ttl: { seconds: 300 } },
    upload: { location: 'absolute', locationQuery: 'state' },
    mount: { status: 401 },
    blob: { redirect: 307 },
    tags: { ignoreN: true },
    catalog: 401,
    delete: { manifest: { tag: 405, digest: 405 }, blob: 405 },
    referrers: { api: 404, ociSubject: 'lying' },
    rateLimit: { allowed: 10_000, headers: true, retryAfter: 21_600 },
  },
}

const amazonAccount = { username: 'AWS', password: `${secretOf('ecr')}-${'e'.repeat(2000)}` }

const amazon: EmulatorOptions = {
  upload: {
    location: 'absolute',
    minChunk: 5_248_080,
    rangeHeader: { patch: 'stuck', status: 'stuck', refused: 'stuck' },
    earlyAccept: true,
  },
  mount: { status: 202 },
  blob: { redirect: 307 },
  manifest: { rejectTypes: { types: /^application\/vnd\.oci\.artifact/, status: 405, code: 'UNSUPPORTED' } },
  policy: { immutable: { tags: /^release-/, status: 400, code: 'ImageTagAlreadyExistsException' } },
  names: { made: /^project\/(?!unmade)/, unknownPush: 404 },
  tags: { maxN: { count: 1000, above: 405 }, defaultN: 100 },
  referrers: { page: 50 },
}

/** Amazon Elastic Container Registry. */
export const ecr: Profile = {
  name: 'ecr',
  hosts: {
    registry: '123456789012.dkr.ecr.us-east-1.amazonaws.com',
    tokens: 'ecr.us-east-1.amazonaws.com',
    blobs: 'prod-us-east-1-starport-layer-bucket.s3.us-east-1.amazonaws.com',
  },
  account: amazonAccount,
  options: {
    ...amazon,
    auth: {
      type: 'basic',
      accounts: [amazonAccount],
      basicRealm: 'https://123456789012.dkr.ecr.us-east-1.amazonaws.com/',
      basicService: 'ecr.amazonaws.com',
    },
  },
}

/** Amazon's public registry. */
export const ecrPublic: Profile = {
  name: 'ecr-public',
  hosts: {
    registry: 'public.ecr.aws',
    tokens: 'api.ecr-public.us-east-1.amazonaws.com',
    blobs: 'd5l0dvt14r5h8.cloudfront.net',
  },
  account: amazonAccount,
  options: {
    ...amazon,
    auth: {
      type: 'bearer',
      accounts: [amazonAccount],
      anonymousActions: ['pull'],
      anonymousTokenRequired: true,
      expiredStatus: 400,
      realmPath: '/token/',
    },
    token: { field: 'token', ttl: { seconds: 300 } },
  },
}

const gitHubAccount = { username: 'octocat', password: secretOf('ghcr'), anyName: true }

/** GitHub Container Registry. */
export const ghcr: Profile = {
  name: 'ghcr',
  hosts: { registry: 'ghcr.io', tokens: 'api.github.com', blobs: 'pkg-containers.githubusercontent.com' },
  account: gitHubAccount,
  options: {
    auth: {
      type: 'bearer',
      accounts: [gitHubAccount],
      anonymousActions: ['pull'],
      anonymousTokenRequired: true,
      scopeValue: 'placeholder',
    },
    token: { field: 'token', ...SILENT },
    upload: { maxChunk: 4 * MIB },
    blob: { redirect: 307 },
    manifest: { acceptStrict: 404 },
    names: { missingRepo: 403 },
    catalog: 404,
    delete: { manifest: { tag: 405, digest: 405 }, blob: 405 },
    referrers: { api: 404 },
  },
}

const gitLabAccount = { username: 'gitlab-ci-token', password: secretOf('gitlab') }

/** The registry of GitLab. */
export const gitlab: Profile = {
  name: 'gitlab',
  hosts: { registry: 'registry.gitlab.com', tokens: 'gitlab.com', blobs: 'cdn.registry.gitlab-static.net' },
  account: gitLabAccount,
  options: {
    auth: {
      type: 'bearer',
      accounts: [gitLabAccount],
      realm: 'otherHost',
      realmPath: '/jwt/auth',
      service: 'container_registry',
      insufficientScopeOnce: true,
      errorDetail: 'array',
    },
    token: { field: 'token', ttl: { seconds: 300 } },
    upload: { location: 'absolute', locationQuery: 'state' },
    blob: { redirect: 307 },
    referrers: { api: 404, tagResolvesToSubject: true },
    general: { absoluteLocations: true },
  },
}

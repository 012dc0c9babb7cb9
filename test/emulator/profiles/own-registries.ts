import type { EmulatorOptions } from '../emulator-options.js'
import { secretOf, type Profile } from './profile.js'

const MIB = 1024 * 1024

const specAccount = { username: 'user', password: secretOf('spec') }

/** The specification to the letter, with tokens. */
export const spec: Profile = {
  name: 'spec',
  hosts: { registry: 'registry.spec.test', tokens: 'tokens.spec.test', blobs: 'blobs.spec.test' },
  account: specAccount,
  options: { auth: { type: 'bearer', accounts: [specAccount] } },
}

const quayAccount = { username: 'acme+robot', password: secretOf('quay') }

/** Red Hat Quay and quay.io. */
export const quay: Profile = {
  name: 'quay',
  hosts: { registry: 'quay.io', tokens: 'sso.quay.test', blobs: 'cdn03.quay.io' },
  account: quayAccount,
  options: {
    auth: { type: 'bearer', accounts: [quayAccount], realmPath: '/v2/auth', deleteScope: 'push', catalogScope: false },
    token: {
      field: 'token',
      omitExpiresIn: true,
      issuedAt: 'missing',
      post: 405,
      rejectActions: ['delete', 'catalog'],
    },
    upload: {
      location: 'absolute',
      rangeHeader: { post: 'bytes=0--1', status: 'bytes', refused: 'offByOne' },
      statusNoLocation: true,
    },
    mount: { withoutFrom: 202 },
    blob: { redirect: 302 },
    manifest: { acceptStrict: 'convertSchema1', rejectTypes: { types: /^application\/x-/, status: 415 } },
    policy: { immutable: { tags: /^release-/, status: 409 } },
    tags: { maxN: { count: 100, above: 'capped' }, cursor: 'opaque' },
    delete: { manifest: { digest: 404 }, blob: 405 },
    referrers: { missingSubject: 400, ociSubject: 'absent' },
    rateLimit: { allowed: 10_000, body: 'html' },
  },
}

const harborAccount = { username: 'robot$project+pusher', password: secretOf('harbor') }

const harborOptions: EmulatorOptions = {
  auth: {
    type: 'bearer',
    accounts: [harborAccount],
    anonymousActions: ['pull'],
    anonymousTokenRequired: true,
    basicAfterBearer: 'realm="harbor"',
    realmPath: '/service/token',
    service: 'harbor-registry',
  },
  token: { field: 'emptyAccessToken', ttl: { seconds: 1800 }, post: 405 },
  upload: { locationQuery: 'state' },
  mount: { requiresPullScope: true, withoutFrom: 202 },
  blob: { redirect: 307 },
  manifest: { maxSize: 4 * MIB, overStatus: 413, overCode: 'REQUEST_ENTITY_TOO_LARGE', missingCode: 'NOT_FOUND' },
  policy: {
    immutable: { tags: /^release-/, status: 412, code: 'PRECONDITION' },
    pullDenied: /^project\/vulnerable$/,
  },
  tags: { link: 'relative' },
  catalog: 'adminOnly',
  delete: { manifest: { tag: 400 } },
  referrers: { page: 100 },
  rateLimit: { allowed: 10_000, code: 'TOO_MANY_REQUEST', retryAfter: { dateIn: 3600 } },
}

/** Harbor. */
export const harbor: Profile = {
  name: 'harbor',
  hosts: { registry: 'harbor.example.com', tokens: 'sso.example.com', blobs: 'minio.example.com' },
  account: harborAccount,
  options: harborOptions,
}

const ncrAccount = { username: 'UkFOREFDQ0VTUw', password: secretOf('ncr') }

/** NHN Container Registry, which is Harbor with keys for users. */
export const ncr: Profile = {
  name: 'ncr',
  hosts: {
    registry: 'e5b3f0e2-kr1-registry.container.nhncloud.com',
    tokens: 'iam.nhncloud.com',
    blobs: 'kr1-api-object-storage.nhncloudservice.com',
  },
  account: ncrAccount,
  options: { ...harborOptions, auth: { ...harborOptions.auth, accounts: [ncrAccount] } },
}

const openshiftAccount = { username: 'serviceaccount', password: `sha256~${secretOf('openshift')}`, anyName: true }

/** What the registries that come from Distribution have in common, beside their version. */
const distribution: EmulatorOptions = {
  auth: { type: 'bearer', deleteScope: 'delete', scopeOrder: 'random', service: 'token-service', errorDetail: 'array' },
  upload: { location: 'absolute', locationQuery: 'state', staleState: 404, outOfOrder: 202, singlePost: 202 },
  mount: { requiresPullScope: true, withoutFrom: 202 },
  blob: { ranges: 'brokenLength416', sha256Only: true },
  manifest: {
    acceptStrict: 404,
    maxSize: 4 * MIB,
    overStatus: 400,
    childrenFirst: true,
    missingBlobStatus: 400,
    missingCode: 'MANIFEST_UNKNOWN',
    rejectTypes: { types: /^application\/vnd\.oci\.artifact\.manifest/, status: 400 },
  },
  tags: { ignoreN: true, null: true },
  catalogMaxN: 1000,
  names: { strictRouter: true },
  delete: { manifest: { tag: 'digest-invalid' } },
  referrers: { api: '404text' },
  general: { absoluteLocations: true },
}

const distribution3Switches: EmulatorOptions = {
  ...distribution,
  upload: {
    ...distribution.upload,
    staleState: 416,
    outOfOrder: 416,
    contentRangeFormat: 500,
    rangeHeader: { refused: 'missing' },
  },
  blob: { sha256Only: true },
  manifest: { ...distribution.manifest, acceptStrictTypes: /^application\/vnd\.oci\.image\.manifest/ },
  tags: { link: 'relative', linkWhenFull: true },
  delete: {},
}

/** The registry inside of OpenShift. */
export const openshift: Profile = {
  name: 'openshift',
  hosts: {
    registry: 'default-route-openshift-image-registry.apps.cluster.test',
    tokens: 'oauth-openshift.apps.cluster.test',
    blobs: 's3.apps.cluster.test',
  },
  account: openshiftAccount,
  options: {
    ...distribution3Switches,
    auth: {
      type: 'bearer',
      accounts: [openshiftAccount],
      acceptsBasic: true,
      omitService: true,
      omitScope: true,
      basicAfterBearer: 'realm=openshift,error="access denied"',
      realmPath: '/openshift/token',
    },
    token: { passwordIsToken: true, errorBody: 'details', ttl: { seconds: 86_400 } },
    mount: { status: 202, withoutFrom: 202 },
    names: { strictRouter: true, depth: 2 },
    delete: { manifest: { tag: 405, digest: 405 } },
    referrers: { api: '404text' },
    general: { ...distribution.general, extraHeaders: { 'x-registry-supports-signatures': '1' } },
  },
}

const distributionAccount = { username: 'user', password: secretOf('distribution') }

/** Docker's registry 2.8. */
export const distribution2: Profile = {
  name: 'distribution-2.8',
  hosts: { registry: 'registry28.test', tokens: 'auth28.test', blobs: 'blobs28.test' },
  account: distributionAccount,
  options: { ...distribution, auth: { ...distribution.auth, accounts: [distributionAccount] } },
}

/** CNCF Distribution 3. */
export const distribution3: Profile = {
  name: 'distribution-3',
  hosts: { registry: 'registry3.test', tokens: 'auth3.test', blobs: 'blobs3.test' },
  account: distributionAccount,
  options: { ...distribution3Switches, auth: { ...distribution.auth, accounts: [distributionAccount] } },
}

const artifactoryAccount = { username: 'deployer', password: secretOf('artifactory') }

/** JFrog Artifactory. */
export const artifactory: Profile = {
  name: 'artifactory',
  hosts: { registry: 'acme.jfrog.io', tokens: 'access.jfrog.test', blobs: 'jfrog-prod.s3.test' },
  account: artifactoryAccount,
  options: {
    auth: {
      type: 'bearer',
      accounts: [artifactoryAccount],
      omitScope: 'on-head-and-ping',
      realmPath: '/artifactory/api/docker/docker-local/v2/token',
    },
    upload: { location: 'absolute' },
    mount: { status: 202, withoutFrom: 202 },
    manifest: { contentType: ';charset=ISO-8859-1', missingIs403: true },
    tags: { link: 'wrongPrefix' },
    general: { extraHeaders: { 'x-jfrog-version': 'Artifactory/7.90.1' } },
  },
}

const nexusAccount = { username: 'admin', password: secretOf('nexus') }

/** Sonatype Nexus. */
export const nexus: Profile = {
  name: 'nexus',
  hosts: { registry: 'nexus.example.com:8443', tokens: 'crowd.example.com', blobs: 'store.example.com' },
  account: nexusAccount,
  options: {
    auth: {
      type: 'basic',
      accounts: [nexusAccount],
      challengeStyle: 'upper',
      basicRealm: 'Sonatype Nexus Repository Manager',
    },
    mount: { status: 405, withoutFrom: 'error' },
    tags: { link: 'wrongPrefix' },
    general: { errorShape: 'escaped' },
  },
}

const giteaAccount = { username: 'forgejo', password: secretOf('gitea') }

/** Gitea and Forgejo. */
export const gitea: Profile = {
  name: 'gitea',
  hosts: { registry: 'codeberg.test', tokens: 'login.codeberg.test', blobs: 'minio.codeberg.test' },
  account: giteaAccount,
  options: {
    auth: {
      type: 'bearer',
      accounts: [giteaAccount],
      multiChallenge: 'headers',
      scopeValue: '*',
      service: 'container_registry',
      realmPath: '/v2/token',
    },
    token: { field: 'token', omitExpiresIn: true, issuedAt: 'missing' },
    upload: { rangeHeader: { status: 'offByOne' }, streamOnce: true, statusNoLocation: true },
    manifest: { maxSize: 10 * MIB },
    tags: { maxN: { count: 100, above: 'capped' } },
    referrers: { api: 404 },
  },
}

const zotAccount = { username: 'user', password: secretOf('zot') }

/** zot. */
export const zot: Profile = {
  name: 'zot',
  hosts: { registry: 'zot.test', tokens: 'auth.zot.test', blobs: 's3.zot.test' },
  account: zotAccount,
  options: {
    auth: { type: 'bearer', accounts: [zotAccount], challengeStyle: 'lower-unquoted', scopeValue: '', failDelay: 5 },
    upload: { location: 'relative', singlePost: 415 },
    // Docker's types are taken only where the configuration says so (`compat`).
    manifest: {
      maxSize: 4 * MIB,
      rejectTypes: { types: /^application\/(x-|vnd\.docker\.distribution\.)/, status: 415 },
    },
    tags: { unknownLast: 404 },
    delete: { danglingTag: 409 },
    general: { errorShape: 'single' },
  },
}

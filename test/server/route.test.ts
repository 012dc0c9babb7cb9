import { describe, expect, test } from 'vitest'
import { Refusal } from '../../src/server/refusal.js'
import { parseRoute } from '../../src/server/route.js'

const DIGEST = `sha256:${'a'.repeat(64)}`
const ID = '6f1f9a5e-0d6a-4c33-9d3f-1d6f4f1a2b3c'

describe('a path', () => {
  test.each([
    ['/v2', { kind: 'base' }],
    ['/v2/', { kind: 'base' }],
    ['/v2/_catalog', { kind: 'catalog' }],
    ['/v2/a/tags/list', { kind: 'tags', repository: 'a' }],
    ['/v2/a/b-c/d__e/tags/list', { kind: 'tags', repository: 'a/b-c/d__e' }],
    ['/v2/tags/list/tags/list', { kind: 'tags', repository: 'tags/list' }],
    ['/v2/a/manifests/v1', { kind: 'manifest', repository: 'a', reference: { type: 'tag', tag: 'v1' } }],
    ['/v2/a/manifests/list', { kind: 'manifest', repository: 'a', reference: { type: 'tag', tag: 'list' } }],
    [`/v2/a/manifests/${DIGEST}`, { kind: 'manifest', repository: 'a', reference: { type: 'digest', digest: DIGEST } }],
    [
      `/v2/a/manifests/${encodeURIComponent(DIGEST)}`,
      { kind: 'manifest', repository: 'a', reference: { type: 'digest', digest: DIGEST } },
    ],
    ['/v2/a/manifests/.x', { kind: 'manifest', repository: 'a', reference: { type: 'malformed', text: '.x' } }],
    ['/v2/a/manifests/', { kind: 'manifest', repository: 'a', reference: { type: 'malformed', text: '' } }],
    [`/v2/a/blobs/${DIGEST}`, { kind: 'blob', repository: 'a', digest: DIGEST }],
    ['/v2/a/blobs/uploads/', { kind: 'uploads', repository: 'a' }],
    ['/v2/a/blobs/uploads', { kind: 'uploads', repository: 'a' }],
    [`/v2/a/blobs/uploads/${ID}`, { kind: 'upload', repository: 'a', id: ID }],
    [
      '/v2/a/blobs/uploads/manifests/v1',
      { kind: 'manifest', repository: 'a/blobs/uploads', reference: { type: 'tag', tag: 'v1' } },
    ],
    [`/v2/a/referrers/${DIGEST}`, { kind: 'referrers', repository: 'a', digest: DIGEST }],
  ])('%s is understood', (path, route) => {
    expect(parseRoute(path)).toEqual(route)
  })

  test.each([
    ['/', 'UNSUPPORTED', 404],
    ['/v1/', 'UNSUPPORTED', 404],
    ['/v2/a', 'UNSUPPORTED', 404],
    ['/v2//', 'UNSUPPORTED', 404],
    ['/v2/a/tags', 'UNSUPPORTED', 404],
    ['/v2/a/tags/lists', 'UNSUPPORTED', 404],
    [`/v2/${'a/'.repeat(600)}tags/list`, 'UNSUPPORTED', 404],
    ['/v2/tags/list', 'NAME_INVALID', 400],
    ['/v2//tags/list', 'NAME_INVALID', 400],
    ['/v2/A/tags/list', 'NAME_INVALID', 400],
    ['/v2/../tags/list', 'NAME_INVALID', 400],
    ['/v2/a/../b/tags/list', 'NAME_INVALID', 400],
    ['/v2/..%2f..%2fx/manifests/a', 'NAME_INVALID', 400],
    ['/v2/a%2fb/manifests/a', 'NAME_INVALID', 400],
    ['/v2/a\\b/manifests/a', 'NAME_INVALID', 400],
    [`/v2/${'a'.repeat(256)}/tags/list`, 'NAME_INVALID', 400],
    ['/v2/a/blobs/sha256:abc', 'DIGEST_INVALID', 400],
    [`/v2/a/blobs/md5:${'a'.repeat(32)}`, 'DIGEST_INVALID', 400],
    ['/v2/a/blobs/..%2f..%2fetc%2fpasswd', 'DIGEST_INVALID', 400],
    ['/v2/a/referrers/v1', 'DIGEST_INVALID', 400],
    ['/v2/a/blobs/uploads/..%2fx', 'BLOB_UPLOAD_UNKNOWN', 404],
    ['/v2/a/blobs/uploads/../x', 'UNSUPPORTED', 404],
    [`/v2/a/blobs/uploads/${ID}%00`, 'BLOB_UPLOAD_UNKNOWN', 404],
    [`/v2/a/blobs/uploads/${ID.toUpperCase()}`, 'BLOB_UPLOAD_UNKNOWN', 404],
  ])('%s is refused', (path, code, status) => {
    expect(() => parseRoute(path)).toThrow(Refusal)
    expect(() => parseRoute(path)).toThrow(expect.objectContaining({ registryCode: code, status }))
  })
})

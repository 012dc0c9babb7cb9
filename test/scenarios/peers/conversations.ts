import type { OutgoingHttpHeaders } from 'node:http'
import { digestOf } from '../../../src/oci/digest.js'
import { MediaType } from '../../../src/oci/media-types.js'
import { EMPTY_JSON, imageManifest, indexManifest } from '../../server/test-registry.js'
import { hold, withDigest, type Line } from './conversation.js'
import { EDGE_CONVERSATIONS } from './edge-conversations.js'

const OCI = { Accept: MediaType.imageManifest }
const ABSENT = digestOf('absent')

/** Conversations by what they are about; each has a repository of its own. */
export const CONVERSATIONS: Readonly<Record<string, (origin: string) => Promise<readonly Line[]>>> = {
  'upload in one request': hold('whole', async (talk) => {
    const opened = await talk.say('open', 'POST', '/v2/whole/blobs/uploads/')
    await talk.say('put', 'PUT', withDigest(opened.headers.location ?? '', digestOf('hello')), { body: 'hello' })
    await talk.say('head', 'HEAD', `/v2/whole/blobs/${digestOf('hello')}`)
    const wrong = await talk.upload()
    await talk.say('wrong digest', 'PUT', withDigest(wrong.headers.location ?? '', ABSENT), { body: 'hello' })
    await talk.say('post with digest', 'POST', `/v2/whole/blobs/uploads/?digest=${digestOf('post')}`, { body: 'post' })
  }),
  'upload in chunks': hold('chunks', async (talk) => {
    const opened = await talk.upload()
    const range = (text: string): OutgoingHttpHeaders => ({ 'Content-Range': text })
    const first = await talk.say('first', 'PATCH', opened.headers.location ?? '', {
      headers: range('0-4'),
      body: 'hello',
    })
    const status = await talk.say('status', 'GET', first.headers.location ?? '')
    const next = await talk.say('second', 'PATCH', status.headers.location ?? '', {
      headers: range('5-8'),
      body: ' you',
    })
    await talk.say('finish', 'PUT', withDigest(next.headers.location ?? '', digestOf('hello you')))
    await talk.say('finished', 'GET', next.headers.location ?? '')
  }),
  'a chunk in the wrong place': hold('wrong-place', async (talk) => {
    const opened = await talk.upload()
    await talk.say('patch', 'PATCH', opened.headers.location ?? '', {
      headers: { 'Content-Range': '7-11' },
      body: 'hello',
    })
  }),
  'a stream': hold('stream', async (talk) => {
    const opened = await talk.upload()
    const sent = await talk.say('patch', 'PATCH', opened.headers.location ?? '', { body: 'hello' })
    await talk.say('finish', 'PUT', withDigest(sent.headers.location ?? '', digestOf('hello')))
  }),
  'an upload that is given up': hold('given-up', async (talk) => {
    const opened = await talk.upload()
    await talk.say('delete', 'DELETE', opened.headers.location ?? '')
    await talk.say('status', 'GET', opened.headers.location ?? '')
  }),
  mounts: hold('mount-source', async (talk) => {
    const digest = await talk.blob('mounted')
    await talk.say('from', 'POST', `/v2/mount-target/blobs/uploads/?mount=${digest}&from=mount-source`)
    await talk.say('absent', 'POST', `/v2/mount-target/blobs/uploads/?mount=${ABSENT}&from=mount-source`)
  }),
  blobs: hold('some-blobs', async (talk) => {
    const digest = await talk.blob('a blob to read')
    await talk.say('get', 'GET', `/v2/some-blobs/blobs/${digest}`)
    await talk.say('range', 'GET', `/v2/some-blobs/blobs/${digest}`, { headers: { Range: 'bytes=2-5' } })
    await talk.say('absent', 'GET', `/v2/some-blobs/blobs/${ABSENT}`)
    await talk.say('head of absent', 'HEAD', `/v2/some-blobs/blobs/${ABSENT}`)
    await talk.say('delete', 'DELETE', `/v2/some-blobs/blobs/${digest}`)
    await talk.say('head of deleted', 'HEAD', `/v2/some-blobs/blobs/${digest}`)
    await talk.say('delete absent', 'DELETE', `/v2/some-blobs/blobs/${ABSENT}`)
  }),
  manifests: hold('some-manifests', async (talk) => {
    await talk.blob('{}')
    const put = talk.manifest('v1', imageManifest())
    await talk.say('put', 'PUT', put.path, put)
    await talk.say('get', 'GET', put.path, { headers: OCI })
    await talk.say('head', 'HEAD', put.path, { headers: OCI })
    await talk.say('by digest', 'GET', `/v2/some-manifests/manifests/${digestOf(String(put.body))}`, { headers: OCI })
    await talk.say('absent tag', 'GET', '/v2/some-manifests/manifests/absent', { headers: OCI })
    await talk.say('head of absent tag', 'HEAD', '/v2/some-manifests/manifests/absent', { headers: OCI })
    await talk.say('absent digest', 'GET', `/v2/some-manifests/manifests/${ABSENT}`, { headers: OCI })
    const wrong = talk.manifest(ABSENT, imageManifest())
    await talk.say('wrong digest', 'PUT', wrong.path, wrong)
  }),
  'what is not accepted': hold('accept', async (talk) => {
    await talk.blob('{}')
    const put = talk.manifest('v1', imageManifest())
    await talk.prepare('PUT', put.path, put)
    for (const Accept of [MediaType.imageIndex, MediaType.dockerManifest, '*/*']) {
      await talk.say(Accept, 'GET', put.path, { headers: { Accept } })
      await talk.say(`head ${Accept}`, 'HEAD', put.path, { headers: { Accept } })
    }
    await talk.say('nothing', 'GET', put.path)
  }),
  'manifests that are refused': hold('refused', async (talk) => {
    const layer = { ...EMPTY_JSON, digest: ABSENT }
    const missing = talk.manifest('v1', imageManifest({ layers: [layer] }))
    await talk.say('missing blob', 'PUT', missing.path, missing)
    const child = { mediaType: MediaType.imageManifest, digest: ABSENT, size: 6 }
    const index = talk.manifest('v1', indexManifest([child]), MediaType.imageIndex)
    await talk.say('missing child', 'PUT', index.path, index)
    const broken = { headers: { 'Content-Type': MediaType.imageManifest }, body: '{' }
    await talk.say('no JSON', 'PUT', '/v2/refused/manifests/v1', broken)
    await talk.blob('{}')
    const large = talk.manifest('v1', imageManifest({ annotations: { large: 'x'.repeat(4 * 1024 * 1024 + 1) } }))
    await talk.say('too large', 'PUT', large.path, large)
  }),
  tags: hold('some-tags', async (talk) => {
    await talk.blob('{}')
    for (const tag of ['c', 'a', 'b']) {
      const put = talk.manifest(tag, imageManifest())
      await talk.prepare('PUT', put.path, put)
    }
    await talk.read('all', '/v2/some-tags/tags/list', ['name', 'tags'])
    await talk.read('two', '/v2/some-tags/tags/list?n=2', ['name', 'tags'])
    await talk.read('last', '/v2/some-tags/tags/list?n=2&last=b', ['name', 'tags'])
    await talk.read('of nothing', '/v2/no-such/tags/list', [])
  }),
  'delete manifests': hold('delete', async (talk) => {
    await talk.blob('{}')
    const put = talk.manifest('v1', imageManifest())
    await talk.prepare('PUT', put.path, put)
    await talk.say('by tag', 'DELETE', put.path)
    await talk.prepare('PUT', put.path, put)
    await talk.say('by digest', 'DELETE', `/v2/delete/manifests/${digestOf(String(put.body))}`)
    await talk.say('gone', 'GET', put.path, { headers: OCI })
    await talk.say('absent', 'DELETE', `/v2/delete/manifests/${ABSENT}`)
  }),
  referrers: hold('some-referrers', async (talk) => {
    await talk.blob('{}')
    const put = talk.manifest('v1', imageManifest())
    await talk.prepare('PUT', put.path, put)
    const digest = digestOf(String(put.body))
    const subject = { mediaType: MediaType.imageManifest, digest, size: String(put.body).length }
    const referrer = talk.manifest('signature', imageManifest({ subject, artifactType: 'test/signature' }))
    await talk.say('put', 'PUT', referrer.path, referrer)
    await talk.read('list', `/v2/some-referrers/referrers/${digest}`, ['mediaType', 'manifests'])
    await talk.read('filtered', `/v2/some-referrers/referrers/${digest}?artifactType=test/none`, ['manifests'])
    await talk.read('of nothing', `/v2/some-referrers/referrers/${ABSENT}`, ['manifests'])
  }),
  'what is no endpoint': hold('endpoints', async (talk) => {
    await talk.say('base', 'GET', '/v2/')
    await talk.say('unknown upload', 'GET', '/v2/endpoints/blobs/uploads/00000000-0000-4000-8000-000000000000')
  }),
  ...EDGE_CONVERSATIONS,
}

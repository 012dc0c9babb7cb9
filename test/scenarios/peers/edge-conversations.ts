import { digestOf } from '../../../src/oci/digest.js'
import { MediaType } from '../../../src/oci/media-types.js'
import { EMPTY_JSON, imageManifest, indexManifest } from '../../server/test-registry.js'
import { hold, withDigest, type Conversation, type Line } from './conversation.js'

const ABSENT = digestOf('absent')
const NO_UPLOAD = '00000000-0000-4000-8000-000000000000'

/** Tags an image, and says where it is. */
async function tagged(
  talk: Conversation,
  tag: string,
  fields: object = {},
): Promise<{ path: string; digest: string; size: number }> {
  await talk.blob('{}')
  const put = talk.manifest(tag, imageManifest(fields))
  await talk.prepare('PUT', put.path, put)
  const body = String(put.body)
  return { path: put.path, digest: digestOf(body), size: body.length }
}

/** What is at the edges of the specification: conversations by what they are about. */
export const EDGE_CONVERSATIONS: Readonly<Record<string, (origin: string) => Promise<readonly Line[]>>> = {
  'bad digests': hold('bad-digests', async (talk) => {
    await talk.blob('{}')
    for (const digest of ['sha256:abc', `sha256:${'A'.repeat(64)}`, `md5:${'a'.repeat(32)}`, 'sha256']) {
      await talk.say(`blob ${digest}`, 'GET', `/v2/bad-digests/blobs/${digest}`)
      await talk.say(`manifest ${digest}`, 'GET', `/v2/bad-digests/manifests/${digest}`)
      const { headers } = await talk.upload()
      await talk.say(`put ${digest}`, 'PUT', withDigest(headers.location ?? '', digest), { body: 'x' })
    }
    const { headers } = await talk.upload()
    await talk.say('put without', 'PUT', headers.location ?? '', { body: 'x' })
  }),
  'bad names': hold('bad-names', async (talk) => {
    for (const name of ['Upper', 'a/../b', 'a//b', '-a', 'a_', 'a'.repeat(256), 'a%2fb', 'a b'.replace(' ', '%20')]) {
      await talk.say(`tags of ${name.slice(0, 20)}`, 'GET', `/v2/${name}/tags/list`)
      await talk.say(`upload to ${name.slice(0, 20)}`, 'POST', `/v2/${name}/blobs/uploads/`)
    }
  }),
  'bad tags': hold('bad-tags', async (talk) => {
    const { path } = await tagged(talk, 'v1')
    for (const tag of ['.a', '-a', 'a'.repeat(129), 'a%20b', 'a:b']) {
      await talk.say(`get ${tag.slice(0, 10)}`, 'GET', `/v2/bad-tags/manifests/${tag}`)
      const put = talk.manifest(tag, imageManifest())
      await talk.say(`put ${tag.slice(0, 10)}`, 'PUT', put.path, put)
    }
    const long = talk.manifest('a'.repeat(128), imageManifest())
    await talk.say('put of 128 characters', 'PUT', long.path, long)
    await talk.say('get', 'GET', path, { headers: { Accept: MediaType.imageManifest } })
  }),
  'ranges of blobs': hold('ranges', async (talk) => {
    const digest = await talk.blob('0123456789')
    const path = `/v2/ranges/blobs/${digest}`
    for (const Range of [
      'bytes=0-0',
      'bytes=2-',
      'bytes=-3',
      'bytes=9-9',
      'bytes=5-100',
      'bytes=5-2',
      'items=0-1',
      'bytes=x',
    ]) {
      await talk.ask(Range, 'GET', path, { headers: { Range } })
    }
    await talk.ask('head with range', 'HEAD', path, { headers: { Range: 'bytes=0-1' } })
    await talk.ask('known already', 'GET', path, { headers: { 'If-None-Match': `"${digest}"` } })
  }),
  'chunks without room': hold('chunk-forms', async (talk) => {
    const first = await talk.upload()
    await talk.say('no content', 'PATCH', first.headers.location ?? '', {
      headers: { 'Content-Range': '0-0', 'Content-Length': 0 },
    })
    const second = await talk.upload()
    await talk.say('bytes 0-4/*', 'PATCH', second.headers.location ?? '', {
      headers: { 'Content-Range': 'bytes 0-4/*' },
      body: 'hello',
    })
    const third = await talk.upload()
    await talk.say('longer than it says', 'PATCH', third.headers.location ?? '', {
      headers: { 'Content-Range': '0-1' },
      body: 'hello',
    })
  }),
  'an upload that nobody opened': hold('no-upload', async (talk) => {
    await talk.blob('{}')
    const path = `/v2/no-upload/blobs/uploads/${NO_UPLOAD}`
    await talk.say('put', 'PUT', withDigest(path, ABSENT), { body: 'x' })
    await talk.say('patch', 'PATCH', path, { headers: { 'Content-Range': '0-0' }, body: 'x' })
    await talk.say('delete', 'DELETE', path)
  }),
  'the last chunk in the last request': hold('last-chunk', async (talk) => {
    const opened = await talk.upload()
    const sent = await talk.prepare('PATCH', opened.headers.location ?? '', {
      headers: { 'Content-Range': '0-4' },
      body: 'hello',
    })
    await talk.say('put', 'PUT', withDigest(sent.headers.location ?? '', digestOf('hello you')), {
      headers: { 'Content-Range': '5-8' },
      body: ' you',
    })
    await talk.say('head', 'HEAD', `/v2/last-chunk/blobs/${digestOf('hello you')}`)
  }),
  'a blob without content': hold('empty-blob', async (talk) => {
    const opened = await talk.upload()
    await talk.say('put', 'PUT', withDigest(opened.headers.location ?? '', digestOf('')), {
      headers: { 'Content-Length': 0 },
    })
    await talk.say('get', 'GET', `/v2/empty-blob/blobs/${digestOf('')}`)
  }),
  sha512: hold('sha512', async (talk) => {
    const digest = digestOf('long digest', 'sha512')
    const opened = await talk.upload()
    await talk.say('put', 'PUT', withDigest(opened.headers.location ?? '', digest), { body: 'long digest' })
    await talk.say('head', 'HEAD', `/v2/sha512/blobs/${digest}`)
  }),
  'mounts of other forms': hold('mount-forms', async (talk) => {
    const digest = await talk.blob('mounted otherwise')
    await talk.say('without from', 'POST', `/v2/mount-other/blobs/uploads/?mount=${digest}`)
    await talk.say('from nowhere', 'POST', `/v2/mount-other/blobs/uploads/?mount=${digest}&from=no-such`)
    await talk.say('no digest', 'POST', '/v2/mount-other/blobs/uploads/?mount=x&from=mount-forms')
    await talk.say('bad source', 'POST', `/v2/mount-other/blobs/uploads/?mount=${digest}&from=UPPER`)
    await talk.say('to itself', 'POST', `/v2/mount-forms/blobs/uploads/?mount=${digest}&from=mount-forms`)
  }),
  'manifests of other types': hold('types', async (talk) => {
    const image = await tagged(talk, 'v1')
    const child = { mediaType: MediaType.imageManifest, digest: image.digest, size: image.size }
    const index = talk.manifest('index', indexManifest([child]), MediaType.imageIndex)
    await talk.say('index', 'PUT', index.path, index)
    await talk.say('get index', 'GET', index.path, { headers: { Accept: MediaType.imageIndex } })
    await talk.say('get index as an image', 'GET', index.path, { headers: { Accept: MediaType.imageManifest } })
    const again = talk.manifest('v1', imageManifest())
    await talk.say('the same again', 'PUT', again.path, again)
    const byDigest = talk.manifest(image.digest, imageManifest())
    await talk.say('by its digest', 'PUT', byDigest.path, byDigest)
    const wrongType = talk.manifest('wrong', imageManifest(), MediaType.imageIndex)
    await talk.say('an image as an index', 'PUT', wrongType.path, wrongType)
    const unknown = talk.manifest(
      'unknown',
      imageManifest({ mediaType: 'application/x-unknown' }),
      'application/x-unknown',
    )
    await talk.say('an unknown type', 'PUT', unknown.path, unknown)
    const artifact = talk.manifest(
      'artifact',
      { mediaType: MediaType.artifactManifest, artifactType: 'test/x', blobs: [EMPTY_JSON] },
      MediaType.artifactManifest,
    )
    await talk.say('an artifact manifest', 'PUT', artifact.path, artifact)
    const docker = { schemaVersion: 2, mediaType: MediaType.dockerManifest, config: EMPTY_JSON, layers: [] }
    const put = talk.manifest('docker', docker, MediaType.dockerManifest)
    await talk.say('a Docker manifest', 'PUT', put.path, put)
    await talk.say('get Docker', 'GET', put.path, { headers: { Accept: MediaType.dockerManifest } })
    const Accept = [MediaType.imageIndex, MediaType.imageManifest].join(', ')
    await talk.say('several in one header', 'GET', again.path, { headers: { Accept } })
    await talk.say('several with weights', 'GET', again.path, {
      headers: { Accept: `${MediaType.imageIndex};q=0.5, ${MediaType.imageManifest};q=0.9` },
    })
    await talk.say('known already', 'GET', again.path, { headers: { Accept, 'If-None-Match': `"${image.digest}"` } })
  }),
  'pages of tags': hold('tag-pages', async (talk) => {
    for (const tag of ['a', 'b', 'c']) await tagged(talk, tag)
    for (const query of [
      'n=1',
      'n=1&last=a',
      'n=3',
      'n=100',
      'n=0',
      'n=-1',
      'n=x',
      'last=b',
      'n=2&last=aa',
      'last=z',
      'n=1&last=no:tag',
    ]) {
      await talk.read(query, `/v2/tag-pages/tags/list?${query}`, ['tags'])
    }
  }),
  'pages of the catalog': hold('catalog-a', async (talk) => {
    await tagged(talk, 'v1')
    for (const query of ['n=1', 'n=0', 'n=-1', 'n=x', 'n=100001']) {
      const { headers, status, code, json } = await talk.prepare('GET', `/v2/_catalog?${query}`)
      talk.note({
        what: query,
        status,
        code,
        headers: headers.link === undefined ? {} : { link: 'some' },
        body: json.repositories?.length,
      })
    }
  }),
  'deleting twice': hold('twice', async (talk) => {
    const digest = await talk.blob('deleted twice')
    await talk.say('blob', 'DELETE', `/v2/twice/blobs/${digest}`)
    await talk.say('blob again', 'DELETE', `/v2/twice/blobs/${digest}`)
    await talk.say('blob by a bad digest', 'DELETE', '/v2/twice/blobs/sha256:abc')
    const image = await tagged(talk, 'v1')
    await tagged(talk, 'v2')
    await talk.say('manifest', 'DELETE', `/v2/twice/manifests/${image.digest}`)
    await talk.say('manifest again', 'DELETE', `/v2/twice/manifests/${image.digest}`)
    await talk.say('tag of deleted', 'HEAD', '/v2/twice/manifests/v2', { headers: { Accept: MediaType.imageManifest } })
    await talk.read('tags', '/v2/twice/tags/list', ['tags'])
    await talk.say('absent tag', 'DELETE', '/v2/twice/manifests/absent')
    const opened = await talk.upload()
    await talk.prepare('DELETE', opened.headers.location ?? '')
    await talk.say('upload again', 'DELETE', opened.headers.location ?? '')
  }),
  'repositories that are not there': hold('not-there', async (talk) => {
    await talk.say('manifest', 'GET', '/v2/not-there/manifests/v1', { headers: { Accept: MediaType.imageManifest } })
    await talk.say('blob', 'GET', `/v2/not-there/blobs/${ABSENT}`)
    await talk.say('delete manifest', 'DELETE', `/v2/not-there/manifests/${ABSENT}`)
    await talk.say('delete blob', 'DELETE', `/v2/not-there/blobs/${ABSENT}`)
  }),
  'referrers of other forms': hold('referrer-forms', async (talk) => {
    const image = await tagged(talk, 'v1')
    const subject = { mediaType: MediaType.imageManifest, digest: image.digest, size: image.size }
    const index = talk.manifest(
      'list',
      indexManifest([subject], { subject, artifactType: 'test/list' }),
      MediaType.imageIndex,
    )
    await talk.say('put an index', 'PUT', index.path, index)
    const absent = talk.manifest(
      'early',
      imageManifest({ subject: { ...subject, digest: ABSENT }, artifactType: 'test/early' }),
    )
    await talk.say('put before its subject', 'PUT', absent.path, absent)
    const path = `/v2/referrer-forms/referrers`
    await talk.read('of what is absent', `${path}/${ABSENT}`, ['mediaType', 'manifests'])
    await talk.read('filtered', `${path}/${image.digest}?artifactType=test%2Flist`, ['mediaType', 'manifests'])
    await talk.say('of a bad digest', 'GET', `${path}/sha256:abc`)
    await talk.say('of a tag', 'GET', `${path}/v1`)
  }),
  'methods that nobody has': hold('methods', async (talk) => {
    const { path } = await tagged(talk, 'v1')
    await talk.say('post to a manifest', 'POST', path)
    await talk.say('put to a blob', 'PUT', `/v2/methods/blobs/${digestOf('{}')}`, { body: '{}' })
    await talk.say('post to the tags', 'POST', '/v2/methods/tags/list')
    await talk.say('get of uploads', 'GET', '/v2/methods/blobs/uploads/')
    await talk.say('nothing of ours', 'GET', '/v2/methods/nothing')
    await talk.say('head of the base', 'HEAD', '/v2/')
    await talk.say('without its slash', 'GET', '/v2')
  }),
}

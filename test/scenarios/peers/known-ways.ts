/** Both of those that come from Distribution. */
const DISTRIBUTION = [
  // A digest of the wrong length is 500 or 400 for a manifest; the emulator does not know it.
  'bad digests: manifest sha256:abc',
  `bad digests: manifest sha256:${'A'.repeat(64)}`,
  `bad digests: manifest md5:${'a'.repeat(32)}`,
  'bad tags: get a:b',
  // Slashes are put right by a redirect, escaped ones are slashes, and names that are too long are an error of its own.
  'bad names: tags of a//b',
  'bad names: upload to a//b',
  'bad names: tags of a%2fb',
  'bad names: upload to a%2fb',
  'bad names: tags of aaaaaaaaaaaaaaaaaaaa',
  'bad names: upload to aaaaaaaaaaaaaaaaaaaa',
  // Ranges of other units are no ranges (RFC 9110, section 14.2), and HEAD has none (section 14.2).
  'ranges of blobs: items=0-1',
  'ranges of blobs: bytes=x',
  'ranges of blobs: head with range',
  'ranges of blobs: known already',
  'mounts of other forms: no digest',
  'manifests of other types: an unknown type',
  'manifests of other types: known already',
  'repositories that are not there: delete manifest',
  // The router knows no referrers, whatever they are asked for.
  'referrers of other forms: of a bad digest',
  'referrers of other forms: of a tag',
  // What is no endpoint is answered without a code, and with another order of methods.
  'methods that nobody has: post to a manifest',
  'methods that nobody has: put to a blob',
  'methods that nobody has: post to the tags',
  'methods that nobody has: get of uploads',
  'methods that nobody has: nothing of ours',
  'methods that nobody has: without its slash',
]

/**
 * Where a real registry answers something else than the one that is emulated, by the name of the registry: what no client
 * of ours ever asks, and what the specification leaves open. Each is checked to be different still.
 */
export const KNOWN_WAYS: Readonly<Record<string, readonly string[]>> = {
  'docker-registry': [
    ...DISTRIBUTION,
    'bad tags: put a:b',
    // It takes what it gets, whatever the range says.
    'chunks without room: no content',
    'chunks without room: longer than it says',
    // Numbers that are none count as no number.
    'pages of the catalog: n=-1',
    'pages of the catalog: n=x',
  ],
  registry: [
    ...DISTRIBUTION,
    // Other codes of errors, the status being the same.
    'ranges of blobs: bytes=5-2',
    'chunks without room: bytes 0-4/*',
    'an upload that nobody opened: put',
    'an upload that nobody opened: patch',
    'an upload that nobody opened: delete',
  ],
  olareg: [
    // Another error code, or 400 where an upload is unknown.
    'upload in one request: wrong digest',
    'upload in chunks: finished',
    'a chunk in the wrong place: patch',
    'an upload that is given up: delete',
    'an upload that is given up: status',
    'what is no endpoint: unknown upload',
    'an upload that nobody opened: put',
    'an upload that nobody opened: patch',
    'an upload that nobody opened: delete',
    'deleting twice: upload again',
    'bad tags: put .a',
    'bad tags: put -a',
    'bad tags: put aaaaaaaaaa',
    'bad tags: put a%20b',
    'repositories that are not there: manifest',
    'repositories that are not there: delete manifest',
    // No repository has no tags; no referrers are null.
    'tags: of nothing',
    'referrers: of nothing',
    // 400 for what a manifest lacks, children of an index included; larger manifests are taken.
    'manifests that are refused: missing blob',
    'manifests that are refused: missing child',
    'manifests that are refused: too large',
    // Names that are no names are no endpoints, and slashes are put right.
    ...['Upper', 'a//b', '-a', 'a_', 'aaaaaaaaaaaaaaaaaaaa', 'a%2fb', 'a%20b'].flatMap((name) => [
      `bad names: tags of ${name}`,
      `bad names: upload to ${name}`,
    ]),
    'bad names: tags of a/../b',
    // Ranges of other units are an error, HEAD has them, and content is sent to who knows it.
    'ranges of blobs: bytes=5-2',
    'ranges of blobs: items=0-1',
    'ranges of blobs: bytes=x',
    'ranges of blobs: head with range',
    'ranges of blobs: known already',
    'manifests of other types: known already',
    // Chunks may be empty, longer than they say, and not have the form of answers.
    'chunks without room: no content',
    'chunks without room: bytes 0-4/*',
    'chunks without room: longer than it says',
    'mounts of other forms: without from',
    // A manifest of an index is picked by what is accepted; a manifest is what it says itself.
    'manifests of other types: get index as an image',
    'manifests of other types: an image as an index',
    'manifests of other types: an unknown type',
    'manifests of other types: an artifact manifest',
    // It hangs up at numbers below one, and has no catalog.
    'pages of tags: n=0',
    'pages of tags: n=-1',
    'pages of tags: n=x',
    ...['n=1', 'n=0', 'n=-1', 'n=x', 'n=100001'].map((query) => `pages of the catalog: ${query}`),
    'referrers of other forms: of a bad digest',
    'referrers of other forms: of a tag',
    'methods that nobody has: post to a manifest',
    'methods that nobody has: put to a blob',
    'methods that nobody has: post to the tags',
    'methods that nobody has: get of uploads',
    'methods that nobody has: nothing of ours',
  ],
}

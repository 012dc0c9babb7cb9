import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** @type {(path: string) => Promise<import('./tools.js').Tool>} */
export async function createSkopeo(path) {
  const { stdout } = await execute(path, ['copy', '--help'])
  const hasJobs = stdout.includes('--image-parallel-copies')
  const withJobs = ({ jobs } = {}) => (jobs === undefined ? [] : ['--image-parallel-copies', String(jobs)])
  const plain = ({ authority }, side) => (authority === undefined ? [`--${side}tls-verify=false`] : [])
  const run = (...words) => ({ program: path, words: ['--insecure-policy', ...words] })
  const copy = (settings, ...words) => run('copy', '--quiet', '--preserve-digests', ...withJobs(settings), ...words)
  return {
    name: 'skopeo',
    version: () => ({ program: path, words: ['--version'] }),
    readVersion: (text) => /(\S+)\s*$/.exec(text)?.[1],
    tune: (jobs) => (hasJobs ? { label: `--image-parallel-copies ${jobs}`, jobs } : undefined),
    fetchManifest: ({ source }) => run('inspect', '--raw', ...plain(source, ''), `docker://${source.reference}`),
    pushLayout: ({ layout, sink, settings }) =>
      copy(settings, ...plain(sink, 'dest-'), `oci:${layout.folder}:${layout.tag}`, `docker://${sink.reference}`),
    pullLayout: ({ source, folder, settings }) =>
      copy(settings, ...plain(source, 'src-'), `docker://${source.reference}`, `oci:${folder}:v1`),
    copy: ({ source, sink, settings }) =>
      copy(
        settings,
        ...[...plain(source, 'src-'), ...plain(sink, 'dest-')],
        ...[`docker://${source.reference}`, `docker://${sink.reference}`],
      ),
    listTags: ({ source }) => run('list-tags', ...plain(source, ''), `docker://${source.repository}`),
  }
}

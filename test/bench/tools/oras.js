/** @type {(path: string) => import('./tools.js').Tool} */
export function createOras(path) {
  const run = (...words) => ({ program: path, words })
  const withAuthority = ({ authority }, flag = '') => (authority === undefined ? [] : [`--${flag}ca-file`, authority])
  const withJobs = ({ jobs } = {}) => (jobs === undefined ? [] : ['--concurrency', String(jobs)])
  return {
    name: 'oras',
    version: () => run('version'),
    readVersion: (text) => /^Version:\s*(\S+)/m.exec(text)?.[1],
    tune: (jobs) => ({ label: `--concurrency ${jobs}`, jobs }),
    fetchManifest: ({ source }) => run('manifest', 'fetch', ...withAuthority(source), source.reference),
    pushLayout: ({ layout, sink, settings }) =>
      run(
        ...['cp', ...withJobs(settings), '--from-oci-layout', ...withAuthority(sink, 'to-')],
        ...[`${layout.folder}:${layout.tag}`, sink.reference],
      ),
    pullLayout: ({ source, folder, settings }) =>
      run(
        ...['cp', ...withJobs(settings), ...withAuthority(source, 'from-')],
        ...[source.reference, '--to-oci-layout', `${folder}:v1`],
      ),
    copy: ({ source, sink, settings }) =>
      run(
        ...['cp', ...withJobs(settings), ...withAuthority(source, 'from-'), ...withAuthority(sink, 'to-')],
        ...[source.reference, sink.reference],
      ),
    copyWithReferrers: ({ source, sink, settings }) =>
      run('cp', '-r', ...withJobs(settings), source.reference, sink.reference),
    discover: ({ source }) => run('discover', '--format', 'json', source.reference),
    pushFolder: ({ parent, name, sink }) => ({ ...run('push', sink.reference, name), folder: parent }),
    pullFolder: ({ source, folder }) => run('pull', '-o', folder, source.reference),
    listTags: ({ source }) => run('repo', 'tags', source.repository),
  }
}

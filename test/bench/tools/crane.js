/** @type {(path: string) => import('./tools.js').Tool} */
export function createCrane(path) {
  const run = (...words) => ({ program: path, words })
  return {
    name: 'crane',
    version: () => run('version'),
    readVersion: (text) => text.trim(),
    tune: (jobs, task) => (task === 'copy' ? { label: `--jobs ${jobs}`, jobs } : undefined),
    fetchManifest: ({ source }) => run('manifest', source.reference),
    pushLayout: ({ layout, sink }) => run('push', layout.folder, sink.reference),
    pullLayout: ({ source, folder }) => run('pull', '--format=oci', source.reference, folder),
    copy: ({ source, sink, settings: { jobs } = {} }) =>
      run('copy', ...(jobs === undefined ? [] : ['--jobs', String(jobs)]), source.reference, sink.reference),
    listTags: ({ source }) => run('ls', source.repository),
  }
}

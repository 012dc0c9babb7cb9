/** @type {(path: string) => import('./tools.js').Tool} */
export function createRegctl(path) {
  /** How it speaks to a registry stands in a file. */
  const run = (ends, settings, ...words) => {
    const hosts = ends.map(({ reference, repository, authority }) => {
      const hostname = (reference ?? repository).split('/', 1)[0]
      const tls = authority === undefined ? 'disabled' : 'enabled'
      return [hostname, { hostname, tls, ...(settings === undefined ? {} : { reqConcurrent: settings.jobs }) }]
    })
    const content = JSON.stringify({ version: 1, hosts: Object.fromEntries(hosts) })
    return { program: path, words, configuration: { variable: 'REGCTL_CONFIG', content } }
  }
  return {
    name: 'regctl',
    version: () => ({ program: path, words: ['version'] }),
    readVersion: (text) => /^VCSTag:\s*(\S+)/m.exec(text)?.[1],
    tune: (jobs) => ({ label: `reqConcurrent ${jobs}`, jobs }),
    fetchManifest: ({ source }) =>
      run([source], undefined, 'manifest', 'get', '--format', 'raw-body', source.reference),
    pushLayout: ({ layout, sink, settings }) =>
      run([sink], settings, 'image', 'copy', `ocidir://${layout.folder}:${layout.tag}`, sink.reference),
    pullLayout: ({ source, folder, settings }) =>
      run([source], settings, 'image', 'copy', source.reference, `ocidir://${folder}:v1`),
    copy: ({ source, sink, settings }) =>
      run([source, sink], settings, 'image', 'copy', source.reference, sink.reference),
    copyWithReferrers: ({ source, sink, settings }) =>
      run([source, sink], settings, 'image', 'copy', '--referrers', source.reference, sink.reference),
    listTags: ({ source }) => run([source], undefined, 'tag', 'ls', source.repository),
  }
}

/**
 * @param {{ name: string, path: string, profiles?: string }} build `profiles`: where profiles of the processor go
 * @returns {import('./tools.js').Tool}
 */
export function createGantry({ name, path, profiles }) {
  const flags = profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`]
  const run = (...words) => ({ program: process.execPath, words: [...flags, path, ...words] })
  const withAuthority = ({ authority }, flag = '') => (authority === undefined ? [] : [`--${flag}ca-file`, authority])
  return {
    name,
    isOurs: true,
    version: () => run('version'),
    readVersion: (text) => /^Version:\s*(\S+)/m.exec(text)?.[1],
    fetchManifest: ({ source }) => run('manifest', 'fetch', ...withAuthority(source), source.reference),
    pushLayout: ({ layout, sink }) =>
      run('copy', '--from-oci-layout', ...withAuthority(sink, 'to-'), `${layout.folder}:${layout.tag}`, sink.reference),
    pullLayout: ({ source, folder }) =>
      run('copy', ...withAuthority(source, 'from-'), source.reference, '--to-oci-layout', `${folder}:v1`),
    copy: ({ source, sink }) =>
      run('copy', ...withAuthority(source, 'from-'), ...withAuthority(sink, 'to-'), source.reference, sink.reference),
    copyWithReferrers: ({ source, sink }) => run('copy', '-r', source.reference, sink.reference),
    discover: ({ source }) => run('discover', '--format', 'json', source.reference),
    pushFolder: ({ parent, name: folder, sink }) => ({ ...run('push', sink.reference, folder), folder: parent }),
    pullFolder: ({ source, folder }) => run('pull', '-o', folder, source.reference),
    listTags: ({ source }) => run('repo', 'tags', source.repository),
  }
}

import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** Names of the packages whose files went into what was built. */
export function packagesIn(metafile) {
  return [...new Set(foldersIn(metafile).map(nameOf))].sort()
}

/**
 * The licences of everything that was bundled, one after the other. Throws for a package without a licence text, as
 * passing it on would not be allowed.
 */
export async function thirdPartyLicences(root, results) {
  const folders = [...new Set(results.flatMap(({ metafile }) => foldersIn(metafile)))].sort()
  const parts = await Promise.all(folders.map((folder) => licenceOf(root, join(root, folder))))
  return `gantry carries these packages inside.\n\n${parts.join('\n')}`
}

async function licenceOf(root, folder) {
  const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
  const names = (await readdir(folder)).filter((entry) => /^(licen[cs]e|copying|notice)/i.test(entry)).sort()
  const paths = names.map((entry) => join(folder, entry))
  // The text of the Apache licence is the same for everybody, and ours.
  if (names.length === 0 && license === 'Apache-2.0') paths.push(join(root, 'LICENSE'))
  if (paths.length === 0) throw new Error(`${name} comes without a licence text`)
  const texts = await Promise.all(paths.map((path) => readFile(path, 'utf8')))
  const title = `${name} ${version} (${license})`
  return `${title}\n${'-'.repeat(title.length)}\n\n${texts.map((text) => text.trim()).join('\n\n')}\n`
}

/** Folders of packages, relative to the root; a package inside another one's node_modules is one of its own. */
function foldersIn(metafile) {
  return Object.keys(metafile.inputs).flatMap((path) => {
    const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)
    return match ? [match[1]] : []
  })
}

function nameOf(folder) {
  return folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length)
}

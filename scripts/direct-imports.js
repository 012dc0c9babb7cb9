import { readFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'

/**
 * Leads imports from the library's index straight to the files behind it. The index names everything, so that whoever
 * imports from it would load everything.
 */
export function directImports(index) {
  return {
    name: 'direct-imports',
    async setup(build) {
      const origins = originsOf(await readFile(index, 'utf8'))
      const folder = dirname(index)
      build.onLoad({ filter: /\/src\/cli\/.*\.ts$/ }, async ({ path }) => {
        const source = await readFile(path, 'utf8')
        const back = relative(dirname(path), index).replace(/\.ts$/, '.js')
        const statement = /^(import|export) \{([^}]*)\} from '([^']*)'$/gm
        const contents = source.replace(statement, (whole, keyword, names, from) => {
          if (from !== back && from !== `./${back}`) return whole
          return namesIn(names)
            .map((name) => {
              const origin = origins.get(name.split(' ', 1)[0])
              if (origin === undefined) throw new Error(`${path} imports ${name}, which the library does not export`)
              const target = relative(dirname(path), join(folder, origin))
              return `${keyword} { ${name} } from '${target.startsWith('.') ? target : `./${target}`}'`
            })
            .join('; ')
        })
        return { contents, loader: 'ts' }
      })
    },
  }
}

function originsOf(text) {
  const origins = new Map()
  for (const [, names, from] of text.matchAll(/^export \{([^}]*)\} from '([^']*)'$/gm)) {
    for (const name of namesIn(names)) origins.set(name, from)
  }
  return origins
}

function namesIn(text) {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && !name.startsWith('type '))
}

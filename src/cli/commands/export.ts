import { openExport } from '../../image/export.js'
import { optionalWord, source } from '../arguments.js'
import { command } from '../command.js'
import { platformOptions } from '../options/platform.js'
import { saveContent } from '../output/save-content.js'
import { writeToStdout } from '../output/write-to-stdout.js'
import { UsageError } from '../usage-error.js'

export default command({
  summary: 'Write the file system of an image as a tar',
  description: `Merges the layers: what an upper layer replaces or takes away is left out. The tar goes to a file, or to stdout. The platform of an index is linux/amd64 unless another is chosen. The only layer of an artifact is written as it is.`,
  arguments: { source: source(), file: optionalWord('[<file>|-]') },
  needs: 'the image, and the file that is written',
  options: { ...platformOptions },
  examples: [
    ['Write the file system of an image into a file', 'export localhost:5000/app:v1 app.tar'],
    ['Unpack it', 'export localhost:5000/app:v1 - | tar -x -C ./app'],
  ],
  check({ words: [, file = '-'], format = 'text' }) {
    if (file === '-' && format !== 'text') {
      throw new UsageError('`--format` needs a file for the tar, as both would go to stdout')
    }
  },
  async run({ source: { store, typed, reference }, file = '-', options: { platform }, client, context, signal }) {
    const from = { source: await client.withCache(store), reference }
    const content = await openExport(from, { platform, signal })
    if (file === '-') await writeToStdout(content, context)
    else await saveContent(file, content)
    return { reference: typed, path: file }
  },
})

import { appendFileSync } from 'node:fs'
import { isGantryError } from '../../src/errors.js'
import { LayoutStore } from '../../src/store/layout.js'
import { blob, emptyConfig, inChunks, manifest } from './content.js'

/**
 * A process that works on a layout: `worker FOLDER NAME ACTION`. What it has brought to an end is noted beside it.
 * - `tags`: pushes a manifest of its own with three tags, one call each
 * - `large`: pushes a blob of 8 MiB and says what came of it
 */
const [, , folder = '', name = '', action = ''] = process.argv
const store = await LayoutStore.open(folder, { create: true })

if (action === 'tags') {
  const layer = blob(20_000)
  const image = manifest({ layers: [layer.descriptor], annotations: { worker: name } })
  await store.push(emptyConfig.descriptor, emptyConfig.open)
  await store.push(layer.descriptor, inChunks(layer.bytes, 1000))
  await store.push(image.descriptor, image.open, { tag: `${name}-0` })
  appendFileSync(`${folder}.log`, `${name}-0 ${image.descriptor.digest}\n`)
  for (const tag of [`${name}-1`, `${name}-2`]) {
    await store.tag(image.descriptor, tag)
    appendFileSync(`${folder}.log`, `${tag} ${image.descriptor.digest}\n`)
  }
} else {
  const large = blob(8 * 1024 * 1024)
  try {
    await store.push(large.descriptor, inChunks(large.bytes, 100_000))
    process.stdout.write('pushed')
  } catch (error) {
    if (!isGantryError(error)) throw error
    process.stdout.write(`${error.code}: ${error.message} (${error.hint ?? ''})`)
  }
}

import { join } from 'node:path'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { LayoutTar } from '../../src/store/layout-tar.js'
import { LayoutTarWriter } from '../../src/store/layout-tar-writer.js'
import { describeStore } from './contract.js'

describeStore(
  'an image layout in a tar',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gantry-layout-'))
    const path = join(folder, 'layout.tar')
    const writer = await LayoutTarWriter.create(path)
    return {
      sink: writer,
      source: async () => {
        await writer.close()
        return LayoutTar.open(path)
      },
      close: async () => {
        await writer.abort()
        rmSync(folder, { recursive: true, force: true })
      },
    }
  },
  { interleaved: false, delete: false, untag: false },
)

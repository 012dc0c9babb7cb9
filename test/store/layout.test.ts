import { join } from 'node:path'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { LayoutStore } from '../../src/store/layout.js'
import { describeStore } from './contract.js'

describeStore('an image layout in a folder', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-layout-'))
  const store = await LayoutStore.open(join(folder, 'layout'), { create: true })
  return {
    sink: store,
    source: async () => store,
    close: async () => {
      rmSync(folder, { recursive: true, force: true })
    },
  }
})

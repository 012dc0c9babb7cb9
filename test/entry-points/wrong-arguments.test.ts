import { describe, expect, test } from 'vitest'
import * as graph from '../../src/entry-points/graph.js'
import * as registry from '../../src/entry-points/registry.js'
import * as store from '../../src/entry-points/store.js'

type AnyFunction = (...values: unknown[]) => unknown

const memory = new store.MemoryStore()
const transport = registry.createTransport({ registry: 'localhost:1' })

/** As a program without types would call them. */
const calls: readonly (readonly [string, () => unknown])[] = [
  ['createTransport', () => (registry.createTransport as AnyFunction)()],
  ['createTransport of no registry', () => (registry.createTransport as AnyFunction)({})],
  ['Repository', () => new registry.Repository(transport, undefined as never)],
  ['LayoutStore.open', () => store.LayoutStore.open(undefined as never)],
  ['LayoutTar.open', () => store.LayoutTar.open(5 as never)],
  ['LayoutTarWriter.create', () => store.LayoutTarWriter.create(null as never)],
  ['FileSink.open', () => store.FileSink.open({} as never)],
  ['copy', () => (graph.copy as AnyFunction)(undefined, 'v1', memory)],
  ['copy of no reference', () => (graph.copy as AnyFunction)(memory, undefined, memory)],
  ['copy to nothing', () => (graph.copy as AnyFunction)(memory, 'v1', null)],
  ['copyGraph', () => (graph.copyGraph as AnyFunction)(null, memory, {})],
  ['pushFiles', () => (graph.pushFiles as AnyFunction)(memory)],
  ['pullFiles', () => (graph.pullFiles as AnyFunction)(memory, 'v1')],
]

describe('wrong arguments of the parts', () => {
  test.each(calls)('%s fails with a GantryError', async (_, call) => {
    await expect((async () => call())()).rejects.toMatchObject({ name: 'GantryError', code: 'invalid-argument' })
  })
})

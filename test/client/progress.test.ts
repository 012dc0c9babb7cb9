import { describe, expect, test } from 'vitest'
import { withTotals, type ProgressEvent } from '../../src/client/progress.js'
import { descriptorOf } from '../../src/oci/descriptor.js'
import type { TransferEvent } from '../../src/graph/events.js'

const large = descriptorOf('application/octet-stream', Buffer.alloc(100))
const small = descriptorOf('application/octet-stream', Buffer.alloc(10, 1))

function totalsOf(events: readonly TransferEvent[]) {
  const seen: ProgressEvent[] = []
  const onEvent = withTotals((event) => seen.push(event))
  for (const event of events) onEvent?.(event)
  expect(seen.every(({ total }) => total.bytes <= total.plannedBytes && total.nodes <= total.plannedNodes)).toBe(true)
  return seen.map(({ total }) => [total.bytes, total.plannedBytes, total.nodes, total.plannedNodes])
}

describe('the totals of a transfer', () => {
  test('follow the plan', () => {
    expect(
      totalsOf([
        { type: 'planned', nodes: 2, bytes: 110 },
        { type: 'started', descriptor: large },
        { type: 'progress', descriptor: large, offset: 40 },
        { type: 'started', descriptor: small },
        { type: 'finished', descriptor: small },
        { type: 'finished', descriptor: large },
      ]),
    ).toEqual([
      [0, 110, 0, 2],
      [0, 110, 0, 2],
      [40, 110, 0, 2],
      [40, 110, 0, 2],
      [50, 110, 1, 2],
      [110, 110, 2, 2],
    ])
  })

  test('take back what has to be sent again, or has failed', () => {
    expect(
      totalsOf([
        { type: 'planned', nodes: 1, bytes: 100 },
        { type: 'started', descriptor: large },
        { type: 'progress', descriptor: large, offset: 80 },
        { type: 'progress', descriptor: large, offset: 20 },
        { type: 'started', descriptor: large },
        { type: 'progress', descriptor: large, offset: 30 },
        { type: 'failed', descriptor: large, error: new Error('gone') },
      ]).map(([bytes]) => bytes),
    ).toEqual([0, 0, 80, 20, 0, 30, 0])
  })

  test('know what has started where nothing is planned', () => {
    expect(
      totalsOf([
        { type: 'started', descriptor: large },
        { type: 'finished', descriptor: large },
        { type: 'exists', descriptor: small, subgraph: false },
      ]),
    ).toEqual([
      [0, 100, 0, 1],
      [100, 100, 1, 1],
      [100, 100, 1, 1],
    ])
  })
})

import { expect, test } from 'vitest'
import { formatGoValue } from '../../src/registry/go-format.js'

test.each([
  [null, '<nil>'],
  ['text', 'text'],
  ['', ''],
  [5, '5'],
  [1.5, '1.5'],
  [1e21, '1e+21'],
  [0.00001, '1e-05'],
  [true, 'true'],
  [[], '[]'],
  [['a', 'b'], '[a b]'],
  [{}, 'map[]'],
  [{ name: 'nosuch' }, 'map[name:nosuch]'],
  [
    [{ Type: 'repository', Name: 'golden', Class: '', Action: 'pull' }],
    '[map[Action:pull Class: Name:golden Type:repository]]',
  ],
])('%j is printed as %s', (value, text) => {
  expect(formatGoValue(value)).toBe(text)
})

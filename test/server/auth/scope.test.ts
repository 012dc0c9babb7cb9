import { expect, test } from 'vitest'
import { formatScopes, parseScopes } from '../../../src/server/auth/scope.js'

const repository = (name: string, ...actions: string[]): object[] =>
  actions.map((action) => ({ type: 'repository', name, action }))

test.each([
  ['', []],
  ['repository:a/b:pull', repository('a/b', 'pull')],
  ['repository:a:push,pull', repository('a', 'pull', 'push')],
  ['repository:a:*', repository('a', 'pull', 'push', 'delete')],
  ['repository:a:pull repository:b:delete', [...repository('a', 'pull'), ...repository('b', 'delete')]],
  ['registry:catalog:*', [{ type: 'registry', name: 'catalog', action: '*' }]],
  ['registry:catalog:pull', []],
  ['repository:host:5000/a:pull', []],
  ['repository:../a:pull', []],
  ['repository:a:fly', []],
  ['repository', []],
  ['repository:a', []],
  ['plugin:a:pull', []],
])('the scope "%s"', (text, permissions) => {
  expect(parseScopes(text)).toEqual(permissions)
})

test('permissions on one resource share a scope', () => {
  expect(
    formatScopes([
      { type: 'repository', name: 'a', action: 'pull' },
      { type: 'repository', name: 'b', action: 'pull' },
      { type: 'repository', name: 'a', action: 'push' },
      { type: 'repository', name: 'a', action: 'push' },
    ]),
  ).toBe('repository:a:pull,push repository:b:pull')
  expect(formatScopes([])).toBe('')
})

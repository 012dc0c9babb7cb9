import { describe, expect, test } from 'vitest'
import { CATALOG_SCOPE, repositoryScope } from '../../../src/registry/auth/scope.js'
import { ScopeSet } from '../../../src/registry/auth/scope-set.js'

describe('ScopeSet', () => {
  test.each([
    ['repository:t/a:pull,push repository:other/x:pull', 'repository:other/x:pull repository:t/a:pull,push'],
    ['repository:other/x:pull repository:t/a:push,pull', 'repository:other/x:pull repository:t/a:pull,push'],
    ['repository:host:5000/a:pull', 'repository:host:5000/a:pull'],
    ['repository:a:pull repository:a:push', 'repository:a:pull,push'],
    ['registry:catalog:*', 'registry:catalog:*'],
    ['repository(plugin):a/b:pull', 'repository(plugin):a/b:pull'],
    ['*', ''],
    ['', ''],
    ['repository:a:', ''],
    ['repository::pull', ''],
    ['pull', ''],
  ])('reads %j', (text, key) => {
    expect(ScopeSet.parse(text).key).toBe(key)
  })

  test('keeps what matters most in front', () => {
    const scopes = ScopeSet.of([repositoryScope('z', 'push', 'pull'), repositoryScope('a', 'pull')])
    expect(scopes.toStrings()).toEqual(['repository:z:pull,push', 'repository:a:pull'])
    expect(scopes.union(ScopeSet.parse('repository:a:push repository:b:pull')).toStrings()).toEqual([
      'repository:z:pull,push',
      'repository:a:pull,push',
      'repository:b:pull',
    ])
    expect(scopes.repository).toBe('z')
  })

  test.each([
    ['repository:a:pull,push', 'repository:a:pull', true],
    ['repository:a:pull', 'repository:a:pull,push', false],
    ['repository:a:*', 'repository:a:delete', true],
    ['repository:a:pull', 'repository:b:pull', false],
    ['repository:a:pull', '', true],
    ['', 'repository:a:pull', false],
  ])('%j covers %j: %s', (one, other, expected) => {
    expect(ScopeSet.parse(one).covers(ScopeSet.parse(other))).toBe(expected)
  })

  test('names the catalog', () => {
    expect(ScopeSet.of([CATALOG_SCOPE]).key).toBe('registry:catalog:*')
  })
})

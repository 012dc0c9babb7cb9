import { describe, expect, test } from 'vitest'
import { cutPage, MAX_PAGE_LENGTH, parsePageRequest } from '../../src/server/page.js'
import { compareNames } from '../../src/server/storage/compare-names.js'

const NAMES = ['A', 'a', 'a-b', 'a.c', 'B', 'c', 'latest', 'V1', 'v1', 'v10', 'v2']

describe('a page', () => {
  test('is sorted without regard to case', () => {
    expect([...NAMES].reverse().sort(compareNames)).toEqual(NAMES)
  })

  test.each([
    ['', NAMES, undefined],
    ['n=2', ['A', 'a'], '</list?n=2&last=a>; rel="next"'],
    ['n=2&last=a', ['a-b', 'a.c'], '</list?n=2&last=a.c>; rel="next"'],
    ['last=latest', ['V1', 'v1', 'v10', 'v2'], undefined],
    ['n=4&last=latest', ['V1', 'v1', 'v10', 'v2'], undefined],
    ['n=3&last=latest', ['V1', 'v1', 'v10'], '</list?n=3&last=v10>; rel="next"'],
    ['last=nothing-like-it', ['V1', 'v1', 'v10', 'v2'], undefined],
    ['last=v2', [], undefined],
    ['last=', NAMES, undefined],
    ['n=0', [], undefined],
    ['n=1000000000000', NAMES, undefined],
  ])('%s', (query, names, link) => {
    const page = cutPage(NAMES, parsePageRequest(new URLSearchParams(query)), '/list')
    expect(page.names).toEqual(names)
    expect(page.link).toBe(link)
  })

  test('holds a bounded number of names, whatever is asked for', () => {
    const many = Array.from({ length: 2500 }, (_, index) => `t${String(index).padStart(5, '0')}`)
    for (const query of ['', 'n=1000000000000', 'n=99999999999999999999999999']) {
      const page = cutPage(many, parsePageRequest(new URLSearchParams(query)), '/list')
      expect(page.names).toHaveLength(MAX_PAGE_LENGTH)
      expect(page.link).toBe(`</list?n=${MAX_PAGE_LENGTH}&last=t00999>; rel="next"`)
    }
  })

  test.each(['n=-1', 'n=x', 'n=1.5', 'n='])('%s is refused', (query) => {
    expect(() => parsePageRequest(new URLSearchParams(query))).toThrow(
      expect.objectContaining({ registryCode: 'PAGINATION_NUMBER_INVALID', status: 400 }),
    )
  })
})

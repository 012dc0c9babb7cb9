import { describe, expect, test } from 'vitest'
import { flagHintFor } from '../../src/cli/flag-hints.js'
import { GantryError } from '../../src/errors.js'

describe('the hint at --max-manifest-size', () => {
  test.each([
    'manifest localhost/r:1 exceeds the limit of 4194304 bytes',
    'a page of the tags of localhost/r exceeds the limit of 4194304 bytes',
    'a list of referrers exceeds the limit of 4194304 bytes',
  ])('is given for: %s', (message) => {
    expect(flagHintFor(new GantryError('limit-exceeded', message))).toContain('--max-manifest-size')
  })

  test.each([
    'manifest sha256:ab is nested deeper than 64 levels',
    'the graph has more than 10000 manifests',
    'the tags of localhost/r go on with empty pages',
    'PUT "http://localhost/v2/r/manifests/1": response status code 413: Payload Too Large',
    '/tmp/manifests/index.json exceeds the limit of 33554432 bytes',
    'token response of localhost exceeds the limit of 1048576 bytes',
  ])('is not given where it would not help: %s', (message) => {
    expect(flagHintFor(new GantryError('limit-exceeded', message))).toBeUndefined()
  })
})

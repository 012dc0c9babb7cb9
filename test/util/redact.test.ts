import { describe, expect, test } from 'vitest'
import { GantryError } from '../../src/errors.js'
import { redactSecrets, redactUrl, SecretMask } from '../../src/util/redact.js'
import { processorTime, LINEAR_TIME } from '../properties.js'

describe('an address', () => {
  test.each([
    ['https://host/v2/', 'https://host/v2/'],
    ['https://user:secret@host/v2/', 'https://*****@host/v2/'],
    ['https://user:s@cret@host/v2/', 'https://*****@host/v2/'],
    ['//user:secret@host/v2/', '//*****@host/v2/'],
    ['ftp://user:secret@host/', 'ftp://*****@host/'],
    ['https:/user:secret@host/', 'https:/*****@host/'],
    ['https:\\\\user:secret@host/', 'https:\\\\*****@host/'],
    ['/a@b', '/a@b'],
    ['HTTPS://secret@host', 'HTTPS://*****@host'],
    ['https://host/a@b?x', 'https://host/a@b?*****'],
    ['https://host/?secret', 'https://host/?*****'],
    ['https://host/?n=1&secret', 'https://host/?n=1&*****'],
    ['https://host/?', 'https://host/?'],
    ['https://host/v2/?scope=repository:a:pull&token=secret', 'https://host/v2/?scope=repository:a:pull&token=*****'],
    ['https://host/?X-Amz-Signature=secret&n=3', 'https://host/?X-Amz-Signature=*****&n=3'],
    ['https://host/?n=1&n=2&%6E=secret&=secret', 'https://host/?n=1&n=2&%6E=*****&=*****'],
    ['https://host/?a=secret=secret', 'https://host/?a=*****'],
    ['https://host/cb#access_token=secret', 'https://host/cb#*****'],
    ['https://host/cb?n=1#secret', 'https://host/cb?n=1#*****'],
    ['/v2/a/blobs/uploads/?_state=secret', '/v2/a/blobs/uploads/?_state=*****'],
  ])('%s is shown as %s', (url, shown) => {
    expect(redactUrl(url)).toBe(shown)
  })
})

describe('a text', () => {
  test.each([
    ['nothing in it', 'nothing in it'],
    ['get "https://u:p@h/?sig=secret": refused', 'get "https://*****@h/?sig=*****": refused'],
    ['from http://a/?x=1 to http://b/?y=2', 'from http://a/?x=***** to http://b/?y=*****'],
    ['refused: ftp://u:p@h/?sig=secret', 'refused: ftp://*****@h/?sig=*****'],
    ['Authorization: Basic dXNlcjpwYXNz', 'Authorization: Basic *****'],
    ['authorization: bearer eyJhbGciOiJI.UzI1-NiIs_', 'authorization: bearer *****'],
    ['bearer credentialsecret', 'bearer *****'],
    ['Bearer all-lower-case', 'Bearer *****'],
    ['basic credential not found', 'basic credential not found'],
    ['no basic authentication, no bearer realm="x"', 'no basic authentication, no bearer realm="x"'],
  ])('%j is shown as %j', (text, shown) => {
    expect(redactSecrets(text)).toBe(shown)
  })

  test('of an error has no secrets', () => {
    const error = new GantryError('network-error', 'https://u:p@h/\u001b[31m', { hint: 'Basic dXNlcjpwYXNz' })
    expect(error.message).toBe('https://*****@h/\\u{1b}[31m')
    expect(error.hint).toBe('Basic *****')
  })

  test('of an error is bounded', () => {
    const { message } = new GantryError('unsafe-path', `the name "${'x'.repeat(3_000_000)}" is too long`)
    expect(message.length).toBeLessThan(17_000)
    expect(message).toMatch(/^the name "x+…$/)
  })
})

describe('secrets that are known', () => {
  test.each([
    ['a"b\\c', '{"sent":"a\\"b\\\\c"}', '{"sent":"*****"}'],
    ['a"b', 'x="{\\\\\\"a\\\\\\"b\\\\\\"}"', 'x="{\\\\\\"*****\\\\\\"}"'],
    ['a&b<c', 'you sent a&amp;b&#60;c', 'you sent *****'],
    ['a b/c', '/a+b%2fc /a%20b/c /a%2520b%252Fc', '/***** /***** /*****'],
    ['Sécret', 'in a host: sécret.example', 'in a host: *****.example'],
    [
      'hunter2hunter2',
      Buffer.from('{"password":"hunter2hunter2"}').toString('base64'),
      expect.stringContaining('*****'),
    ],
    ['ab', 'short ones stay: ab', 'short ones stay: ab'],
    ['abc', 'abcabc', '**********'],
  ])('%j in %j', (secret, text, shown) => {
    expect(new SecretMask([secret]).mask(text)).toEqual(shown)
  })

  test('the longest is looked for first, and the oldest is forgotten', () => {
    const mask = new SecretMask(['pass', 'password', 'other'], 2)
    expect(mask.mask('pass password other')).toBe('pass ***** *****')
    mask.add('pass')
    expect(mask.mask('pass password other')).toBe('***** *****word *****')
  })

  test('are found quickly, whatever the text', () => {
    for (const [secret, text] of [
      ['\\\\\\"x', '\\'],
      ['a"b', 'a\\'],
      ['/////////x', '\\/'],
      ['%%%%%%%%%%', '%25'],
      ['+/+/+/+/+/', 'Ky8rLyovKy8rLw'],
    ] as const) {
      const mask = new SecretMask([secret])
      const long = text.repeat(64 * 1024)
      expect(processorTime(() => mask.mask(long.slice(0, 64 * 1024)))).toBeLessThan(LINEAR_TIME)
    }
  })
})

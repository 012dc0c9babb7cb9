import { expect, test } from 'vitest'
import { helperMessage } from '../../src/credentials/helper-message.js'

test.each([
  ['', ''],
  ['no credentials server URL', 'no credentials server URL'],
  ['pass not initialized: exit status 1: Error: password store is empty. Try "pass init".', undefined],
  ['Cannot autolaunch D-Bus without $DISPLAY', undefined],
  ['The name org.freedesktop.secrets was not provided by any .service files', undefined],
  ['error getting credentials - err: exit status 1, out: `gpg: decryption failed: No secret key`', undefined],
  ['open /home/user/.aws/config: permission denied', undefined],
  ['first line\nsecond line', 'first line'],
])('%j is shown', (output, expected) => {
  expect(helperMessage(output)).toBe(expected ?? output)
})

test.each([
  ['bad token CANARY-123', 'bad token *****'],
  ['{"Username":"u","Secret":"canary"}', '(its output is not shown, as it may hold a secret)'],
  ['got "Secret":"canary"', '(its output is not shown, as it may hold a secret)'],
  ['password: canary', 'password: *****'],
  ['token=canary rest', 'token=***** rest'],
  ['dckr_pat_aBcDeFgHiJkLmNoP', '*****'],
  ['Zm9vOmJhcg==', '*****'],
  ['Bearer abcdefghijkl', 'Bearer *****'],
  ['https://user:canary@host/path?sig=canary', '*****'],
  ['\u001b]0;pwn\u0007\u001b[2J', '*****'],
])('%j is masked', (output, expected) => {
  expect(helperMessage(output)).toBe(expected)
})

test('what was handed over is masked wherever it stands', () => {
  expect(helperMessage('cannot store correct horse for you', ['correct horse'])).toBe('cannot store ***** for you')
  expect(helperMessage('cannot store correct%20horse for you', ['correct horse'])).toBe('cannot store ***** for you')
})

test('long lines are cut', () => {
  expect(helperMessage('word '.repeat(1000))).toHaveLength(301)
})

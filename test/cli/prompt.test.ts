import { Readable, Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { Prompt } from '../../src/cli/prompt.js'
import { collectBytes } from '../../src/util/bytes.js'

function contextWith(stdin: Readable): ConstructorParameters<typeof Prompt>[0] {
  const output = new Writable({ write: (_chunk, _encoding, done) => done() })
  return {
    stdin,
    stdout: output,
    stderr: output,
    environment: {},
    homeFolder: '/',
    signal: new AbortController().signal,
    programName: 'gantry',
  }
}

test('answers are read line by line, and are empty at the end of the input', async () => {
  const prompt = new Prompt(contextWith(Readable.from(['user\nsecret\n'])))
  expect(await prompt.ask('Username: ')).toBe('user')
  expect(await prompt.askSecret('Password: ')).toBe('secret')
  expect(await prompt.ask('more? ')).toBe('')
  prompt.close()
})

test('nothing is waited for when the input was read to its end before', async () => {
  const stdin = Readable.from([Buffer.from('x')])
  await collectBytes(stdin, 10, 'stdin')
  const prompt = new Prompt(contextWith(stdin))
  expect(await prompt.askSecret('Password: ')).toBe('')
  expect(await prompt.confirm('sure?')).toBe(false)
  prompt.close()
})

import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createFixture, type Fixture } from '../fixture.js'
import { runCli } from '../run-cli.js'

describe('a list that ends early', () => {
  let server: Server
  let registry: string
  beforeAll(async () => {
    server = createServer(({ url = '' }, response) => {
      const isFirst = !url.includes('last=')
      if (!isFirst) response.writeHead(500).end()
      else {
        response.setHeader('link', `<${url}?last=b>; rel="next"`)
        response.end(JSON.stringify({ name: 'x', tags: ['a', 'b'], repositories: ['a', 'b'] }))
      }
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    registry = `localhost:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })

  test.each([
    [['repo', 'tags'], '/x', { tags: ['a', 'b'] }],
    [['repo', 'ls'], '', { repositories: ['a', 'b'] }],
  ])('%j shows what was there, and fails', async (command, path, wanted) => {
    const words = [...command, `${registry}${path}`, '--retries', '0']
    expect(await runCli(words)).toMatchObject({ code: 1, stdout: 'a\nb\n' })
    const json = await runCli([...words, '--format', 'json'])
    expect(json.code).toBe(1)
    expect(JSON.parse(json.stdout)).toMatchObject(wanted)
    expect(json.stderr).toContain('"status":500')
    const [key = ''] = Object.keys(wanted)
    const template = await runCli([...words, '--format', `go-template={{range .${key}}}{{.}};{{end}}`])
    expect(template).toMatchObject({ code: 1, stdout: 'a;b;' })
  })
})

describe('what --debug prints', () => {
  let fixture: Fixture
  beforeAll(async () => {
    fixture = await createFixture()
  })
  afterAll(() => fixture.close())

  test('has each number once for both sides of a copy, and header names as Go prints them', async () => {
    const file = join(fixture.folder, 'a.txt')
    await writeFile(file, 'a'.repeat(3000))
    const from = `${fixture.registry}/from:v1`
    const pushed = await runCli(['push', from, file, '--disable-path-validation', '--chunk-size', '1KiB', '--debug'])
    // Three chunks: none is larger than was asked for.
    expect(pushed.stderr.match(/> Request method: "PATCH"/g)).toHaveLength(3)
    const { code, stderr } = await runCli(['copy', from, `${fixture.registry}/to:v1`, '--debug'])
    expect(code).toBe(0)
    const numbers = stderr.match(/--> Request #\d+/g) ?? []
    expect(new Set(numbers).size).toBe(numbers.length)
    expect(stderr).toContain('   "Docker-Content-Digest": "')
    expect(stderr).not.toMatch(/^ {3}"[a-z]/m)
  })
})

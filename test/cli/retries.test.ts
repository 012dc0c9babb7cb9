import { describe, expect, onTestFinished, test } from 'vitest'
import { MediaType } from '../../src/oci/media-types.js'
import { startScriptedServer, type ScriptedServer } from '../registry/http/scripted-server.js'
import { runCli } from './run-cli.js'

/** A registry that cuts every manifest off after some bytes. */
async function startBreakingRegistry(): Promise<ScriptedServer & { readonly name: string }> {
  const server = await startScriptedServer(({ response, socket }) => {
    response.writeHead(200, { 'content-length': 1000, 'content-type': MediaType.imageManifest })
    response.write('{', () => setTimeout(() => socket.resetAndDestroy(), 5))
  })
  onTestFinished(() => server.close())
  return { ...server, name: `localhost:${server.port}` }
}

describe('an answer that breaks off', () => {
  test('is asked for again, and a line says so', async () => {
    const { name, ledger } = await startBreakingRegistry()
    const { code, stdout, stderr } = await runCli(['manifest', 'fetch', '--retries', '3', `${name}/a:v1`])
    expect({ code, stdout, requests: ledger.length }).toEqual({ code: 1, stdout: '', requests: 3 })
    const line = (attempt: number): string =>
      `retrying GET http://${name}/v2/a/manifests/v1 \\(${attempt}/3\\) in 0\\.\\d s: [^\\n]*connection[^\\n]*\\n`
    expect(stderr).toMatch(new RegExp(`^${line(2)}${line(3)}Error: [^\\n]*\\n$`))
  })

  test.each(['0', '1'])('is asked for once with --retries %s', async (retries) => {
    const { name, ledger } = await startBreakingRegistry()
    const { code, stderr } = await runCli(['manifest', 'fetch', '--retries', retries, `${name}/a:v1`])
    expect({ code, requests: ledger.length }).toEqual({ code: 1, requests: 1 })
    expect(stderr).not.toContain('retrying')
  })

  test.each([[['--quiet']], [['--format', 'json']], [['--format', 'go-template={{.digest}}']]])(
    'is asked for again in silence with %j',
    async (flags) => {
      const { name, ledger } = await startBreakingRegistry()
      const output = flags.includes('--quiet') ? [] : ['--output', '/dev/null']
      const { stderr } = await runCli(['manifest', 'fetch', '--retries', '2', ...flags, ...output, `${name}/a:v1`])
      expect(ledger).toHaveLength(2)
      expect(stderr).toMatch(/^(?:Error: |\{"code":"network-error")[^\n]*\n$/)
    },
  )
})

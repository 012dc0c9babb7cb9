import type { runCredentialHelper as RunCredentialHelper } from '../credentials/serve-credential-helper.js'

export { runProcess } from './run-process.js'

/** The program `docker-credential-gantry`; the library is loaded when it is called. */
export const runCredentialHelper: typeof RunCredentialHelper = async (...call) => {
  const program = await import('./program.js')
  return program.runCredentialHelper(...call)
}

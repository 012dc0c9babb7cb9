import { ownHomeFolder } from '../util/home-folder.js'
import { keepCode, loadProgram } from './load-program.js'
import type { runCredentialHelper as RunCredentialHelper } from '../credentials/serve-credential-helper.js'

export { runProcess } from './run-process.js'

/** The program `docker-credential-gantry`; the library is loaded when it is called. */
export const runCredentialHelper: typeof RunCredentialHelper = async (...call) => {
  const program = await loadProgram({ environment: process.env, homeFolder: ownHomeFolder() })
  const answer = await program.runCredentialHelper(...call)
  keepCode()
  return answer
}

// Serves the embedded registry for the conformance suites: `conformance-server.js [FOLDER]` prints its address as
// host:port, and ends when it is told to. GANTRY_LIBRARY names the built library; default dist/testing.js.
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const library = process.env.GANTRY_LIBRARY ?? resolve(import.meta.dirname, '..', 'dist', 'testing.js')
const { startRegistryServer } = await import(pathToFileURL(resolve(library)).href)
const folder = process.argv[2]
const server = await startRegistryServer(folder === undefined ? {} : { folder })
process.on('SIGTERM', () => {
  void server.close()
})
console.log(server.registry)

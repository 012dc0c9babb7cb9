// A registry as a process of its own, to be killed: `registry-worker FOLDER` prints its address.
import { startRegistryServer } from '../../../src/server/registry-server.js'

const server = await startRegistryServer({ folder: process.argv[2] ?? '' })
process.stdout.write(`${server.url}\n`)

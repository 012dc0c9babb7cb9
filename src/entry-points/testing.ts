// `gantry/testing`: a store in memory, and a registry that runs in this process.
export { MemoryStore } from '../store/memory.js'
export type { AuthenticationOptions } from '../server/auth/authenticator.js'
export { startRegistryServer } from '../server/registry-server.js'
export type { RegistryServer, RegistryServerOptions } from '../server/registry-server.js'

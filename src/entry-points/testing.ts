// `gantry/testing`: a store in memory, and a registry that runs in this process.
export { MemoryStore } from '../store/memory.js'
export type { AuthenticationOptions, Policy } from '../server/auth/authenticator.js'
export type { Action, Permission } from '../server/auth/access.js'
export type { EndpointOptions } from '../server/endpoints.js'
export type { RegistryHandlerOptions, RequestLogEntry } from '../server/registry-handler.js'
export { startRegistryServer } from '../server/registry-server.js'
export type { RegistryServer, RegistryServerOptions } from '../server/registry-server.js'

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'

/** Which of its servers a request came to. */
export type Role = 'registry' | 'tokens' | 'blobs'

export interface LoggedRequest {
  readonly role: Role
  readonly method: string
  /** Path and query. */
  readonly url: string
  /** Without the query. */
  readonly path: string
  /** The name that the client asked for in `Host`. */
  readonly host: string
  readonly headers: IncomingHttpHeaders
  /** Of the answer; 0 until there is one, and when the connection was cut instead. */
  status: number
}

/** Every request to any server of an emulator, in the order of arrival. */
export class RequestLog {
  readonly entries: LoggedRequest[] = []

  add(role: Role, request: IncomingMessage): LoggedRequest {
    const url = request.url ?? '/'
    const entry = {
      role,
      method: request.method ?? 'GET',
      url,
      path: url.split('?', 1)[0] ?? '',
      host: request.headers.host ?? '',
      headers: request.headers,
      status: 0,
    }
    this.entries.push(entry)
    return entry
  }

  /** Requests by method and path, of the registry unless another role is named. */
  find(method: string, path: RegExp, role: Role = 'registry'): readonly LoggedRequest[] {
    return this.entries.filter((entry) => entry.role === role && entry.method === method && path.test(entry.path))
  }

  /** `METHOD path status` of each request. */
  lines(role: Role = 'registry'): readonly string[] {
    return this.entries
      .filter((entry) => entry.role === role)
      .map(({ method, path, status }) => `${method} ${path} ${status}`)
  }

  clear(): void {
    this.entries.length = 0
  }
}

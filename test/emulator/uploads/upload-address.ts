import type { Call } from '../call.js'
import type { UploadSwitches } from './upload-switches.js'

/** An upload that a client knows by some address. */
export interface KnownUpload {
  readonly repository: string
  readonly id: string
  /** Grows with every answer that names the upload. */
  step: number
}

export interface Addresses {
  /** `https://name` of the registry. */
  readonly own: string
  /** Another server that a registry may point at. */
  readonly other: string
}

const OUTSIDE = /^\/artifacts-uploads\/namespaces\/.*\/uploads\/([^/]+)$/
const INNER = /^\/v2\/(.+)\/blobs\/uploads\/([^/]+)$/

/** Turns the addresses of uploads into those of a vendor, and back. */
export class UploadAddresses {
  readonly #switches: UploadSwitches
  readonly #addresses: () => Addresses
  readonly #uploads = new Map<string, KnownUpload>()

  constructor(switches: UploadSwitches, addresses: () => Addresses) {
    this.#switches = switches
    this.#addresses = addresses
  }

  /**
   * Finds the upload that a call is about, and gives the call the path that the registry behind knows.
   * @returns `stale` when the call names an outdated state
   */
  open(call: Call): KnownUpload | 'stale' | undefined {
    const outside = OUTSIDE.exec(call.path)?.[1]
    const id = outside?.split('.')[0] ?? INNER.exec(call.path)?.[2]
    const upload = id === undefined ? undefined : this.#uploads.get(id)
    if (upload === undefined) {
      const isBare = id !== undefined && this.#hasState && !call.query.has('_state')
      return isBare && (this.#switches.staleState ?? 404) === 404 ? 'stale' : undefined
    }
    const state = outside ?? call.query.get('_state') ?? ''
    const isNewest = !this.#hasState || Number(state.split('.')[1]) === upload.step
    call.path = `/v2/${upload.repository}/blobs/uploads/${upload.id}`
    call.query.delete('_state')
    call.query.delete('_nouploadcache')
    return isNewest ? upload : 'stale'
  }

  /** The next address of an upload, from the one that the registry behind has given. */
  next(innerLocation: string): string {
    const [, repository = '', id = ''] = INNER.exec(innerLocation) ?? []
    const upload = this.#uploads.get(id) ?? { repository, id, step: 0 }
    this.#uploads.set(id, upload)
    upload.step++
    const token = `${id}.${upload.step}.${'x'.repeat(this.#switches.locationLength ?? 0)}`
    return this.#absolute(`${this.#path(upload, token)}${this.#query(token)}`)
  }

  forget({ id }: KnownUpload): void {
    this.#uploads.delete(id)
  }

  get #hasState(): boolean {
    const { location, locationQuery = 'none' } = this.#switches
    return location === 'outsideV2' || locationQuery !== 'none'
  }

  #path({ repository, id }: KnownUpload, token: string): string {
    if (this.#switches.location === 'pathless') return id
    if (this.#switches.location !== 'outsideV2') return `/v2/${repository}/blobs/uploads/${id}`
    const [project, ...rest] = repository.split('/')
    return `/artifacts-uploads/namespaces/${project ?? ''}/repositories/${rest.join('/')}/uploads/${token}`
  }

  #query(token: string): string {
    switch (this.#switches.locationQuery ?? 'none') {
      case 'none':
        return ''
      case 'state':
        return `?_state=${token}`
      case 'cache-and-state':
        return `?_nouploadcache=false&_state=${token}`
    }
  }

  #absolute(path: string): string {
    const { location, locationHost, locationScheme, dropPort } = this.#switches
    if (locationHost !== undefined) {
      return `${locationHost === 'other' ? this.#addresses().other : 'http://10.0.0.1'}${path}`
    }
    const isAbsolute =
      location === 'absolute' || location === 'outsideV2' || locationScheme !== undefined || dropPort === true
    if (!isAbsolute) return path
    const own = new URL(this.#addresses().own)
    if (dropPort === true) own.port = ''
    if (locationScheme !== undefined) own.protocol = `${locationScheme}:`
    return `${own.origin}${path}`
  }
}

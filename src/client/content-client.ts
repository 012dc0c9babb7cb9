import type { ErasedCredential, StoredCredential } from '../credentials/credential-store.js'
import type { PlatformOptions } from '../graph/select-platform.js'
import type { Descriptor } from '../oci/descriptor.js'
import type { ManifestContent } from '../oci/manifest.js'
import type { CallOptions, TagListOptions } from '../store/store.js'
import type { Bytes } from '../util/bytes.js'
import type { Credential } from '../registry/auth/credential.js'
import { checkArgument, checkOptions, type Kinds } from './check-arguments.js'
import { OPTION_KINDS } from './option-kinds.js'
import type { LoginOptions, LogoutOptions } from './login.js'
import type { SinkReference, SourceReference } from './open-target.js'
import { Opener } from './opener.js'
import type { PushBlobOptions, PushedResult, PushManifestOptions } from './push-content.js'
import type { RemoveOptions, RemoveResult } from './remove.js'
import type { PushedContent } from './spool-content.js'
import { withDigest, withReference } from './target.js'

export interface TagOptions {
  /** Called with the manifest that gets the tags, before it gets them. */
  readonly onFound?: (descriptor: Descriptor) => void
  /** Called after each tag. */
  readonly onTagged?: (tag: string) => void
  readonly signal?: AbortSignal
}

const TAG_OPTIONS: Kinds<TagOptions> = { ...OPTION_KINDS.call, onFound: 'function', onTagged: 'function' }

/** A blob that can be read once. */
export interface OpenedBlob {
  readonly descriptor: Descriptor
  readonly content: Bytes
}

/** The verbs for single manifests, blobs, tags and logins. */
export class ContentClient extends Opener {
  /**
   * Reads a manifest, with the bytes as they are stored.
   * @example
   * const { descriptor, bytes } = await client.fetchManifest('localhost:5000/hello:v1')
   */
  async fetchManifest(reference: SourceReference, options: PlatformOptions = {}): Promise<ManifestContent> {
    checkOptions('fetchManifest', options, OPTION_KINDS.platform)
    const { readPlatformManifest } = await import('../graph/select-platform.js')
    const target = withReference(await this.open(reference))
    return readPlatformManifest(await this.withCache(target.store), target.reference, options)
  }

  /**
   * Opens a blob; what is yielded is checked, and an error at the end says that the bytes were wrong.
   * @param reference with a digest
   * @example
   * for await (const chunk of (await client.fetchBlob(`localhost:5000/hello@${digest}`)).content) console.log(chunk.length)
   */
  async fetchBlob(reference: SourceReference, options: CallOptions = {}): Promise<OpenedBlob> {
    checkOptions('fetchBlob', options, OPTION_KINDS.call)
    const { signal } = options
    const { verifyContent } = await import('../store/verify.js')
    const { store, digest } = withDigest(await this.open(reference))
    const descriptor = await store.resolveBlob(digest, { signal })
    const cached = await this.withCache(store)
    return { descriptor, content: verifyContent(descriptor, cached.fetch(descriptor, { signal })) }
  }

  /**
   * Pushes a manifest that was made elsewhere, byte for byte. What it names has to be at the destination.
   * @param content path of a file, bytes, or a stream
   * @throws GantryError `digest-mismatch` when `to` names another digest; `invalid-content` for what is no manifest
   * @example
   * await client.pushManifest('localhost:5000/hello:v1', 'manifest.json')
   */
  async pushManifest(
    to: SinkReference,
    content: PushedContent,
    options: PushManifestOptions = {},
  ): Promise<PushedResult> {
    checkOptions('pushManifest', options, OPTION_KINDS.pushManifest)
    const { pushManifest } = await import('./push-content.js')
    return pushManifest(this, to, content, options)
  }

  /**
   * Pushes a blob.
   * @param to a repository or a layout; with a digest the content has to have it
   * @param content path of a file, bytes, or a stream
   * @throws GantryError `digest-mismatch`; `invalid-argument` for another size than wanted; `file-error`
   * @example
   * const { descriptor } = await client.pushBlob('localhost:5000/hello', Buffer.from('hi'))
   */
  async pushBlob(to: SinkReference, content: PushedContent, options: PushBlobOptions = {}): Promise<PushedResult> {
    checkOptions('pushBlob', options, OPTION_KINDS.pushBlob)
    const { pushBlob } = await import('./push-content.js')
    return pushBlob(this, to, content, options)
  }

  /**
   * Deletes a manifest with the tags that point at it, or a blob.
   * @throws GantryError `not-found`; `unsupported` where the registry deletes nothing
   * @example
   * await client.remove('localhost:5000/hello:v1', { referrers: true })
   */
  async remove(reference: SinkReference, options: RemoveOptions = {}): Promise<RemoveResult> {
    checkOptions('remove', options, OPTION_KINDS.remove)
    const { remove } = await import('./remove.js')
    return remove(this, reference, options)
  }

  /**
   * Points further tags at a manifest.
   * @example
   * await client.tag('localhost:5000/hello:v1', ['latest', 'stable'])
   */
  async tag(reference: SinkReference, tags: readonly string[], options: TagOptions = {}): Promise<Descriptor> {
    checkOptions('tag', options, TAG_OPTIONS)
    checkArgument('what is tagged with', 'texts', tags)
    const { onFound, onTagged, signal } = options
    const target = withReference(await this.openSink(reference))
    const { descriptor } = await target.store.readManifest(target.reference, { signal })
    onFound?.(descriptor)
    for (const tag of tags) {
      await target.store.tag(descriptor, tag, { signal })
      onTagged?.(tag)
    }
    return descriptor
  }

  /**
   * Lists the tags of a repository or a layout, page by page as they are asked for.
   * @example
   * for await (const tag of client.tags('localhost:5000/hello')) console.log(tag)
   */
  async *tags(repository: SourceReference, options: TagListOptions = {}): AsyncGenerator<string, void, undefined> {
    checkOptions('tags', options, OPTION_KINDS.tagList)
    yield* (await this.open(repository)).store.tags(options)
  }

  /**
   * Lists the repositories of a registry, as far as it shows them.
   * @example
   * for await (const name of client.repositories('localhost:5000')) console.log(name)
   */
  async *repositories(registry: string, options: TagListOptions = {}): AsyncGenerator<string, void, undefined> {
    checkOptions('repositories', options, OPTION_KINDS.tagList)
    const { Registry } = await import('../registry/registry.js')
    yield* new Registry(await this.transport(registry)).catalog(options)
  }

  /**
   * Tries a credential at a registry, and stores it where Docker would, so that docker, podman and oras find it too.
   * @param registry `host[:port]`
   * @throws GantryError `unauthorized`; `credential-store-error` or `file-error` when it cannot be stored
   * @example
   * await client.login('localhost:5000', { type: 'basic', username: 'me', password: 'secret' })
   */
  async login(registry: string, credential: Credential, options: LoginOptions = {}): Promise<StoredCredential> {
    checkOptions('login', options, OPTION_KINDS.login)
    const { login } = await import('./login.js')
    return login(this, registry, credential, options)
  }

  /**
   * Forgets the credential of a registry. It is no error when there is none.
   * @throws GantryError `credential-store-error`, `file-error`
   * @example
   * await client.logout('localhost:5000')
   */
  async logout(registry: string, options: LogoutOptions = {}): Promise<ErasedCredential> {
    checkOptions('logout', options, OPTION_KINDS.logout)
    const { logout } = await import('./login.js')
    return logout(this, registry, options)
  }
}

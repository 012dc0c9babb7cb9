import { generateKeyPairSync, type KeyPairKeyObjectResult } from 'node:crypto'
import { asManifest, descriptorOf, type Descriptor } from '../../src/oci/descriptor.js'
import { MediaType } from '../../src/oci/media-types.js'
import { packManifest } from '../../src/oci/pack.js'
import { describePublicKey } from '../../src/signature/public-key.js'
import { openPrivateKey, generateKeys, type PrivateKey } from '../../src/signature/private-key.js'
import { trustKey, type Trust } from '../../src/signature/trust.js'
import type { Store } from '../../src/store/store.js'
import { openBytes } from '../../src/util/bytes.js'

/** Somebody who signs, and the trust in them. */
export interface Person {
  readonly key: PrivateKey
  readonly trust: Trust
}

export async function person(name: string): Promise<Person> {
  const { privateKey } = await generateKeys('')
  const key = await openPrivateKey(privateKey, name, '')
  return { key, trust: trustKey({ ...key.publicKey, name }) }
}

/** An ECDSA pair, and the trust in it. */
export function pairOf(namedCurve = 'prime256v1'): KeyPairKeyObjectResult & { readonly trust: Trust } {
  const pair = generateKeyPairSync('ec', { namedCurve })
  return { ...pair, trust: trustKey(describePublicKey(pair.publicKey, 'pair')) }
}

/** Pushes bytes as a blob. */
export async function pushBlob(store: Store, mediaType: string, bytes: Uint8Array): Promise<Descriptor> {
  const descriptor = descriptorOf(mediaType, bytes)
  await store.push(descriptor, openBytes(bytes))
  return descriptor
}

/** Pushes a small artifact that can be signed. */
export async function pushSubject(store: Store, tag: string, text = tag): Promise<Descriptor> {
  const layer = await pushBlob(store, MediaType.octetStream, Buffer.from(text))
  return pushPacked(store, { artifactType: 'test/app', layers: [layer], tag })
}

/** Pushes a manifest with everything that it needs, as signers do. */
export async function pushPacked(
  store: Store,
  { tag, ...options }: Parameters<typeof packManifest>[0] & { readonly tag?: string },
): Promise<Descriptor> {
  const packed = packManifest(options)
  for (const { descriptor, bytes } of packed.blobs) await store.push(descriptor, openBytes(bytes))
  const descriptor = asManifest(packed.descriptor)
  await store.push(descriptor, openBytes(packed.bytes), { tag })
  return descriptor
}

import type { IndexEvent } from '../../artifact/edit-index.js'
import type { Descriptor } from '../../oci/descriptor.js'
import { isDigest } from '../../oci/digest.js'
import { openBytes } from '../../util/bytes.js'
import { parseJsonObject } from '../../util/json.js'
import type { CallBase } from '../command.js'
import type { Options } from '../options/option.js'
import { contentResultOf } from './content-result.js'
import { shortDigest } from './describe-content.js'
import { indentJson } from './indent-json.js'
import type { Printer } from './printer.js'
import { saveContent } from './save-content.js'

const WORDS: Readonly<Record<IndexEvent['type'], string>> = {
  fetching: 'Fetching ',
  fetched: 'Fetched  ',
  added: 'Added    ',
  merged: 'Merged   ',
  removed: 'Removed  ',
}

/** Tells what happens to an index, a line for each step; nothing where stdout is for the result. */
export class IndexReporter {
  readonly #print: Printer
  readonly #output: string | undefined
  readonly #isForMachine: boolean

  /** @param output where the index is written instead of being pushed; `-` for stdout */
  constructor({ print, isForMachine }: Pick<CallBase<Options>, 'print' | 'isForMachine'>, output: string | undefined) {
    this.#print = print
    this.#output = output
    this.#isForMachine = isForMachine
  }

  onEvent(event: IndexEvent): void {
    const { type } = event
    if (type === 'removed') this.#say(`${WORDS[type]} ${event.digest}`)
    else if (type === 'fetching') this.#say(`${WORDS[type]} ${event.reference}`)
    else this.#say(`${WORDS[type]} ${event.digest}${isDigest(event.reference) ? '' : ` ${event.reference}`}`)
  }

  packed(descriptor: Descriptor): void {
    this.#say(`Packed    ${shortDigest(descriptor)} ${descriptor.mediaType}`)
  }

  updated({ digest }: Descriptor): void {
    this.#say(`Updated   ${digest}`)
  }

  pushed(target: string, tags: readonly string[]): void {
    this.#say(`Pushed    ${target}`)
    for (const tag of tags) this.#say(`Tagged ${tag}`)
  }

  /** Writes the index where `--output` says; on stdout not where a program reads the result there. */
  async save(bytes: Uint8Array, isPretty: boolean): Promise<void> {
    if (this.#output === undefined) return
    const shown = isPretty ? new TextEncoder().encode(`${indentJson(bytes)}\n`) : bytes
    if (this.#output !== '-') await saveContent(this.#output, openBytes(shown)())
    else if (!this.#isForMachine) this.#print.bytes(shown)
  }

  #say(text: string): void {
    if (this.#output !== '-' && !this.#isForMachine) this.#print.status(text)
  }
}

/** An index as results show it. */
export function indexResultOf(
  path: string,
  {
    descriptor,
    bytes,
    tags,
  }: { readonly descriptor: Descriptor; readonly bytes: Uint8Array; readonly tags: readonly string[] },
): object {
  return {
    ...contentResultOf(path, descriptor),
    referenceAsTags: tags.map((tag) => `${path}:${tag}`),
    content: parseJsonObject(bytes, `index ${descriptor.digest}`),
  }
}

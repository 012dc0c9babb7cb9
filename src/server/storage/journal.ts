import { createReadStream } from 'node:fs'
import { open, truncate, type FileHandle } from 'node:fs/promises'
import { GantryError } from '../../errors.js'
import { withFileErrors } from '../../util/file-error.js'
import { parseJsonObject } from '../../util/json.js'
import { writeFileAtomically } from '../../util/temp-file.js'
import { encodeChange, parseChange } from './change-line.js'
import type { ChangeLog } from './indexed-storage.js'
import type { Change, RepositoryIndex } from './repository-index.js'

const FORMAT = { format: 'gantry-registry', version: 1 }

/** Steps that a journal may hold beyond twice those that are needed, before it is written anew. */
const SPARE_STEPS = 1000

/** One line of the journal: a step that was carried out. A step is done when its line is durable. */
export class Journal implements ChangeLog {
  readonly #path: string
  readonly #handle: FileHandle
  #waiting: { readonly line: string; readonly done: () => void; readonly failed: (error: unknown) => void }[] = []
  #writing: Promise<void> | undefined
  #failure: Error | undefined

  private constructor(path: string, handle: FileHandle) {
    this.#path = path
    this.#handle = handle
  }

  /** Writes the journal of an empty registry. @throws GantryError `file-error` */
  static async create(path: string): Promise<void> {
    await writeFileAtomically(path, Buffer.from(`${JSON.stringify(FORMAT)}\n`), { mode: 0o600 })
  }

  /**
   * Opens a journal and carries out its steps on `index`. A line that was being written when the process died is cut
   * off; the journal is written anew when most of its steps have been undone.
   * @throws GantryError `invalid-content` when a line cannot be understood; `file-error`
   */
  static async open(path: string, index: RepositoryIndex): Promise<Journal> {
    const { steps, end, size } = await replay(path, index)
    if (end < size) await withFileErrors('write', path, () => truncate(path, end))
    const needed = [...index.changes()].length
    if (steps > 2 * needed + SPARE_STEPS) {
      const lines = [`${JSON.stringify(FORMAT)}\n`]
      for (const change of index.changes()) lines.push(encodeChange(change))
      await writeFileAtomically(path, Buffer.from(lines.join('')), { mode: 0o600 })
    }
    return new Journal(path, await withFileErrors('write', path, () => open(path, 'a')))
  }

  /** Resolves when the step is durable; steps that come together share one write. */
  append(change: Change): Promise<void> {
    return new Promise((done, failed) => {
      this.#waiting.push({ line: encodeChange(change), done, failed })
      this.#writing ??= this.#write()
    })
  }

  async close(): Promise<void> {
    await this.#writing
    await this.#handle.close()
  }

  async #write(): Promise<void> {
    // Steps of the same moment go into the first write together.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const entries = this.#waiting
      this.#waiting = []
      try {
        // After a failure the file may end in half a line; nothing may follow it.
        if (this.#failure !== undefined) throw this.#failure
        await withFileErrors('write', this.#path, async () => {
          await this.#handle.appendFile(entries.map(({ line }) => line).join(''))
          await this.#handle.datasync()
        })
        for (const { done } of entries) done()
      } catch (error) {
        this.#failure = error instanceof Error ? error : new Error(String(error))
        for (const { failed } of entries) failed(error)
      }
    }
    this.#writing = undefined
  }
}

interface Replay {
  /** Steps carried out. */
  readonly steps: number
  /** Bytes of whole lines. */
  readonly end: number
  readonly size: number
}

async function replay(path: string, index: RepositoryIndex): Promise<Replay> {
  let rest: Uint8Array = new Uint8Array(0)
  let size = 0
  let lines = 0
  await withFileErrors('read', path, async () => {
    for await (const chunk of createReadStream(path) as AsyncIterable<Uint8Array>) {
      size += chunk.byteLength
      const text = rest.byteLength === 0 ? chunk : Buffer.concat([rest, chunk])
      let start = 0
      for (let end = text.indexOf(0x0a, start); end !== -1; end = text.indexOf(0x0a, start)) {
        readLine(text.subarray(start, end), { path, number: ++lines }, index)
        start = end + 1
      }
      rest = text.subarray(start)
    }
  })
  if (lines === 0) throw new GantryError('invalid-content', `${path} is not the journal of a registry`)
  return { steps: lines - 1, end: size - rest.byteLength, size }
}

function readLine(line: Uint8Array, { path, number }: { path: string; number: number }, index: RepositoryIndex): void {
  const where = `${path} line ${number}`
  const object = parseJsonObject(line, where)
  if (number > 1) {
    index.apply(parseChange(object, where))
    return
  }
  if (object.format !== FORMAT.format) {
    throw new GantryError('invalid-content', `${path} is not the journal of a registry`)
  }
  if (object.version !== FORMAT.version) {
    throw new GantryError('unsupported', `${path} was written by another version: ${String(object.version)}`)
  }
}

import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { withFileLock } from '../../src/util/file-lock.js'

/** Counts in a file that has no protection but the lock: `worker FOLDER NAME ROUNDS`; a round that counts is noted. */
const [, , folder = '', name = '', rounds = '0'] = process.argv
for (let round = 0; round < Number(rounds); round++) {
  await withFileLock(`${folder}/counter.lock`, async () => {
    const count = Number(readFileSync(`${folder}/counter`, 'utf8'))
    appendFileSync(`${folder}/entered`, `${name}\n`)
    await sleep(1)
    // A kill must not find the file empty, half way through.
    writeFileSync(`${folder}/counter-${name}`, String(count + 1))
    renameSync(`${folder}/counter-${name}`, `${folder}/counter`)
    appendFileSync(`${folder}/left`, `${name}\n`)
  })
}

import { expect, onTestFinished, test } from 'vitest'
import { Emulator } from './emulator.js'
import { AUTH_ROWS } from './rows/auth-rows.js'
import { CONTENT_ROWS } from './rows/content-rows.js'
import { LIMIT_ROWS } from './rows/limit-rows.js'
import { LIST_ROWS } from './rows/list-rows.js'
import { Wire } from './rows/row.js'
import { TOKEN_ROWS } from './rows/token-rows.js'
import { UPLOAD_ROWS } from './rows/upload-rows.js'

const ROWS = [...AUTH_ROWS, ...TOKEN_ROWS, ...UPLOAD_ROWS, ...CONTENT_ROWS, ...LIST_ROWS, ...LIMIT_ROWS]

/** Rows of the table that were put in between later. */
const BETWEEN = ['16b', '16c', '30b', '30c', '54b']

test.each(ROWS.map((row) => [row.row, row.name, row] as const))(
  'switch %s, %s, shows on the wire',
  async (_row, _name, { options, check }) => {
    const emulator = await Emulator.start(options)
    onTestFinished(() => emulator.close())
    await check(new Wire(emulator))
  },
)

test('every switch of the table has a test', () => {
  const numbers = Array.from({ length: 83 }, (_, index) => String(index + 1))
  const tested = new Set(ROWS.map(({ row }) => row))
  expect([...numbers, ...BETWEEN].filter((row) => !tested.has(row))).toEqual([])
})

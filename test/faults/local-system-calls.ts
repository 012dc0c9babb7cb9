/** Something that a program asks of the system, in the terms of Node: a function of `node:fs`, or a method of a file. */
export type SystemCall =
  'rename' | 'renameSync' | 'link' | 'open' | 'mkdir' | 'file.sync' | 'file.writev' | 'file.write'

/** A call that fails. */
export interface FailingCall {
  readonly call: SystemCall
  /** Calls that succeed before; default none. */
  readonly after?: number
  /** Calls that fail then; default all of them. */
  readonly times?: number
  readonly code: 'EIO' | 'ENOSPC' | 'EXDEV' | 'EACCES' | 'EROFS'
}

/** What has to be loaded into a program before it starts, so that a call fails; calls about other folders do not. */
export function failingCallScript({ call, after = 0, times = 1e9, code }: FailingCall, folder: string): string {
  return `
    const fs = require('node:fs')
    const { syncBuiltinESMExports } = require('node:module')
    const { constants } = require('node:os')
    let calls = 0
    const failure = (paths) => {
      if (!paths.some((path) => String(path).startsWith(${JSON.stringify(folder)}))) return undefined
      calls++
      if (calls <= ${after} || calls > ${after + times}) return undefined
      const errno = -constants.errno.${code}
      const [, text] = require('node:util').getSystemErrorMap().get(errno)
      const message = '${code}: ' + text
      return Object.assign(new Error(message), { code: '${code}', errno, syscall: '${call.replace(/^file\./, '')}' })
    }
    const path = require('node:path')
    const paths = new WeakMap()
    const { open } = fs.promises
    fs.promises.open = async (name, ...rest) => {
      const error = '${call}' === 'open' ? failure([path.resolve(name)]) : undefined
      if (error !== undefined) throw error
      const file = await open(name, ...rest)
      paths.set(file, path.resolve(String(name)))
      for (const method of ['sync', 'write', 'writev']) {
        if ('${call}' !== 'file.' + method) continue
        const original = file[method].bind(file)
        file[method] = async (...values) => {
          const error = failure([paths.get(file)])
          if (error !== undefined) throw error
          return original(...values)
        }
      }
      return file
    }
    for (const name of ['rename', 'link', 'mkdir']) {
      if ('${call}' !== name) continue
      const original = fs.promises[name]
      fs.promises[name] = async (...values) => {
        const error = failure(values.slice(0, 2).map((value) => path.resolve(String(value))))
        if (error !== undefined) throw error
        return original(...values)
      }
    }
    if ('${call}' === 'renameSync') {
      const { renameSync } = fs
      fs.renameSync = (...values) => {
        const error = failure(values.map((value) => path.resolve(String(value))))
        if (error !== undefined) throw error
        renameSync(...values)
      }
    }
    syncBuiltinESMExports()
  `
}

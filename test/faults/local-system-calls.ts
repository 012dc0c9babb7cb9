/** Something that a program asks of the system, in whichever of the ways that `node:fs` has for it. */
export type SystemCall = 'rename' | 'mkdir' | 'sync' | 'write'

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
    const path = require('node:path')
    const { getSystemErrorMap } = require('node:util')
    const fails = (call) => call === ${JSON.stringify(call)}

    let calls = 0
    const failure = (...paths) => {
      const isMeant = paths.some((name) => path.resolve(String(name)).startsWith(${JSON.stringify(folder)}))
      if (!isMeant || ++calls <= ${after} || calls > ${after + times}) return undefined
      const errno = -constants.errno.${code}
      const message = '${code}: ' + getSystemErrorMap().get(errno)[1]
      return Object.assign(new Error(message), { code: '${code}', errno, syscall: '${call}' })
    }
    const throwIf = (error) => {
      if (error !== undefined) throw error
    }
    const change = (holder, name, count) => {
      const original = holder[name]
      holder[name] = (...values) => {
        throwIf(failure(...values.slice(0, count)))
        return original(...values)
      }
    }
    const changeLater = (holder, name, count) => {
      const original = holder[name]
      holder[name] = async (...values) => {
        throwIf(failure(...values.slice(0, count)))
        return original(...values)
      }
    }
    if (fails('rename')) {
      changeLater(fs.promises, 'rename', 2)
      change(fs, 'renameSync', 2)
    }
    if (fails('mkdir')) {
      changeLater(fs.promises, 'mkdir', 1)
      changeLater(fs.promises, 'mkdtemp', 1)
      change(fs, 'mkdirSync', 1)
    }

    const { open } = fs.promises
    fs.promises.open = async (name, ...rest) => {
      const file = await open(name, ...rest)
      for (const method of fails('sync') ? ['sync', 'datasync'] : fails('write') ? ['write', 'writev', 'writeFile'] : []) {
        const original = file[method].bind(file)
        file[method] = async (...values) => {
          throwIf(failure(name))
          return original(...values)
        }
      }
      return file
    }
    const names = new Map()
    const { openSync, fsync, fsyncSync, writeSync } = fs
    fs.openSync = (name, ...rest) => {
      const file = openSync(name, ...rest)
      names.set(file, name)
      return file
    }
    if (fails('sync')) {
      fs.fsync = (file, done) => {
        const error = failure(names.get(file))
        if (error === undefined) fsync(file, done)
        else process.nextTick(done, error)
      }
      fs.fsyncSync = (file) => {
        throwIf(failure(names.get(file)))
        fsyncSync(file)
      }
    }
    if (fails('write')) {
      fs.writeSync = (file, ...values) => {
        throwIf(failure(names.get(file)))
        return writeSync(file, ...values)
      }
    }
    syncBuiltinESMExports()
  `
}

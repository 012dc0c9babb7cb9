import { homedir, userInfo } from 'node:os'

/**
 * The home folder of this process's user: HOME, where it is set to something, else what the system has on record.
 * @returns undefined where there is none, as in a container whose user id has no entry in the user database
 */
export function ownHomeFolder(): string | undefined {
  // An empty HOME would put files, passwords among them, below the current folder.
  return folderFrom(homedir) ?? folderFrom(() => userInfo().homedir)
}

function folderFrom(ask: () => string): string | undefined {
  try {
    const folder = ask()
    return folder === '' ? undefined : folder
  } catch {
    // The user database has no entry, which both report as a failed system call.
    return undefined
  }
}

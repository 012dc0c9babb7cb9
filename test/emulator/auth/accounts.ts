import type { Authorization } from '../../../src/server/auth/authorization-header.js'
import type { Account } from './auth-switches.js'

/** Finds out whose user and password these are. */
export function findAccount(accounts: readonly Account[], authorization: Authorization): Account | undefined {
  if (authorization.scheme !== 'basic') return undefined
  const { username, password } = authorization
  return accounts.find((account) => {
    const isName = account.anyName === true || account.username === username
    return isName && (password === account.password || password === account.refreshToken)
  })
}

/** Whether an account may do something to a repository or the catalog. */
export function mayDo(account: Account, action: string): boolean {
  return account.actions?.includes(action) ?? true
}

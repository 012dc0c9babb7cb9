/** Somebody whom the emulated registry knows. */
export interface Account {
  readonly username: string
  readonly password: string
  /** Default: everything. */
  readonly actions?: readonly string[]
  /** Takes the place of the password in OAuth2 forms, and of the password beside any user where the vendor does that. */
  readonly refreshToken?: string
  /** Any user name will do: the secret alone counts. */
  readonly anyName?: boolean
}

/** How the registry asks who is there. The numbers are those of the switches that the profiles name. */
export interface AuthSwitches {
  /** Default `none`: everything is allowed to everyone. `basic` has no token endpoint (19). */
  readonly type?: 'none' | 'basic' | 'bearer'
  readonly accounts?: readonly Account[]
  /** What is allowed without logging in; default nothing. */
  readonly anonymousActions?: readonly string[]
  /** 1, 2: `bearer realm=x` without quotes, or `BASIC realm="x"`. */
  readonly challengeStyle?: 'standard' | 'lower-unquoted' | 'upper'
  /** 3: Bearer and Basic side by side, in two headers or in one. */
  readonly multiChallenge?: 'headers' | 'joined'
  /** 4 */
  readonly omitService?: boolean
  /** 4: never a scope, or none on HEAD and `/v2/`. */
  readonly omitScope?: boolean | 'on-head-and-ping'
  /** 5: empty or a star instead of what is needed, or another repository's on `/v2/`. */
  readonly scopeValue?: '' | '*' | 'placeholder'
  /** 6: a challenge on `/v2/` alone. */
  readonly noChallengeOnRequest?: boolean
  /** 7: the parameters of the Basic challenge that answers a token without rights, such as `realm="harbor"`. */
  readonly basicAfterBearer?: string
  /** 8: what anybody may pull needs a token all the same, and an empty password is refused. */
  readonly anonymousTokenRequired?: boolean
  /** 15: the action that permits DELETE; default `delete`. */
  readonly deleteScope?: 'delete' | '*' | 'push'
  /** Who is known may list repositories: the token need not say so. */
  readonly catalogScope?: boolean
  /** 16 */
  readonly firstScopeOnly?: boolean
  /** 16b: another order of scopes and actions in each challenge. */
  readonly scopeOrder?: 'sorted' | 'random'
  /** 16c: tokens promise what the user may not do; the upload POST answers with this status. */
  readonly tokenWithoutRight?: 401 | 403
  /** 17: the first token of each repository has to cover more than the request is about. */
  readonly insufficientScopeOnce?: boolean
  /** 18: 400 and the code DENIED for an expired token. */
  readonly expiredStatus?: 400 | 401
  /** 19, and what Basic challenges carry besides: realm and service. */
  readonly basicRealm?: string
  readonly basicService?: string
  /** 20 */
  readonly realm?: 'own' | 'otherHost' | 'relative' | 'withQuery' | 'private' | 'http'
  /** Path of the token endpoint; default `/token`. */
  readonly realmPath?: string
  /** 21: 401, whatever is sent. */
  readonly loop?: boolean
  /** 83: milliseconds before the answer to a failed login. */
  readonly failDelay?: number
  /** Default: the registry's name. */
  readonly service?: string
  /** Basic works beside tokens, as well as the token that is a password (OpenShift). */
  readonly acceptsBasic?: boolean
  /** `detail` of errors; none by default. */
  readonly errorDetail?: 'array' | 'none'
}

/** How tokens are handed out. */
export interface TokenSwitches {
  /** 9: which member holds the token. */
  readonly field?: 'both' | 'token' | 'access_token' | 'emptyAccessToken'
  /** 10 */
  readonly omitExpiresIn?: boolean
  readonly issuedAt?: 'now' | 'missing' | 'zero' | 'future'
  /** 11: after so many seconds of virtual time, or so many requests; default 300 seconds. */
  readonly ttl?: { readonly seconds?: number; readonly requests?: number }
  /** 12: what a POST gets. */
  readonly post?: 'ok' | 404 | 405
  /** 13: no password in forms; the refresh token of a user is exchanged at `/oauth2/exchange`. */
  readonly refreshOnly?: boolean
  /** 14: actions that make the whole request 400 INVALID_REQUEST; `catalog` stands for its scope. */
  readonly rejectActions?: readonly string[]
  /** 22 */
  readonly errorBody?: 'standard' | 'details' | 'text' | 'empty' | 'html'
  /** The token is the password itself. */
  readonly passwordIsToken?: boolean
  /** Least number of characters of a token. */
  readonly length?: number
}

/** How tags are listed. */
export interface TagListSwitches {
  /** 59: form of the Link to the next page; default `relative`. */
  readonly link?: 'relative' | 'absolute' | 'otherOrigin' | 'wrongPrefix' | 'none' | 'unquotedRel'
  /** 59: a page as long as it was asked for has a Link, also where nothing follows. */
  readonly linkWhenFull?: boolean
  /** What else a Link holds, such as `orderby=`. */
  readonly linkExtra?: string
  /** 60: all at once and unsorted, whatever `n` and `last` say. */
  readonly ignoreN?: boolean
  /** 61: the most that a page has: more is 405, or quietly less. */
  readonly maxN?: { readonly count: number; readonly above: 405 | 'capped' }
  /** Tags of a page that asks for no number. */
  readonly defaultN?: number
  /** 62: the next page by an opaque name; `last` means nothing. */
  readonly cursor?: 'last' | 'opaque'
  /** 63: what an unknown `last` gets. */
  readonly unknownLast?: 'ok' | 404 | 400
  /** 64 */
  readonly null?: boolean
  readonly extraMembers?: boolean
  /** 65 */
  readonly linkLoop?: boolean
}

/** 66: who may list repositories. */
export type CatalogSwitch = 'ok' | 401 | 404 | 'adminOnly'

/** What may be deleted. */
export interface DeleteSwitches {
  /** 67 */
  readonly manifest?: {
    readonly tag?: 202 | 400 | 405 | 'digest-invalid'
    readonly digest?: 202 | 405 | 404
  }
  /** 68: a digest that a tag points at (400), or more than one (409). */
  readonly danglingTag?: 400 | 409
  /** 69 */
  readonly blob?: 202 | 405
}

/** How referrers are listed. */
export interface ReferrersSwitches {
  /** 70; default `ok`. */
  readonly api?: 'ok' | 404 | '404text' | 400 | 406 | '200html'
  /** 71; default `empty`. */
  readonly missingSubject?: 'empty' | 400
  /** 72: `OCI-Subject` in the answer to a push: as it is, never, or although there is no API. */
  readonly ociSubject?: 'honest' | 'absent' | 'lying'
  /** 73; default `applied`. */
  readonly filters?: 'applied' | 'notApplied' | 'headerOnly'
  readonly page?: number
  /** 74 */
  readonly tagResolvesToSubject?: boolean
}

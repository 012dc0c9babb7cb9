import { GantryError } from '../errors.js'

/** One entry of a Link header. */
export interface Link {
  readonly target: string
  /** Relation types in lower case; empty when there is no `rel`. */
  readonly relations: readonly string[]
}

/** How an address without brackets begins, and how much of it shows that. */
const BARE_ADDRESS = /^(?:https?:\/)?\//i
const BARE_ADDRESS_START = 8

/**
 * Parses a Link header (RFC 8288, section 3) in one pass. Values may be quoted or bare, and so may addresses, which some
 * registries send without their brackets.
 * @throws GantryError `invalid-content` when it is malformed
 */
export function parseLinks(header: string): readonly Link[] {
  const links: Link[] = []
  let index = skip(header, 0, ' \t,')
  while (index < header.length) {
    const { target, end } = parseTarget(header, index)
    const parameters = parseParameters(header, end)
    links.push({ target, relations: parameters.relations })
    index = skip(header, parameters.end, ' \t,')
  }
  return links
}

/** The target of the entry that leads to the next page; an entry without any relation counts, as registries send it. */
export function nextTarget(header: string | undefined): string | undefined {
  if (header === undefined || header.trim() === '') return undefined
  const links = parseLinks(header)
  return (
    links.find(({ relations }) => relations.includes('next'))?.target ??
    links.find(({ relations }) => relations.length === 0)?.target
  )
}

function parseTarget(header: string, start: number): { target: string; end: number } {
  if (header[start] === '<') {
    const end = header.indexOf('>', start)
    if (end === -1) throw malformed()
    return { target: header.slice(start + 1, end), end: end + 1 }
  }
  if (!BARE_ADDRESS.test(header.slice(start, start + BARE_ADDRESS_START))) throw malformed()
  let end = start
  while (end < header.length && !' \t;,<>"'.includes(header[end] ?? '')) end++
  return { target: header.slice(start, end), end }
}

function parseParameters(header: string, start: number): { relations: readonly string[]; end: number } {
  let relations: readonly string[] = []
  let index = skip(header, start, ' \t')
  while (header[index] === ';') {
    index = skip(header, index + 1, ' \t')
    const nameEnd = endOfToken(header, index)
    const name = header.slice(index, nameEnd).toLowerCase()
    index = skip(header, nameEnd, ' \t')
    if (header[index] !== '=') continue
    const value = parseValue(header, skip(header, index + 1, ' \t'))
    index = skip(header, value.end, ' \t')
    if (name === 'rel' && relations.length === 0) relations = value.text.toLowerCase().split(' ').filter(Boolean)
  }
  if (index < header.length && header[index] !== ',') throw malformed()
  return { relations, end: index }
}

function parseValue(header: string, start: number): { text: string; end: number } {
  if (header[start] !== '"') {
    const end = endOfToken(header, start)
    return { text: header.slice(start, end), end }
  }
  const characters: string[] = []
  let index = start + 1
  while (index < header.length && header[index] !== '"') {
    if (header[index] === '\\') index++
    characters.push(header[index] ?? '')
    index++
  }
  if (index >= header.length) throw malformed()
  return { text: characters.join(''), end: index + 1 }
}

function endOfToken(header: string, start: number): number {
  let index = start
  while (index < header.length && !' \t;,="'.includes(header[index] ?? '')) index++
  return index
}

function skip(header: string, start: number, characters: string): number {
  let index = start
  while (index < header.length && characters.includes(header[index] ?? '')) index++
  return index
}

function malformed(): GantryError {
  return new GantryError('invalid-content', 'the registry sent a malformed Link header')
}

import { lstat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { GantryError, isGantryError } from '../../errors.js'
import { Annotation, formatTimestamp } from '../../oci/annotations.js'
import type { Annotations } from '../../oci/descriptor.js'
import { isJsonObject, parseJsonObject } from '../../util/json.js'
import type { Context } from '../context.js'
import type { TransferReporter } from '../output/transfer-reporter.js'
import { warnOfUnportableNames } from '../output/unportable-warning.js'
import { UsageError } from '../usage-error.js'
import { flag, list, text, type OptionValues } from './option.js'
import { readTextFile } from './text-file.js'

/** The flags of commands that pack files into a manifest. */
export const packerOptions = {
  annotation: list('-a, --annotation <key=value>', 'annotation of the manifest'),
  annotationFile: text('--annotation-file <file>', 'JSON file with annotations for $manifest, $config and each file'),
  exportManifest: text('--export-manifest <file>', 'write the pushed manifest to a file'),
  disablePathValidation: flag('--disable-path-validation', 'allow absolute paths of files'),
}

export type PackerValues = OptionValues<typeof packerOptions>

/** Annotations for the manifest, its config and its files. */
export interface PackAnnotations {
  readonly manifest: Annotations
  readonly config?: Annotations
  /** By the path of the file as typed, without its media type. */
  readonly ofFile: (path: string) => Annotations | undefined
}

/**
 * Reads the annotations. The manifest gets the time of its creation unless one is given: SOURCE_DATE_EPOCH
 * (reproducible-builds.org) where the environment has it, else now.
 */
export async function readAnnotations(
  values: Pick<PackerValues, 'annotation' | 'annotationFile'>,
  context: Context,
): Promise<PackAnnotations> {
  const { annotation, annotationFile } = values
  if (annotation.length > 0 && annotationFile !== undefined) {
    throw new UsageError('`--annotation` and `--annotation-file` cannot be both specified')
  }
  const file = annotationFile === undefined ? {} : await readAnnotationFile(annotationFile)
  const manifest = file.$manifest ?? parseAnnotationFlags(annotation)
  return {
    manifest: { [Annotation.created]: createdAt(context.environment), ...manifest },
    config: file.$config,
    ofFile: (path) => file[path],
  }
}

/** What packing reports to, of the call of a command. */
interface PackingCall {
  readonly context: Context
  readonly report: TransferReporter
  readonly isQuiet: boolean
  readonly signal: AbortSignal
}

/** Files with their annotations, and the options that every command passes on which packs files. */
export async function readPacking(
  texts: readonly string[],
  options: Pick<PackerValues, 'annotation' | 'annotationFile'> & { readonly concurrency: number | undefined },
  { context, report, isQuiet, signal }: PackingCall,
) {
  const annotations = await readAnnotations(options, context)
  const files = await Promise.all(texts.map((text) => readFileArgument(text)))
  return {
    files: files.map((file) => ({ ...file, annotations: annotations.ofFile(file.path) })),
    packing: {
      annotations: annotations.manifest,
      configAnnotations: annotations.config,
      concurrency: options.concurrency,
      onEvent: report.onEvent,
      onFile: (path: string) => report.preparing(path),
      onUnportableNames: warnOfUnportableNames(context, { quiet: isQuiet }),
      signal,
    },
  }
}

/** Whether annotations were asked for at all. */
export function hasAnnotations({
  annotation,
  annotationFile,
}: Pick<PackerValues, 'annotation' | 'annotationFile'>): boolean {
  return annotation.length > 0 || annotationFile !== undefined
}

/**
 * Reads `key=value` of every `--annotation`.
 * @throws UsageError without `=`, and for a key that is given twice
 */
export function parseAnnotationFlags(flags: readonly string[]): Annotations {
  const annotations = Object.create(null) as Record<string, string>
  for (const flag of flags) {
    const equals = flag.indexOf('=')
    if (equals === -1) {
      throw new UsageError("annotation value doesn't match the required format", {
        hint: 'Please use the correct format in the flag: --annotation "key=value"',
      })
    }
    const key = flag.slice(0, equals)
    if (key in annotations) throw new UsageError(`duplicate annotation key: ${key}, `)
    annotations[key] = flag.slice(equals + 1)
  }
  return annotations
}

async function readAnnotationFile(path: string): Promise<Record<string, Annotations>> {
  const document = await readJsonFile(path)
  const result = Object.create(null) as Record<string, Annotations>
  for (const [name, value] of Object.entries(document)) {
    if (!isJsonObject(value) || !Object.values(value).every((text) => typeof text === 'string')) {
      throw badAnnotationFile(path, `"${name}" is no object of strings`)
    }
    result[name] = value as Annotations
  }
  return result
}

async function readJsonFile(path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return parseJsonObject(new TextEncoder().encode(await readTextFile(path)), path)
  } catch (error) {
    if (isGantryError(error)) throw badAnnotationFile(path, error.message)
    throw error
  }
}

function badAnnotationFile(path: string, reason: string): UsageError {
  return new UsageError(`invalid annotation json file: failed to load annotations from ${path}`, {
    hint: `${reason}. The file holds one object for $manifest, $config or a file, each with strings as values.`,
  })
}

/** When something is made, RFC 3339: SOURCE_DATE_EPOCH where the environment has it, else now. @throws UsageError */
export function createdAt(environment: Context['environment']): string {
  const epoch = environment.SOURCE_DATE_EPOCH
  if (epoch === undefined || epoch === '') return formatTimestamp(new Date())
  if (!/^\d{1,12}$/.test(epoch)) throw new UsageError(`SOURCE_DATE_EPOCH "${epoch}" is not a number of seconds`)
  return formatTimestamp(new Date(Number(epoch) * 1000))
}

/** A file on the command line: its path, and the media type behind the last colon. */
export interface FileArgument {
  readonly path: string
  readonly mediaType?: string
}

/** Parses `<file>[:<type>]`; a name with a colon of its own takes one more at its end. */
export function parseFileArgument(text: string): FileArgument {
  if (text === '') throw new UsageError('found empty file path in ""')
  const colon = text.lastIndexOf(':')
  const isDrive = colon === 1 && /^[A-Za-z]:[\\/]/.test(text)
  if (colon === -1 || isDrive) return { path: text }
  const path = text.slice(0, colon)
  const mediaType = text.slice(colon + 1)
  if (path === '') throw new UsageError(`found empty file path in "${text}"`)
  return { path, mediaType: mediaType === '' ? undefined : mediaType }
}

/**
 * Parses `<file>[:<type>]`, and looks whether the colon belongs to the name of a file.
 * @throws GantryError `file-error` when no file has the name in front of the colon, but one has the whole text as its name
 */
export async function readFileArgument(text: string): Promise<FileArgument> {
  const file = parseFileArgument(text)
  if (file.path === text || (await isThere(file.path)) || !(await isThere(text))) return file
  throw new GantryError('file-error', `stat ${resolve(file.path)}: no such file or directory`, {
    hint: `"${text}" was read as the file "${file.path}" with the media type "${file.mediaType ?? ''}". If "${text}" is the file, write "${text}:" or "${text}:<type>".`,
  })
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch {
    // Why a file cannot be read is said when it is read.
    return false
  }
}

/**
 * Checks files and annotations as typed, before the flags that say how a registry is reached.
 * @throws UsageError
 */
export function checkPackerFlags(
  files: readonly FileArgument[],
  { annotation, annotationFile, disablePathValidation }: Omit<PackerValues, 'exportManifest'>,
): void {
  checkPaths(files, { disablePathValidation })
  if (annotation.length > 0 && annotationFile !== undefined) {
    throw new UsageError('`--annotation` and `--annotation-file` cannot be both specified')
  }
  parseAnnotationFlags(annotation)
}

/** Refuses absolute paths, which would become names that nobody else can pull. */
function checkPaths(
  files: readonly FileArgument[],
  { disablePathValidation }: Pick<PackerValues, 'disablePathValidation'>,
): void {
  if (disablePathValidation) return
  const absolute = files.map(({ path }) => path).filter((path) => path.startsWith('/') || /^[A-Za-z]:[\\/]/.test(path))
  if (absolute.length === 0) return
  throw new UsageError(
    `absolute file path detected. If it's intentional, use --disable-path-validation flag to skip this check: ${absolute.join(', ')}`,
  )
}

import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A folder of PATH with credential helpers that are shell scripts. */
export class FakeHelpers {
  readonly folder: string
  readonly environment: Readonly<Record<string, string>>

  constructor(folder: string) {
    this.folder = join(folder, 'bin')
    mkdirSync(this.folder, { recursive: true })
    this.environment = { PATH: `${this.folder}:/usr/bin:/bin`, HELPER_STATE: folder }
  }

  /** A helper whose script is given; `$1` is the action, standard input the request. */
  add(name: string, script: string): void {
    const path = join(this.folder, `docker-credential-${name}`)
    writeFileSync(path, `#!/bin/sh\n${script}\n`)
    chmodSync(path, 0o755)
  }

  /** A helper that keeps one file for each server, and notes each call in `<name>.calls`. */
  addWorking(name: string): void {
    this.add(
      name,
      [
        'input=$(cat)',
        `printf '%s %s\\n' "$1" "$input" >> "$HELPER_STATE/${name}.calls"`,
        'key() { printf %s "$1" | tr "/:" "__"; }',
        'case $1 in',
        'store)',
        `  server=$(printf %s "$input" | sed 's/^{"ServerURL":"\\([^"]*\\)".*/\\1/')`,
        `  printf %s "$input" > "$HELPER_STATE/${name}.$(key "$server")" ;;`,
        `get) cat "$HELPER_STATE/${name}.$(key "$input")" 2>/dev/null || { echo "credentials not found in native keychain"; exit 1; } ;;`,
        `erase) rm "$HELPER_STATE/${name}.$(key "$input")" 2>/dev/null || { echo "credentials not found in native keychain"; exit 1; } ;;`,
        'esac',
      ].join('\n'),
    )
  }

  /** What a working helper was asked, one line a call. */
  callsOf(name: string): string[] {
    try {
      return readFileSync(join(this.environment.HELPER_STATE ?? '', `${name}.calls`), 'utf8')
        .trimEnd()
        .split('\n')
    } catch {
      // Never called.
      return []
    }
  }
}

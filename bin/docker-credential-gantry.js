#!/usr/bin/env node
import { createRequire } from 'node:module'
import { runCredentialHelper } from '../dist/cli.js'

const { version } = createRequire(import.meta.url)('../package.json')
const { output, exitCode } = await runCredentialHelper(process.argv.slice(2), process.stdin, { version })
process.exitCode = exitCode
process.stdout.write(output)

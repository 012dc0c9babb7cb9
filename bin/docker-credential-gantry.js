#!/usr/bin/env node
'use strict'

const { runCredentialHelper } = require('../dist/cli.cjs')
const { version } = require('../package.json')

void runCredentialHelper(process.argv.slice(2), process.stdin, { version }).then(({ output, exitCode }) => {
  process.exitCode = exitCode
  process.stdout.write(output)
})

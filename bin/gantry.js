#!/usr/bin/env node
'use strict'

const { runProcess } = require('../dist/cli.cjs')

void runProcess().then((exitCode) => {
  process.exitCode = exitCode
})

#!/usr/bin/env node
import module from 'node:module'

// Where Node.js has it (22.8 and newer), compiled code is kept between runs.
module.enableCompileCache?.()

const { runProcess } = await import('../dist/cli.js')
process.exitCode = await runProcess()

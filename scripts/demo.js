// Shows the main job on two registries of our own: an artifact with its signatures and its list of parts is pushed,
// looked at, promoted as a whole, pulled, compared and deleted. Every command is printed as a person would type it.
// Ends with 1 as soon as anything is not as it should be.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { createInterface } from 'node:readline'

const program = join(import.meta.dirname, '../bin/gantry.js')
const started = performance.now()
const folder = await mkdtemp(join(tmpdir(), 'gantry-demo-'))
const environment = { ...process.env, HOME: folder, DOCKER_CONFIG: join(folder, '.docker'), NO_COLOR: '1' }
const registries = []

try {
  await writeFiles()
  const [staging, production] = await Promise.all([serve(), serve()])
  say(`Two registries are up: ${staging} and ${production}.`)
  await show(`${staging}/demo/app:v1`, `${production}/demo/app:v1`)
  say(`Done in ${((performance.now() - started) / 1000).toFixed(1)} s.`)
} catch (error) {
  console.error(`\nThe demonstration failed: ${error.message}`)
  process.exitCode = 1
} finally {
  for (const registry of registries) registry.kill('SIGTERM')
  await rm(folder, { recursive: true, force: true })
}

async function show(app, promoted) {
  const repository = app.replace(/:v1$/, '')
  const promotedRepository = promoted.replace(/:v1$/, '')

  say('Push a file and a folder as one artifact.')
  await gantry('push', app, '--artifact-type', 'application/vnd.example.app', 'app.txt:text/plain', 'config')

  say('Attach a signature, a list of parts, and a signature of that list.')
  await gantry('attach', app, '--artifact-type', 'signature/example', 'app.sig:application/json')
  await gantry('attach', app, '--artifact-type', 'sbom/example', 'sbom.json:application/json')
  const found = JSON.parse(
    await gantry('discover', app, '--format', 'json', '--artifact-type', 'sbom/example', '--depth', '1'),
  )
  const sbom = `${repository}@${found.referrers[0].digest}`
  await gantry('attach', sbom, '--artifact-type', 'signature/example', 'sbom.sig:application/json')

  say('Look at the whole.')
  const before = await gantry('discover', app)

  say('Promote it, with everything that refers to it, to the other registry.')
  await gantry('copy', '-r', app, promoted)
  const after = await gantry('discover', promoted)
  assert.deepEqual(linesOf(after.replaceAll(promotedRepository, repository)), linesOf(before), 'the trees differ')
  assert.equal(digestsIn(after).length, 4, 'the tree has not got four manifests')

  say('Pull it from there, and compare.')
  await gantry('pull', promoted, '-o', 'pulled')
  assert.deepEqual(await contentOf('pulled'), await contentOf('.', ['app.txt', 'config']), 'the files differ')
  say('The files are the same.')

  say('Delete the graph: what refers to the artifact first, the artifact last.')
  await gantry('manifest', 'delete', '-r', '-f', promoted)
  await Promise.all(
    digestsIn(after).map(async (digest) => {
      const { exitCode } = await run(['manifest', 'fetch', `${promotedRepository}@${digest}`])
      assert.equal(exitCode, 6, `${digest} is still there`)
    }),
  )
  say('Nothing of it is left. The first registry still has it all:')
  assert.equal(await gantry('discover', app), before, 'the source has changed')
}

async function writeFiles() {
  await mkdir(join(folder, 'config/environments'), { recursive: true })
  await mkdir(join(folder, '.docker'))
  const files = {
    'app.txt': 'the application\n',
    'config/base.yaml': 'replicas: 1\n',
    'config/environments/production.yaml': 'replicas: 3\n',
    'app.sig': '{"signature": "of the application"}\n',
    'sbom.json': '{"parts": ["app.txt", "config"]}\n',
    'sbom.sig': '{"signature": "of the list of parts"}\n',
  }
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
}

/** Starts a registry that keeps everything in memory, and waits until it says where it listens. */
async function serve() {
  const words = ['registry', 'serve', '--quiet']
  const registry = spawn(process.execPath, [program, ...words], { cwd: folder, env: environment, stdio: 'pipe' })
  registries.push(registry)
  registry.stderr.pipe(process.stderr)
  for await (const line of createInterface({ input: registry.stdout })) {
    const address = /127\.0\.0\.1:(\d+)/.exec(line)
    // The name that plain HTTP is spoken to without a flag.
    if (address) return `localhost:${address[1]}`
  }
  throw new Error('a registry ended before it listened')
}

/** Runs a command, and shows it with what it prints. */
async function gantry(...words) {
  console.log(`\n$ gantry ${words.map(quote).join(' ')}`)
  const { output, errors, exitCode } = await run(words)
  process.stdout.write(output)
  process.stderr.write(errors)
  assert.equal(exitCode, 0, `the last command ended with ${exitCode}`)
  return output
}

async function run(words) {
  const child = spawn(process.execPath, [program, ...words], { cwd: folder, env: environment, stdio: 'pipe' })
  child.stdin.end()
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text) => (errors += text))
  const [exitCode] = await once(child, 'close')
  return { output, errors, exitCode }
}

function quote(word) {
  return /^[\w@:./=-]+$/.test(word) ? word : `'${word}'`
}

function say(text) {
  console.log(`\n# ${text}`)
}

/** The lines of a tree without what draws it: what stands side by side may come in any order. */
function linesOf(tree) {
  return tree
    .split('\n')
    .map((line) => line.replace(/^[├└│─ ]+/, ''))
    .sort()
}

function digestsIn(tree) {
  return [...new Set(tree.match(/sha256:[0-9a-f]{64}/g))].sort()
}

/** Every file below some entries of a folder, with its content. */
async function contentOf(base, entries) {
  const files = {}
  const walk = async (path) => {
    for (const entry of await readdir(path, { withFileTypes: true })) {
      const name = join(path, entry.name)
      if (path === join(folder, base) && entries !== undefined && !entries.includes(entry.name)) continue
      if (entry.isDirectory()) await walk(name)
      else files[relative(join(folder, base), name)] = await readFile(name, 'utf8')
    }
  }
  await walk(join(folder, base))
  return files
}

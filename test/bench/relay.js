// A process that stands between a client and a server on loopback and makes the way longer or narrower:
//   node relay.js --port 5000 --delay 15 --rate 60000000
// --port   where the server listens
// --delay  milliseconds that everything takes in each direction; a new connection costs one round trip first, as the
//          handshake does
// --rate   bytes per second that a connection carries in each direction
// It prints the port that it listens on, and ends when its input does.
import { connect, createServer } from 'node:net'
import { parseArgs } from 'node:util'

/** What a direction holds before its sender has to wait: enough for a fast, long way. */
const MAX_QUEUED = 8 * 1024 * 1024

const { values } = parseArgs({
  options: { port: { type: 'string' }, delay: { type: 'string' }, rate: { type: 'string' } },
})
const way = { delay: Number(values.delay ?? 0), rate: values.rate === undefined ? Infinity : Number(values.rate) }

const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
  const opened = performance.now()
  const target = connect({ port: Number(values.port), host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
  // Nothing leaves the client before the server's side of the handshake has come back to it.
  forward(client, target, { ...way, notBefore: opened + 2 * way.delay })
  forward(target, client, { ...way, notBefore: 0 })
  const end = () => {
    client.destroy()
    target.destroy()
  }
  client.on('error', end)
  target.on('error', end)
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
process.stdin.resume().on('end', () => process.exit(0))

/** Passes on what arrives, each piece when it is due. */
function forward(from, to, { delay, rate, notBefore }) {
  const queue = []
  let queued = 0
  let free = notBefore
  let timer

  const deliver = () => {
    timer = undefined
    while (queue.length > 0 && queue[0].due <= performance.now()) {
      const { chunk } = queue.shift()
      if (chunk === undefined) return void to.end()
      queued -= chunk.length
      if (from.isPaused() && queued < MAX_QUEUED / 2) from.resume()
      if (!to.write(chunk)) return void to.once('drain', deliver)
    }
    if (queue.length > 0) timer = setTimeout(deliver, queue[0].due - performance.now())
  }
  const add = (chunk) => {
    free = Math.max(free, performance.now()) + ((chunk?.length ?? 0) / rate) * 1000
    queue.push({ chunk, due: free + delay })
    if (timer === undefined && !to.writableNeedDrain) timer = setTimeout(deliver, queue[0].due - performance.now())
  }

  from.on('data', (chunk) => {
    queued += chunk.length
    if (queued > MAX_QUEUED) from.pause()
    add(chunk)
  })
  from.on('end', () => add(undefined))
  to.on('close', () => {
    clearTimeout(timer)
    queue.length = 0
  })
}

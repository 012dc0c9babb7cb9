import type { ScriptedExchange } from '../registry/http/scripted-server.js'
import { waitReally } from './fast-time.js'
import type { Fault, Passage, WireAnswer } from './faulty-wire.js'

/** How a connection ends. */
export type Ending = 'reset' | 'close'

/** What a registry may send instead of an answer of its own. */
export interface Forgery {
  readonly status: number
  readonly headers?: Readonly<Record<string, string | string[]>>
  readonly body?: string | Buffer | object
}

/** Cuts the connection before any answer; the registry does not get to see the request. */
export function cutBefore(ending: Ending = 'reset'): Fault {
  return ({ socket }) => end(socket, ending)
}

/** Cuts the connection in the middle of an answer. */
export function cutAnswer(bytes: number, ending: Ending = 'reset'): Fault {
  return async (passage) => {
    await sendPart(passage, await passage.ask(), bytes)
    end(passage.socket, ending)
  }
}

/** Sends a part of an answer, such as a half of it, and then nothing more. */
export function stallAnswer(part: number): Fault {
  return async (passage) => {
    const answer = await passage.ask()
    await sendPart(passage, answer, Math.floor(answer.body.length * part))
  }
}

/** Never answers, although it takes the whole request. */
export const ignore: Fault = () => undefined

/** Never answers, and takes nothing of the request's body. */
export const playDead: Fault = ({ request }) => {
  request.pause()
}

/** Lets the registry do its work, and cuts the connection instead of answering. */
export const cutAfterwards: Fault = async (passage) => {
  await passage.ask()
  end(passage.socket, 'reset')
}

/** Lets the first bytes of the request's body through to the registry, and cuts the connection. */
export function cutRequest(bytes: number, ending: Ending = 'reset'): Fault {
  return async (passage) => {
    await passage.askPartly(bytes)
    end(passage.socket, ending)
  }
}

/** Answers itself, once the whole request has arrived; the registry does not get to see it. */
export function reply(forgery: Forgery): Fault {
  return async (passage) => {
    if (!passage.request.complete) await new Promise<void>((resolve) => passage.request.once('end', resolve))
    answerWith(passage, forgery)
  }
}

/** What a server does with the rest of a body that it has no use for. */
export type RestOfBody = 'is read' | 'is left' | 'is cut off'

/** Answers itself while the body of the request is still on its way. */
export function replyEarly(forgery: Forgery, rest: RestOfBody): Fault {
  return async (passage) => {
    const { request, socket } = passage
    await new Promise<void>((resolve) => request.once('data', () => resolve()))
    if (rest !== 'is read') request.pause()
    if (rest !== 'is cut off') {
      answerWith(passage, forgery)
      return
    }
    // Closing at once would reset the connection, and the answer would be lost with it: servers wait a little. Node's
    // own does not, so it must not know of this answer.
    socket.end(rawAnswer(forgery))
    await waitReally(100)
    socket.destroy()
  }
}

function rawAnswer({ status, body = '' }: Forgery): string {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return `HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: ${text.length}\r\n\r\n${text}`
}

/** Lets the registry answer, and changes what it says. */
export function edit(change: (answer: WireAnswer) => Partial<WireAnswer>): Fault {
  return async (passage) => {
    const answer = await passage.ask()
    passage.send({ ...answer, ...change(answer) })
  }
}

/** Changes headers of the registry's answer; undefined removes one. */
export function editHeaders(changes: Readonly<Record<string, string | string[] | undefined>>): Fault {
  return edit(({ headers }) => ({ headers: { ...headers, ...changes } }))
}

/** Sends the registry's answer in one of the ways that need bytes rather than an HTTP server. */
export function sendRaw(form: (answer: WireAnswer, exchange: ScriptedExchange) => Buffer | string): Fault {
  return async (passage) => {
    const bytes = form(await passage.ask(), passage)
    passage.socket.write(bytes)
    await flushed(passage.socket)
    passage.socket.destroySoon()
  }
}

/** Sends the registry's answer with a few bytes at a time, on the clock that timers see. */
export function drip(bytes: number, milliseconds: number): Fault {
  return async (passage) => {
    const { status, headers, body } = await passage.ask()
    passage.response.writeHead(status, headers as Record<string, string>)
    let position = 0
    const timer = setInterval(() => {
      passage.response.write(body.subarray(position, position + bytes))
      position += bytes
    }, milliseconds)
    passage.response.on('close', () => clearInterval(timer))
  }
}

function answerWith({ answer }: Passage, { status, headers = {}, body }: Forgery): void {
  answer(status, headers, body)
}

async function sendPart({ response, socket }: Passage, answer: WireAnswer, bytes: number): Promise<void> {
  response.writeHead(answer.status, answer.headers as Record<string, string>)
  response.flushHeaders()
  if (bytes > 0) response.write(answer.body.subarray(0, bytes))
  await flushed(socket)
}

/** What is still on its way when a connection is reset is lost. */
async function flushed(socket: ScriptedExchange['socket']): Promise<void> {
  while (socket.writableLength > 0 && !socket.destroyed) await waitReally(1)
  await waitReally(10)
}

function end(socket: ScriptedExchange['socket'], ending: Ending): void {
  if (ending === 'reset') socket.resetAndDestroy()
  else socket.destroySoon()
}

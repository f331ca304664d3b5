/**
 * A stand-in for the portal: the built page, the JSON API of a made-up library, and real media. What it says and how
 * it fails is in its state, which a test changes as it goes.
 */

import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { air, answer } from './air.mjs'
import { cover, poster } from './art.mjs'
import { cast } from './cast.mjs'
import { endless, guests, household, screen, status } from './library.mjs'
import { media } from './media.mjs'

const dist = fileURLToPath(new URL('../dist/', import.meta.url))
const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.mp3': 'audio/mpeg',
  '.flac': 'audio/flac',
  '.m4a': 'audio/mp4',
  '.mp4': 'video/mp4',
  '.m4s': 'video/iso.segment',
  '.m3u8': 'application/vnd.apple.mpegurl',
  '.vtt': 'text/vtt',
}
export const policy =
  "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; worker-src 'self' blob:; style-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'"

/** Starts the server. Its state may be changed at any time; tell sends an event to the pages that listen. */
export async function serve() {
  const library = household()
  const state = {
    library,
    status: status(library),
    air: air(), // the networks around, and what is known of them
    casting: true, // there is a cast service
    screen: screen(), // the device's own picture and sound
    guests: guests(), // what those may do who come without a password
    endless: 0, // this many songs instead of the household's
    fail: new Map(), // path → {status, code, message, hint}
    down: false, // drop every connection
    requests: [], // what was asked for: "GET /path?query"
  }
  const listeners = new Set()
  state.cast = cast(() => state.library, tell)
  const folder = media()

  const server = createServer((request, response) => {
    if (state.down) return request.socket.destroy()
    const url = new URL(request.url, 'http://x')
    state.requests.push(`${request.method} ${url.pathname}${url.search}`)
    const failure = state.fail.get(url.pathname)
    if (failure)
      return json(response, { code: failure.code, message: failure.message, hint: failure.hint }, failure.status)
    if (url.pathname === '/api/v1/events') return events(url.searchParams, response)
    if (url.pathname.startsWith('/api/v1/cast/') && state.casting) return casting(url, request, response)
    if (url.pathname.startsWith('/api/v1/network/')) return network(url, request, response)
    if (url.pathname.startsWith('/api/v1/')) return api(url, request, response)
    if (url.pathname.startsWith('/media/')) return mediaFile(url, request, response)
    page(url, request, response)
  })

  function events(query, response) {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
    response.write(': hello\n\n')
    listeners.add(response)
    response.on('close', () => listeners.delete(response))
    if (state.casting) state.cast.listen(query.get('renderer'), query.get('name'), response)
  }

  function api(url, request, response) {
    const path = url.pathname.slice('/api/v1/'.length)
    const [kind, q, offset, limit] = ['kind', 'q', 'offset', 'limit'].map((name) => url.searchParams.get(name) ?? '')
    const run = (list) => list.slice(Number(offset), Number(offset) + (Number(limit) || 100))
    const words = q.toLowerCase().split(/\s+/).filter(Boolean)
    const has = (...texts) =>
      words.every((word) =>
        texts.filter(Boolean).some((text) =>
          text
            .toLowerCase()
            .split(/\s+/)
            .some((each) => each.startsWith(word)),
        ),
      )
    const { albums, items } = state.library
    if (path === 'status') return json(response, state.status)
    if (path === 'player/settings' && request.method === 'GET') return json(response, state.screen)
    if (path === 'player/settings' && request.method === 'PUT')
      return void read(request).then((settings) => json(response, Object.assign(state.screen, { settings })))
    if (path === 'guests' && request.method === 'GET') return json(response, state.guests)
    if (path === 'guests' && state.refuse)
      return json(response, { code: 'full', message: 'The memory card is full' }, 507)
    if (path === 'guests' && request.method === 'PUT')
      return void read(request).then((choices) =>
        json(response, (Object.assign(state.guests.choices, choices), state.guests)),
      )
    if (path === 'scan' && request.method === 'POST') return response.writeHead(204).end()
    if (path === 'items') {
      if (state.endless && kind === 'music' && !q) {
        const n = Math.max(0, Math.min(Number(limit) || 100, state.endless - Number(offset)))
        return json(response, {
          total: state.endless,
          items: Array.from({ length: n }, (_, i) => endless(Number(offset) + i)),
        })
      }
      const found = items.filter(
        (each) => (!kind || each.kind === kind) && has(each.title, each.album, ...(each.artists ?? [])),
      )
      return json(response, { total: found.length, items: run(found) })
    }
    if (path === 'albums') {
      const found = albums.filter((each) => has(each.title, ...each.artists))
      return json(response, { total: found.length, albums: run(found) })
    }
    const [, thing, id] = path.match(/^(items|albums|services|disks)\/([^/]+)/) ?? []
    if (thing === 'items') {
      const found = items.find((each) => each.id === id)
      if (found) return json(response, found)
    }
    if (thing === 'albums') {
      const found = albums.find((each) => each.id === id)
      if (found) return json(response, { ...found, items: items.filter((each) => each.albumId === id) })
    }
    if (thing === 'services') {
      const lines = Array.from({ length: 60 }, (_, i) => ({
        time: new Date(Date.now() - (60 - i) * 7000).toISOString(),
        level: i % 20 === 7 ? 'WARN' : 'INFO',
        text: i % 20 === 7 ? 'slow disk ms=412' : `library scanned files=${i * 12}`,
      }))
      return json(response, { lines })
    }
    if (thing === 'disks') return response.writeHead(204).end()
    json(response, { code: 'not_found', message: `${path}: not found` }, 404)
  }

  async function network(url, request, response) {
    const path = url.pathname.slice('/api/v1/network/'.length)
    const asked = { method: request.method, path, body: await read(request) }
    const body = answer(state.air, state.status, asked, tell)
    if (body === null) return response.writeHead(204).end()
    if (body === undefined) return json(response, { code: 'not_found', message: `${path}: not found` }, 404)
    if (typeof body === 'string') return response.writeHead(200, { 'Content-Type': types['.svg'] }).end(body)
    json(response, body, body.error ?? 200)
  }

  async function casting(url, request, response) {
    const path = url.pathname.slice('/api/v1/cast/'.length)
    const asked = await read(request)
    if (state.cast.state.delay) await new Promise((resolve) => setTimeout(resolve, state.cast.state.delay))
    const body = state.cast.answer(request.method, path, url.searchParams, asked)
    if (body === null) return response.writeHead(204).end()
    if (body === undefined) return json(response, { code: 'not_found', message: `${path}: not found` }, 404)
    json(response, body, body.error ?? 200)
  }

  function mediaFile(url, request, response) {
    const [, id, rest] = url.pathname.match(/^\/media\/([^/]+)\/(.*)$/) ?? []
    const n = Number(id?.match(/\d+/)?.[0] ?? 0)
    if (rest === 'cover') {
      const film = id.startsWith('f') && state.library.items.find((each) => each.id === id)
      const body = film ? poster(n, film.title) : cover(n)
      return response.writeHead(200, { 'Content-Type': types['.svg'], 'Cache-Control': 'max-age=3600' }).end(body)
    }
    if (rest === 'file')
      return file(
        join(folder, id.startsWith('f') ? 'film.mp4' : ['song0.mp3', 'song1.flac', 'song2.m4a'][n % 3]),
        request,
        response,
      )
    if (rest?.startsWith('hls/')) return file(join(folder, 'hls', rest.slice(4)), request, response)
    if (rest?.startsWith('subtitles/'))
      return response
        .writeHead(200, { 'Content-Type': types['.vtt'] })
        .end('WEBVTT\n\n00:00.000 --> 01:00.000\nHello from below.\n')
    json(response, { code: 'not_found', message: `${url.pathname}: not found` }, 404)
  }

  function page(url, request, response) {
    const path = normalize(url.pathname)
    const name = path.includes('.') ? path : '/index.html'
    file(join(dist, name), request, response, {
      'Content-Security-Policy': policy,
      'X-Content-Type-Options': 'nosniff',
    })
  }

  function tell(name, data) {
    for (const each of listeners) each.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`)
  }

  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    state,
    url: `http://127.0.0.1:${server.address().port}`,
    tell,
    setDown: (down) => {
      state.down = down
      if (down) server.closeAllConnections()
    },
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(resolve))
    },
  }
}

function json(response, body, code = 200) {
  response.writeHead(code, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
}

/** Returns the JSON of a request's body; undefined: it has none. */
async function read(request) {
  let text = ''
  for await (const chunk of request) text += chunk
  return text ? JSON.parse(text) : undefined
}

function file(path, request, response, headers = {}) {
  if (!existsSync(path)) return json(response, { code: 'not_found', message: `${path}: not found` }, 404)
  const { size } = statSync(path)
  headers = { 'Content-Type': types[extname(path)] ?? 'application/octet-stream', 'Accept-Ranges': 'bytes', ...headers }
  const [, from, to] = request.headers.range?.match(/^bytes=(\d+)-(\d*)$/) ?? []
  if (request.method === 'HEAD') return response.writeHead(200, { ...headers, 'Content-Length': size }).end()
  if (from === undefined) return response.writeHead(200, { ...headers, 'Content-Length': size }).end(readFileSync(path))
  const end = to ? Math.min(Number(to), size - 1) : size - 1
  response.writeHead(206, {
    ...headers,
    'Content-Length': end - from + 1,
    'Content-Range': `bytes ${from}-${end}/${size}`,
  })
  createReadStream(path, { start: Number(from), end })
    .pipe(response)
    .on('error', () => response.destroy())
}

// "node test/server.mjs" serves until it is interrupted, for looking at the page by hand.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { url } = await serve()
  console.log(url)
}

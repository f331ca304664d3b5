/**
 * A stand-in for the cast service: renderers, sessions that run on a clock of their own, and browsers that are given
 * orders. It does what services/cast/api promises, for a household that trusts everybody.
 */

/** The places of a household. */
export const places = () => [
  {
    id: 'tv',
    kind: 'tv',
    name: 'Living room TV',
    detail: 'LG OLED55, 3840 × 2160',
    films: true,
    volume: true,
    exact: true,
  },
  { id: 'dongle-bath', kind: 'dongle', name: 'Bathroom', detail: 'HiFi', films: false, volume: true, exact: true },
  { id: 'dlna-kitchen', kind: 'dlna', name: 'Kitchen', detail: 'Sonos One', films: false, volume: true, exact: false },
  {
    id: 'dlna-attic',
    kind: 'dlna',
    name: 'Attic television with a very long name that somebody gave it',
    detail: 'Samsung UE40',
    problem: 'It is switched off.',
    films: true,
    volume: true,
    exact: false,
  },
]

const bad = (message) => ({ error: 400, code: 'invalid', message })
const gone = (message) => ({ error: 404, code: 'not_found', message })

const dongle = (id, name, rest) => ({
  id,
  short: id.toUpperCase(),
  name,
  here: true,
  trusted: false,
  trusts: false,
  asks: false,
  ...rest,
})

/** The dongles of a household. */
export const dongles = () => ({
  self: dongle('abcd-efgh-2345-6pqr', 'Living room', { trusted: true, trusts: true }),
  devices: [
    dongle('bath-aaaa-bbbb-cccc', 'Bathroom', { trusted: true, trusts: true, since: '2026-01-02T03:04:05Z' }),
    dongle('attc-aaaa-bbbb-cccc', 'Attic', { asks: true }),
    dongle('cell-aaaa-bbbb-cccc', 'A cellar with a very long name that somebody gave it'),
  ],
})

/** The service: library returns {albums, items}, tell sends an event to all pages. */
export function cast(library, tell) {
  const state = {
    renderers: places(),
    sessions: new Map(),
    settings: { dlna: false },
    devices: dongles(),
    browsers: new Map(), // the pages that listen, by ID
    reports: [],
    away: 0, // ms by which this clock differs from the pages'
    delay: 0, // ms until an answer
  }
  let last = 0
  const fresh = (prefix) => `${prefix}${++last}`
  const now = () => Date.now() + state.away
  const epoch = 'stand-in'
  let sequence = 0
  /** Orders what is told. */
  const stamp = () => ({ epoch, sequence: ++sequence })

  const find = (id) => library().items.find((item) => item.id === id)
  const select = ({ items, album, search }) => {
    if (items) return items.map(find)
    if (album) return library().items.filter((item) => item.albumId === album)
    return library().items.filter((item) => !search.kind || item.kind === search.kind)
  }
  const entries = (what) =>
    select(what)
      .filter(Boolean)
      .map((item) => ({ key: fresh('k'), item }))
  const entryOf = (session) => session.queue[session.index]
  const position = (session) =>
    session.state === 'playing' ? session.position + ((now() - session.at) / 1000) * session.speed : session.position

  function nextOf(session) {
    if (session.repeat === 'one') return entryOf(session)
    return session.queue[session.index + 1] ?? (session.repeat === 'all' ? session.queue[0] : undefined)
  }

  /** A session as it is told. */
  function view(session) {
    const { queue, plain, timer, seek, turn, parked, ...rest } = session
    const entry = entryOf(session)
    const film = entry?.item.kind === 'film'
    return {
      ...rest,
      ...stamp(),
      entry,
      next: nextOf(session),
      total: queue.length,
      at: new Date(session.at).toISOString(),
      now: new Date(now()).toISOString(),
      duration: entry?.item.duration,
      streams: entry?.item.streams,
      chapters: film
        ? ['Beginning', 'At sea', 'The storm', 'Land'].map((title, i) => ({ start: i * 1200 + (i && 143), title }))
        : undefined,
    }
  }

  const renderersNow = () =>
    state.renderers.map((each) => ({
      ...each,
      session: [...state.sessions.values()].find(({ renderer }) => renderer === each.id)?.id,
    }))

  /** Tells everybody, gives the browser its order, and waits for the end of the song. */
  function changed(session) {
    clearTimeout(session.timer)
    session.timer = undefined
    tell('session', view(session))
    order(session.renderer)
    const entry = entryOf(session)
    if (session.state !== 'playing' || state.browsers.has(session.renderer) || !entry?.item.duration) return
    const left = ((entry.item.duration - position(session)) / session.speed) * 1000
    session.timer = setTimeout(() => advance(session), Math.min(left, 2 ** 30))
    session.timer.unref()
  }

  const tellRenderers = () => tell('renderers', { renderers: renderersNow() })

  function settle(session, to) {
    Object.assign(session, { position: to ?? position(session), at: now() })
  }

  function goTo(session, index, to = 0) {
    session.index = index
    session.turn = (session.turn ?? 0) + 1
    settle(session, to)
    Object.assign(session, { audio: 1, subtitle: -1, state: session.state === 'stopped' ? 'playing' : session.state })
    if (entryOf(session)?.item.kind !== 'film') session.audio = 0
    session.seek++
  }

  function advance(session) {
    const next = nextOf(session)
    if (!next) {
      settle(session, entryOf(session)?.item.duration)
      session.state = 'stopped'
    } else {
      goTo(session, session.queue.indexOf(next))
      if (session.sleepEnd) Object.assign(session, { sleepEnd: false, state: 'paused' })
    }
    changed(session)
  }

  /** An entry under the name of one playing of it. */
  const playingOf = (session, entry, turn) => entry && { ...entry, key: `${session.id}.${turn}.${entry.key}` }

  function order(renderer) {
    const browser = state.browsers.get(renderer)
    if (!browser) return
    const session = [...state.sessions.values()].find((each) => each.renderer === renderer && !each.parked)
    const order = session
      ? {
          session: session.id,
          entry: playingOf(session, entryOf(session), session.turn),
          next: playingOf(session, nextOf(session), session.turn + 1),
          play: session.state === 'playing' || session.state === 'loading',
          seek: session.seek ? { number: session.seek, to: session.position } : undefined,
          speed: session.speed,
          volume: session.volume,
          muted: session.muted,
          audio: session.audio,
          subtitle: session.subtitle,
        }
      : { play: false, speed: 1, volume: 100, audio: -1, subtitle: -1 }
    browser.send('order', order)
  }

  function end(session) {
    clearTimeout(session.timer)
    state.sessions.delete(session.id)
    tell('gone', { id: session.id, ...stamp() })
    order(session.renderer)
    tellRenderers()
  }

  const on = (renderer) => [...state.sessions.values()].find((each) => each.renderer === renderer)

  function play(body) {
    if (!renderersNow().some(({ id }) => id === body.renderer)) return gone(`${body.renderer} is not there`)
    const queue = entries(body)
    if (!queue.length) return bad('there is nothing to play')
    const before = on(body.renderer)
    if (before) clearTimeout(before.timer)
    const session = {
      volume: 70,
      muted: false,
      repeat: 'off',
      ...before,
      id: before?.id ?? fresh('session-'),
      renderer: body.renderer,
      state: body.paused ? 'paused' : 'playing',
      queue,
      plain: undefined,
      revision: (before?.revision ?? 0) + 1,
      speed: 1,
      shuffle: false,
      problem: undefined,
      seek: before?.seek ?? 0,
    }
    goTo(session, body.index ?? (body.shuffle ? Math.floor(queue.length / 2) : 0), body.position)
    state.sessions.delete(session.id)
    state.sessions = new Map([[session.id, session], ...state.sessions])
    if (body.shuffle) mix(session, true)
    changed(session)
    tellRenderers()
    return view(session)
  }

  function mix(session, on) {
    const current = entryOf(session)
    if (on) {
      session.plain = [...session.queue]
      const rest = session.queue.filter((each) => each !== current)
      session.queue = [current, ...rest.map((each, i) => rest[(i * 7 + 3) % rest.length] ?? each)]
      session.queue = [...new Set([...session.queue, ...rest])]
      session.index = 0
    } else if (session.plain) {
      session.queue = session.plain.filter((each) => session.queue.includes(each))
      session.index = session.queue.indexOf(current)
      session.plain = undefined
    }
    session.shuffle = on
    session.revision++
  }

  function control(session, { do: what, to, by = 0, key }) {
    const length = entryOf(session)?.item.duration ?? 0
    if (what === 'play' || what === 'pause') {
      settle(session)
      session.state = what === 'play' ? 'playing' : 'paused'
      if (what === 'play' && session.parked)
        Object.assign(session, { parked: false, problem: undefined, turn: session.turn + 1 })
    } else if (what === 'next') {
      session.repeat === 'one' && session.index + 1 < session.queue.length
        ? goTo(session, session.index + 1)
        : advance(session)
    } else if (what === 'previous') {
      if (position(session) > 3 || !session.index) control(session, { do: 'seek', to: 0 })
      else goTo(session, session.index - 1)
    } else if (what === 'seek') {
      settle(session, Math.max(0, Math.min(length, to ?? position(session) + by)))
      session.seek++
    } else if (what === 'jump') {
      const index = session.queue.findIndex((each) => each.key === key)
      if (index < 0) return gone('it is not in the queue any more')
      goTo(session, index)
      session.state = 'playing'
    } else return bad(`${what} is not known`)
    changed(session)
    return null
  }

  function edit(session, { do: what, items = [], album, keys = [], before }) {
    const current = entryOf(session)
    const chosen = session.queue.filter(({ key }) => keys.includes(key))
    if (what === 'add') session.queue.push(...entries({ items, album }))
    else if (what === 'next') session.queue.splice(session.index + 1, 0, ...entries({ items, album }))
    else if (what === 'clear') session.queue = [current]
    else if (what === 'remove')
      session.queue = session.queue.filter((each) => each === current || !chosen.includes(each))
    else if (what === 'move') {
      const rest = session.queue.filter((each) => !chosen.includes(each))
      const at = before ? rest.findIndex(({ key }) => key === before) : rest.length
      if (at < 0) return gone('it is not in the queue any more')
      rest.splice(at, 0, ...chosen)
      session.queue = rest
    } else return bad(`${what} is not known`)
    session.index = session.queue.indexOf(current)
    session.revision++
    changed(session)
    return null
  }

  function change(session, { sleep, shuffle, room, ...rest }) {
    settle(session)
    const along = session.with?.find(({ renderer }) => renderer === room)
    if (along) {
      Object.assign(along, rest)
      return (changed(session), null)
    }
    Object.assign(session, rest)
    if (sleep !== undefined) session.sleep = sleep ? new Date(now() + sleep * 1000).toISOString() : undefined
    if (shuffle !== undefined && shuffle !== !!session.shuffle) mix(session, shuffle)
    changed(session)
    return null
  }

  function move(session, { renderer }) {
    const target = renderersNow().find(({ id }) => id === renderer)
    if (!target) return gone(`${renderer} is not there`)
    if (target.problem) return { error: 422, code: 'unsupported', message: target.problem }
    const there = on(renderer)
    if (there && there !== session) end(there)
    const from = session.renderer
    settle(session)
    session.renderer = renderer
    session.seek++
    changed(session)
    order(from)
    tellRenderers()
    return view(session)
  }

  /** Has it play in these rooms too. */
  function join(session, { renderers }) {
    const was = session.with ?? []
    session.with = renderers.map(
      (renderer) => was.find((each) => each.renderer === renderer) ?? { renderer, volume: 45, state: 'playing' },
    )
    changed(session)
    return view(session)
  }

  /** Trusts a dongle, or does so no more. */
  function judge(id, trusted) {
    const device = state.devices.devices.find((each) => each.id === id)
    if (!device) return gone('it is no longer in the network')
    Object.assign(device, { trusted, asks: false, trusts: trusted && device.asks, since: new Date().toISOString() })
    tell('devices', state.devices)
    return null
  }

  /** Follows what a page says of itself. */
  function report(id, said) {
    state.reports.push(said)
    const session = on(id)
    if (!session || !said.key) return null
    if (said.problem?.code === 'blocked') return (change(session, { state: 'paused', problem: said.problem }), null)
    if (said.problem) {
      session.problem = said.problem
      advance(session)
      return null
    }
    if (said.key === playingOf(session, nextOf(session), session.turn + 1)?.key) advance(session)
    if (said.key !== playingOf(session, entryOf(session), session.turn)?.key) return null
    if (said.ended) return (advance(session), null)
    settle(session, said.position)
    // A page that pauses by itself says so with a request: a report is of what it does, not of what is wanted.
    if (session.state !== 'paused') session.state = said.state === 'playing' ? 'playing' : 'loading'
    tell('session', view(session))
    return null
  }

  /** A page listens under an ID of its own: it is there as long as it does. */
  function listen(id, name, response) {
    const send = (event, data) => response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
    const offers = /^page-[\w-]{8,48}$/.test(id)
    if (offers) {
      state.browsers.get(id)?.send('taken', {})
      state.browsers.set(id, { send })
      state.renderers = [
        ...state.renderers.filter((each) => each.id !== id),
        { id, kind: 'browser', name, films: true, volume: true, exact: false },
      ]
    }
    send('renderers', { renderers: renderersNow() })
    send('sessions', { sessions: [...state.sessions.values()].map(view), ...stamp() })
    send('devices', state.devices)
    if (!offers) return
    order(id)
    tellRenderers()
    response.on('close', () => {
      if (state.browsers.get(id)?.send !== send) return
      state.browsers.delete(id)
      state.renderers = state.renderers.filter((each) => each.id !== id)
      const session = on(id)
      if (session?.state === 'playing') {
        settle(session)
        session.state = 'paused'
        session.seek++
        changed(session)
      }
      tellRenderers()
    })
  }

  /** Answers a request below /api/v1/cast/. null: done, nothing to say. */
  function answer(method, path, query, body) {
    if (path === 'settings') return method === 'PUT' ? (state.settings = body) : state.settings
    if (path === 'devices') return state.devices
    const [, other] = path.match(/^devices\/([^/]+)/) ?? []
    if (other) return judge(other, method === 'POST')
    if (path === 'play' && method === 'POST') return play(body)
    const [, browser] = path.match(/^browsers\/([^/]+)\/status$/) ?? []
    if (browser) return report(browser, body)
    const [, id, what] = path.match(/^sessions\/([^/]+)(?:\/(\w+))?$/) ?? []
    const session = state.sessions.get(id)
    if (!session) return gone('this session is over')
    if (method === 'DELETE') return (end(session), null)
    if (method === 'GET' && !what) return view(session)
    if (method === 'GET') {
      const [offset, limit] = [Number(query.get('offset')) || 0, Number(query.get('limit')) || 100]
      return {
        revision: session.revision,
        total: session.queue.length,
        offset,
        entries: session.queue.slice(offset, offset + limit),
      }
    }
    return { control, queue: edit, change, move, with: join }[what]?.(session, body) ?? view(session)
  }

  return { state, answer, listen, play, on, view, positionOf: position, changed, tellRenderers, renderersNow }
}

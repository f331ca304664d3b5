import { call, get, send, tell } from './client'
import type { Item, Kind, Stream } from './types'

/** The words of /api/v1/cast, as services/cast/api defines them: what plays where. Times of media are in seconds. */

/** Where something can play. */
export interface Renderer {
  id: string
  kind: 'tv' | 'browser' | 'dlna' | 'dongle'
  name: string
  /** Its model, or the screen's own name. */
  detail?: string
  /** The session that plays on it. */
  session?: string
  /** Why nothing can play there now. */
  problem?: string
  /** It shows pictures. */
  films: boolean
  /** Its volume can be set. */
  volume: boolean
  /** Tracks, speed, gapless joints and playing in step work as on the device's own player. */
  exact: boolean
}

/** A place that plays what another one plays, at the same time. */
export interface Room {
  renderer: string
  /** 0 to 100, its own. */
  volume: number
  muted?: boolean
  state: State
  /** Why it does not play along. */
  problem?: string
}

export type Repeat = 'off' | 'all' | 'one'
export type State = 'stopped' | 'loading' | 'playing' | 'paused'

/** One place in a queue: the key tells apart the same item at two places. */
export interface Entry {
  key: string
  item: Item
  /** It is not from the library: another device of the home sends it, and only the TV plays it. */
  link?: Link
}

/** What another device sends. */
export interface Link {
  url: string
  kind: Kind
  title?: string
  artist?: string
  album?: string
  duration?: number
  art?: string
}

export interface Chapter {
  start: number
  title?: string
}

/** Why an entry was left out, or why nothing plays. */
export interface Problem {
  title?: string
  code: string
  text: string
  hint?: string
  /** How many entries were left out in a row, this one the last. */
  left?: number
  at: string
}

/** Orders what is told: answers and events travel on connections of their own, and overtake each other. */
export interface Stamp {
  /** One run of the service. */
  epoch: string
  /** Rises with all that is told in it. */
  sequence: number
}

/** All sessions, the one used last first. */
export interface Sessions extends Stamp {
  sessions: Session[] | null
}

/** A session is no more. */
export interface Gone extends Stamp {
  id: string
}

/** A queue and a place in it. It plays on one renderer, and on others in step with that one. */
export interface Session extends Stamp {
  id: string
  renderer: string
  with?: Room[]
  state: State
  entry?: Entry
  next?: Entry
  /** Of the entry in the queue's order; -1: the queue is empty. */
  index: number
  total: number
  /** Rises when the queue's entries or their order change. */
  revision: number
  /** At the time "at", by the device's clock, which says "now". */
  position: number
  at: string
  now: string
  duration?: number
  speed: number
  /** 0 to 100. */
  volume: number
  muted?: boolean
  repeat: Repeat
  shuffle?: boolean
  /** When it pauses by itself. */
  sleep?: string
  /** It pauses at the end of the entry. */
  sleepEnd?: boolean
  streams?: Stream[]
  chapters?: Chapter[]
  /** An index into streams; -1: none. */
  audio: number
  subtitle: number
  problem?: Problem
}

export interface Queue {
  revision: number
  total: number
  offset: number
  entries: Entry[] | null
}

/** What is to be played: items, an album, or what a list of the library shows. */
export interface What {
  items?: string[]
  album?: string
  search?: { kind?: Kind; q?: string }
  links?: Link[]
}

export interface Play extends What {
  renderer: string
  /** To begin with; none: the first, or shuffled any. */
  index?: number
  position?: number
  shuffle?: boolean
  paused?: boolean
  /** Names this request: it is done once however often it arrives. */
  once?: string
}

export interface Control {
  do: 'play' | 'pause' | 'next' | 'previous' | 'seek' | 'jump'
  to?: number
  by?: number
  /** Where to jump; else the entry that was seen: nothing is done once another one plays. */
  key?: string
  once?: string
}

export interface Edit extends What {
  do: 'add' | 'next' | 'move' | 'remove' | 'clear'
  keys?: string[]
  /** The key they come before; none: the end. */
  before?: string
}

export interface Change {
  /** The place whose volume is meant; none: the first. */
  room?: string
  volume?: number
  muted?: boolean
  speed?: number
  audio?: number
  subtitle?: number
  repeat?: Repeat
  shuffle?: boolean
  /** Seconds from now; 0: off. */
  sleep?: number
  sleepEnd?: boolean
}

/** What this page has to do while it offers itself. It is whole each time. */
export interface Order {
  /** None: be silent. */
  session?: string
  /** Its key names this one playing of it, and is not the queue's. */
  entry?: Entry
  /** Likewise; to go on with by itself. */
  next?: Entry
  play: boolean
  /** A place to go to, once for each number and entry. */
  seek?: { number: number; to: number }
  speed: number
  volume: number
  muted?: boolean
  /** An index into the item's streams; none: as the page finds best. */
  audio?: number
  subtitle?: number
}

/** What this page does. */
export interface Report {
  key?: string
  state: State
  position: number
  duration?: number
  /** The last number followed. */
  seek?: number
  ended?: boolean
  problem?: Problem
}

/** A dongle: this one, or another of the home. */
export interface Device {
  id: string
  /** Of its ID, for people to compare. */
  short: string
  name: string
  /** It answers. */
  here: boolean
  /** By this device; and this one by it. */
  trusted: boolean
  trusts: boolean
  /** It asks to be trusted. */
  asks: boolean
  /** When it was trusted; when it last answered. */
  since?: string
  seen?: string
  problem?: string
}

export interface Devices {
  self: Device
  devices: Device[]
}

/** The owner's choices. */
export interface Settings {
  /** Looks for televisions and loudspeakers in the network. */
  dlna: boolean
}

const base = '/api/v1/cast/'
const of = (id: string) => `${base}sessions/${encodeURIComponent(id)}`

export const queue = (id: string, offset: number, limit: number, signal?: AbortSignal) =>
  get<Queue>(`${of(id)}/queue?offset=${offset}&limit=${limit}`, signal)

export const play = (what: Play) => send<Session>('POST', base + 'play', what)
export const move = (id: string, renderer: string) => send<Session>('POST', of(id) + '/move', { renderer })
export const join = (id: string, renderers: string[]) => send<Session>('POST', of(id) + '/with', { renderers })
export const control = (id: string, what: Control) => send<Session>('POST', of(id) + '/control', what)
export const edit = (id: string, what: Edit) => send<Session>('POST', of(id) + '/queue', what)
export const change = (id: string, what: Change) => send<Session>('POST', of(id) + '/change', what)
export const stop = (id: string) => tell('DELETE', of(id))

export const devices = (signal?: AbortSignal) => get<Devices>(base + 'devices', signal)
export const trust = (id: string) => tell('POST', `${base}devices/${encodeURIComponent(id)}/trust`)
export const distrust = (id: string) => tell('DELETE', `${base}devices/${encodeURIComponent(id)}`)

export const settings = (signal?: AbortSignal) => get<Settings>(base + 'settings', signal)
export const set = (settings: Settings) => send<Settings>('PUT', base + 'settings', settings)

/** Says what this page does. */
export const report = (page: string, what: Report) =>
  tell('POST', `${base}browsers/${encodeURIComponent(page)}/status`, what)

/** Pauses even while the page is being closed. */
export const pauseAtOnce = (id: string): void =>
  void call(of(id) + '/control', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: '{"do":"pause"}',
    keepalive: true,
  }).catch(() => undefined)

import * as api from '../api/client'
import type { Attempt, Device, Library, Network, Notice, Status } from '../api/types'
import { changeOf } from '../lib/network'
import { cast } from './cast.svelte'
import { here } from './here.svelte'
import { toast } from './toasts.svelte'
import type { Devices, Gone, Order, Renderer, Session, Sessions } from '../api/cast'

/**
 * What the device says of itself, kept true: read once, followed by server-sent events, and read again whenever the
 * connection comes back, because events were missed.
 */
export const live = $state({
  status: null as Status | null,
  /** "lost" only after a few seconds: a phone that wakes up is not news. */
  link: 'connecting' as 'connecting' | 'open' | 'lost',
  /** Why there is no status, while there is none. */
  error: null as api.ApiError | null,
  /** Rises whenever lists may have changed: the library did, or a connection is back. */
  news: 0,
  /** The attempt at a network that was last heard of. */
  attempt: null as Attempt | null,
})

const patience = 3000 // ms without a connection until it is said
const pace = 3000 // ms between two refreshes of lists
const retries = [500, 1000, 2000, 4000, 8000] // ms; the last repeats

let source: EventSource | undefined
let attempt = 0
let retryTimer: ReturnType<typeof setTimeout> | undefined
let lostTimer: ReturnType<typeof setTimeout> | undefined

/** Starts following the device. The returned function stops it. */
export function startLive(): () => void {
  const wake = () => {
    if (document.visibilityState === 'visible' && source?.readyState !== EventSource.OPEN) connect()
  }
  addEventListener('online', wake)
  document.addEventListener('visibilitychange', wake)
  connect()
  return () => {
    removeEventListener('online', wake)
    document.removeEventListener('visibilitychange', wake)
    clearTimeout(retryTimer)
    clearTimeout(lostTimer)
    source?.close()
  }
}

/** Connects at once, for the person who does not want to wait for the next attempt. */
export function connect(): void {
  clearTimeout(retryTimer)
  source?.close()
  const events = (source = new EventSource('/api/v1/events' + here.query))
  events.onopen = () => void read()
  events.onerror = () => {
    events.close() // the browser's own retry stops for good after an HTTP error
    dropped()
  }
  const on = <T>(name: string, take: (data: T) => void) =>
    events.addEventListener(name, (event: MessageEvent<string>) => take(JSON.parse(event.data) as T))
  on<Library>('library', (library) => patch({ library }))
  on<Network>('network', (network) => {
    const before = live.status?.network
    patch({ network })
    const text = before && changeOf(before, network)
    if (text) toast(text)
  })
  on<Attempt>('attempt', (attempt) => (live.attempt = attempt))
  on<{ renderers: Renderer[] | null }>('renderers', ({ renderers }) => cast.takeRenderers(renderers))
  on<Sessions>('sessions', (all) => cast.takeAll(all))
  on<Devices>('devices', (devices) => (cast.devices = devices))
  on<Session>('session', (session) => cast.take(session))
  on<Gone>('gone', (gone) => cast.end(gone))
  on<Order>('order', (order) => (here.order = order))
  on<unknown>('taken', () => {
    here.renew()
    connect()
  })
  on<Device>('device', (device) => patch({ device }))
  on<Notice[] | null>('notices', (notices) => patch({ notices }))
  on<{ revision: number }>('changed', ({ revision }) => changed(revision))
}

function patch(part: Partial<Status>): void {
  if (!live.status) return
  Object.assign(live.status, part)
  if (part.library) changed(part.library.revision)
}

let known: number | null = null // revision of the library that the lists are of
let newest = 0
let changeTimer: ReturnType<typeof setTimeout> | undefined

/** Lets the lists know that they changed: at once, and then at most every few seconds, however fast a scan is. */
function changed(revision: number): void {
  newest = revision
  known ??= newest // the lists are as new as the page
  if (changeTimer !== undefined || known === newest) return
  known = newest
  live.news++
  changeTimer = setTimeout(() => {
    changeTimer = undefined
    changed(newest)
  }, pace)
}

async function read(): Promise<void> {
  try {
    const status = await api.status()
    live.status = status
    live.error = null
    live.link = 'open'
    if (status.library) changed(status.library.revision)
    if (attempt > 0) live.news++ // what was asked for meanwhile has failed
    attempt = 0
    clearTimeout(lostTimer)
    lostTimer = undefined
  } catch (err) {
    source?.close()
    if (err instanceof api.ApiError) live.error = err
    dropped()
  }
}

function dropped(): void {
  if (live.link === 'open') live.link = 'connecting'
  lostTimer ??= setTimeout(() => (live.link = 'lost'), live.status ? patience : patience / 2)
  clearTimeout(retryTimer)
  retryTimer = setTimeout(connect, retries[Math.min(attempt++, retries.length - 1)])
}

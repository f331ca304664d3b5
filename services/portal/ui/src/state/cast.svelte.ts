import { ApiError } from '../api/client'
import type { Devices, Gone, Renderer, Session, Sessions, Stamp } from '../api/cast'

/** A session with when it was heard of, by performance.now(): its position is carried on from there. */
export interface Heard extends Session {
  heard: number
}

/** What a person asked of a session, shown until the device says the same or patience ends. */
export type Wish = Partial<
  Pick<
    Heard,
    | 'renderer'
    | 'with'
    | 'state'
    | 'entry'
    | 'next'
    | 'index'
    | 'position'
    | 'heard'
    | 'duration'
    | 'volume'
    | 'muted'
    | 'speed'
    | 'repeat'
    | 'shuffle'
    | 'audio'
    | 'subtitle'
    | 'sleep'
    | 'sleepEnd'
    | 'problem'
  >
>

const patience = 3000 // ms for which a wish is shown against the device's word
const near = 1.5 // seconds within which a place is the one that was asked for

/** Where a session is, in seconds, at a time by performance.now(). */
export function placeOf(session: Heard, now = performance.now()): number {
  return session.position + (session.state === 'playing' ? ((now - session.heard) / 1000) * session.speed : 0)
}

/** When a timer runs out that is set to so many seconds now, by the device's clock. */
export function timerOf(session: Heard, seconds: number): string {
  return new Date(Date.parse(session.now) + performance.now() - session.heard + seconds * 1000).toISOString()
}

/** What plays where in the house, kept true by the device's events. */
class Cast {
  /** The service answers. Without it this page plays by itself. */
  up = $state(false)
  renderers = $state.raw<Renderer[]>([])
  /** This dongle and the others of the home, as last told; null: not yet. */
  devices = $state.raw<Devices | null>(null)
  #told = $state.raw<Heard[]>([])
  #wishes = $state.raw<Record<string, Wish>>({})
  #timers = new Map<string, ReturnType<typeof setTimeout>>()
  /** Of the newest word about each session, also of those that have gone. */
  #stamps = new Map<string, Stamp>()

  /** All sessions, the one used last first, as the person wants them to be. */
  readonly sessions = $derived(
    this.#told.map((session) => (this.#wishes[session.id] ? { ...session, ...this.#wishes[session.id] } : session)),
  )

  /** Tells whether a session's place is there. */
  reaches(session: Session): boolean {
    return this.renderers.some(({ id }) => id === session.renderer)
  }

  takeRenderers(renderers: Renderer[] | null): void {
    this.renderers = renderers ?? []
  }

  /** Takes all sessions: at the beginning, and when the service is back. Those that an answer told of since stay as they are. */
  takeAll(all: Sessions): void {
    const newer = this.#told.filter(({ epoch, sequence }) => epoch === all.epoch && sequence > all.sequence)
    const listed = (all.sessions ?? []).filter((session) => !this.#overtaken(session.id, session)).map(heard)
    for (const { id } of this.#told) if (!this.#overtaken(id, all)) this.#stamps.set(id, all)
    this.#told = [...newer, ...listed]
    for (const session of listed) {
      this.#stamps.set(session.id, session)
      this.#settle(session)
    }
    this.up = true
  }

  /** Notes that the service did not answer: until it tells everything again, this page is on its own. */
  lost(err: unknown): void {
    if (err instanceof ApiError && err.code === 'busy') this.up = false
  }

  /** Takes the device's word about a session, unless a newer one was here before it. */
  take(session: Session): void {
    if (this.#overtaken(session.id, session)) return
    this.#stamps.set(session.id, session)
    const said = heard(session)
    const known = this.#told.some(({ id }) => id === session.id)
    this.#told = known ? this.#told.map((each) => (each.id === session.id ? said : each)) : [said, ...this.#told]
    this.#settle(said)
  }

  /** Takes the device's word that a session is no more: what is told of it from now on is of before. */
  end(gone: Gone): void {
    this.#stamps.set(gone.id, gone)
    this.forget(gone.id)
  }

  forget(id: string): void {
    this.#told = this.#told.filter((session) => session.id !== id)
    this.#drop(id)
  }

  /** Whether something newer is known. Of two runs of the service the one that speaks is the newer. */
  #overtaken(id: string, { epoch, sequence }: Stamp): boolean {
    const last = this.#stamps.get(id)
    return last?.epoch === epoch && sequence < last.sequence
  }

  /** Shows what was asked before the device has done it. */
  wish(id: string, part: Wish): void {
    const place = 'position' in part ? { heard: performance.now() } : {}
    this.#wishes = { ...this.#wishes, [id]: { ...this.#wishes[id], ...part, ...place } }
    clearTimeout(this.#timers.get(id))
    this.#timers.set(
      id,
      setTimeout(() => this.#drop(id), patience),
    )
  }

  /** Takes the wishes back: they were refused. */
  unwish(id: string): void {
    this.#drop(id)
  }

  #drop(id: string): void {
    clearTimeout(this.#timers.get(id))
    this.#timers.delete(id)
    if (!this.#wishes[id]) return
    const { [id]: _, ...rest } = this.#wishes
    this.#wishes = rest
  }

  /** Lets go of what the device says too by now. */
  #settle(said: Heard): void {
    const wish = this.#wishes[said.id]
    if (!wish) return
    const left: Wish = {}
    const elsewhere = wish.entry !== undefined && wish.entry.key !== said.entry?.key
    for (const name of Object.keys(wish) as (keyof Wish)[]) {
      if (name === 'heard') continue
      if (!elsewhere && agrees(name, wish, said)) continue
      Object.assign(left, { [name]: wish[name] })
    }
    if ('position' in left) left.heard = wish.heard
    if (Object.keys(left).length) this.#wishes = { ...this.#wishes, [said.id]: left }
    else this.#drop(said.id)
  }
}

function agrees(name: keyof Wish, wish: Wish, said: Heard): boolean {
  if (name === 'position') {
    const wanted = placeOf({ ...said, ...wish } as Heard)
    return said.state !== 'loading' && Math.abs(placeOf(said) - wanted) < near
  }
  if (name === 'state') return said.state === wish.state
  if (name === 'entry' || name === 'next') return said[name]?.key === wish[name]?.key
  if (name === 'with') return roomsOf(said) === roomsOf(wish)
  if (name === 'sleep') return !said.sleep === !wish.sleep
  if (name === 'index' || name === 'duration' || name === 'problem') return true
  return (said[name] ?? false) === (wish[name] ?? false)
}

/** The rooms of a session and how loud each is, to compare. */
const roomsOf = (session: Wish) => (session.with ?? []).map(({ renderer, volume }) => `${renderer} ${volume}`).join()

/** Brings a position up to the device's "now", which is this page's now. */
function heard(session: Session): Heard {
  const late = Math.max(0, Date.parse(session.now) - Date.parse(session.at)) / 1000 || 0
  const position = session.position + (session.state === 'playing' ? late * session.speed : 0)
  return { ...session, position, heard: performance.now() }
}

export const cast = new Cast()

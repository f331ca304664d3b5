import * as api from '../api/cast'
import type { Entry, Order, State, What } from '../api/cast'
import { ApiError } from '../api/client'
import type { Item } from '../api/types'
import { t } from '../i18n/index.svelte'
import { titleOf, type Words, wordsOf } from '../lib/words'
import { cast } from './cast.svelte'
import { here } from './here.svelte'
import { live } from './live.svelte'
import { Output } from './output.svelte'
import { go, route } from './router.svelte'
import { change, settings } from './settings.svelte'
import { isOwn, own, Solo } from './solo.svelte'
import { toast } from './toasts.svelte'

/** What was pressed here, which orders that are under way do not know of yet. */
type Press = 'entry' | 'play' | 'seek' | 'volume' | 'obeyed'

const echo = 1500 // ms for which what was pressed here counts more than an order given before
const close = 2 // seconds by which a place that is asked for may differ from where it is
const settle = 400 // ms until what is told after a broken connection has arrived
const sessionKey = 'manofwar.session'

/** A name for a request, so that it is done once however often it arrives. */
export const once = () =>
  [...crypto.getRandomValues(new Uint8Array(12))].map((b) => b.toString(16).padStart(2, '0')).join('')

/**
 * Music in this page, as one of the places of the house: it does what the device orders and says what it does. What a
 * person presses here is done at once, before the device has heard of it; and without the device the page plays on by
 * itself.
 */
export class OwnPage {
  readonly output = new Output()
  readonly solo = new Solo(this.output)

  /** Why nothing is heard here although something should be. */
  trouble = $state.raw<Words | null>(null)
  /** Requests under way that are to make a session of what this page plays. */
  handing = $state(0)

  #followed = '' // the session of the last order
  #seek = '' // the last seek that was followed, with its entry
  #pressed: Partial<Record<Press, number>> = {} // until when, by performance.now()
  #pressTimer: ReturnType<typeof setTimeout> | undefined
  #failures = 0 // songs in a row that did not play
  #waitsFor: 'disk' | 'device' | null = null

  /** Takes the page's audio elements, and the queue of the last visit. The returned function lets go of both. */
  attach(one: HTMLAudioElement, two: HTMLAudioElement): () => void {
    const release = this.output.attach(one, two, {
      changed: () => this.#changed(),
      ended: () => this.#ended(),
      blocked: () => this.#blocked(),
      failed: (why) => void this.#failed(why),
    })
    this.solo.recall()
    return release
  }

  /** Plays an entry at once because a person asked, and expects the device to order it. */
  begin(item: Item, at = 0): void {
    const { next } = here.order ?? {}
    this.output.load(next?.item.id === item.id && !at ? next : own(item), at)
    this.press('entry', 'play')
    this.forgive()
  }

  /** Remembers what was pressed here, which the orders under way do not know of yet. */
  press(...what: Press[]): void {
    for (const each of what) this.#pressed[each] = performance.now() + echo
    clearTimeout(this.#pressTimer)
    this.#pressTimer = setTimeout(() => this.follow(here.order), echo)
  }

  /** Forgets what went wrong: a person wants something new. */
  forgive(): void {
    this.trouble = this.#waitsFor = null
    this.#failures = 0
  }

  /** Is silent, and has nothing to play. */
  leave(): void {
    this.output.silence()
    this.solo.clear()
    this.forgive()
  }

  /** Makes a session of what this page has begun to play by itself. */
  async hand(what: What & { index?: number; shuffle?: boolean; position?: number }): Promise<void> {
    if (!cast.up) return
    this.press('entry', 'play', 'volume')
    this.handing++
    try {
      const session = await api.play({ renderer: here.id, ...what, once: once() })
      cast.take(session)
      const volume = Math.round(settings.volume * 100)
      cast.take(await api.change(session.id, { volume, muted: settings.muted }))
    } catch (err) {
      cast.lost(err) // it plays on by itself
    }
    this.handing--
    this.follow(here.order)
  }

  /** The same for a queue that has been this page's own so far. */
  handSolo(): Promise<void> {
    const items = this.solo.entries.map((entry) => entry.item.id)
    return this.hand({ items, index: this.solo.index, position: this.output.time })
  }

  /** Does what the device orders. App calls it with each. */
  follow(order: Order | null): void {
    const { output } = this
    if (!order || this.handing) return
    if (!order.session || !order.entry) {
      if (this.#followed && output.playing) return void this.#comeBack(this.#followed)
      if (this.#followed) this.leave()
      this.#followed = ''
      return
    }
    const { entry } = order
    this.#followed = order.session
    remember(order.session)
    if (entry.item.kind === 'film') {
      this.leave()
      if (order.play && route.path !== `/film/${entry.item.id}/play`) go(`/film/${entry.item.id}/play`)
      return
    }
    const seek = order.seek ? `${order.seek.number} ${entry.key}` : ''
    if (output.entry?.key !== entry.key) {
      if (isOwn(output.entry) && output.entry?.item.id === entry.item.id) output.adopt(entry)
      else if (isOwn(output.entry) && this.#presses('entry'))
        return // another one was asked for meanwhile
      else {
        output.load(entry, order.seek?.to ?? 0, order.play)
        this.#seek = seek
      }
    }
    this.solo.clear()
    if (seek && seek !== this.#seek) {
      if (!this.#presses('seek') && Math.abs(output.time - order.seek!.to) > close) output.seek(order.seek!.to)
      this.#seek = seek
    }
    if (!this.#presses('play') && order.play !== output.playing) {
      this.press('obeyed') // what the browser says of it now is no press of a person
      if (order.play) output.play()
      else output.pause()
    }
    if (!this.#presses('volume')) takeVolume(order)
    this.report(true)
  }

  /** Says what this page plays, to whoever else looks at its session. */
  report(news: boolean): void {
    const { output } = this
    if (!this.#followed || !output.entry || isOwn(output.entry)) return
    const state: State = output.playing ? (output.waiting ? 'loading' : 'playing') : 'paused'
    const number = this.#seek.endsWith(' ' + output.entry.key) ? Number(this.#seek.split(' ')[0]) : undefined
    if (output.time > close) this.#failures = 0
    here.report(
      { key: output.entry.key, state, position: output.time, duration: output.duration || undefined, seek: number },
      news,
    )
  }

  /** Goes on by itself when what was missing is back: whenever the device has news. */
  recover(play: () => void): void {
    const root = live.status?.library?.roots?.find((each) => each.id === this.output.entry?.item.root)
    const back = this.#waitsFor === 'disk' ? root && !root.away : this.#waitsFor && live.link === 'open'
    if (!back) return
    this.forgive()
    play()
  }

  /** Goes on with a queue by itself when the device's service is gone. */
  standIn(upcoming: Entry[]): void {
    if (cast.up || !this.#followed || !this.output.entry) return
    this.solo.adopt([this.output.entry, ...upcoming], { repeat: 'off', speed: 1 })
    this.#followed = ''
  }

  #presses(what: Press): boolean {
    return performance.now() < (this.#pressed[what] ?? 0)
  }

  /**
   * The device tells this page to be silent. If that is only because the connection was lost for long, and the session
   * waits where it was, the music goes on and the device hears where it is.
   */
  async #comeBack(id: string): Promise<void> {
    const { entry } = this.output
    const waits = await this.waitsHere(id, entry?.item.id)
    if (here.order?.session || !entry || this.output.entry !== entry) return
    if (!waits) {
      this.leave()
      this.#followed = ''
      return
    }
    this.output.adopt(own(entry.item)) // until the device has another name for it
    this.press('entry', 'play', 'seek')
    await this.goOn(id, this.output.time)
  }

  /** Whether a session waits for this page to be back with an item, once what is told after that has arrived. */
  async waitsHere(id: string, item: string | undefined): Promise<boolean> {
    await new Promise((resolve) => setTimeout(resolve, settle))
    const session = cast.sessions.find((each) => each.id === id)
    const waits = session?.renderer === here.id && session.state === 'paused' && session.problem?.code === 'gone'
    return waits && session.entry?.item.id === item
  }

  /** Makes a session play where this page is in it. */
  async goOn(id: string, to: number): Promise<void> {
    try {
      await api.control(id, { do: 'play' })
      cast.take(await api.control(id, { do: 'seek', to }))
    } catch (err) {
      cast.lost(err)
    }
  }

  #changed(): void {
    const { output } = this
    this.report(true)
    // Somebody has pulled out the headphones, or called: the browser paused by itself.
    const itself = this.#followed && !output.playing && here.order?.play && here.order.entry?.key === output.entry?.key
    if (itself && !this.#presses('play') && !this.#presses('obeyed') && !this.trouble) {
      this.press('play')
      void api.control(this.#followed, { do: 'pause' }).then(
        (session) => cast.take(session),
        (err: unknown) => cast.lost(err),
      )
    }
  }

  #ended(): void {
    const { output } = this
    const order = here.order
    if (!this.#followed || !order || !cast.up) return void this.solo.advance()
    const next = order.next?.item.kind === 'music' ? order.next : undefined
    this.press('obeyed')
    if (next && order.entry?.key === output.entry?.key) {
      output.load(next)
      return this.report(true)
    }
    const over = { key: output.entry?.key, position: output.duration, duration: output.duration }
    output.pause()
    here.report({ ...over, state: 'paused', ended: true }, true)
  }

  #blocked(): void {
    const { entry, time } = this.output
    if (!this.#followed || !entry) return
    const problem = { code: 'blocked', text: t('player.blocked'), at: new Date().toISOString() }
    here.report({ key: entry.key, state: 'paused', position: time, problem }, true)
  }

  /** A song does not play: waits for what can come back, says and skips the rest. */
  async #failed(why: ApiError | null): Promise<void> {
    const { entry, time } = this.output
    if (!entry) return
    if (why?.code === 'away' || why?.code === 'unreachable') {
      this.#waitsFor = why.code === 'away' ? 'disk' : 'device'
      this.trouble = wordsOf(why)
      return this.report(true)
    }
    const { code, message, hint } = why ?? new ApiError('undecodable', t('error.undecodable'))
    if (this.#followed && cast.up) {
      const at = new Date().toISOString()
      const problem = { code, text: message || code, hint: hint || undefined, title: titleOf(entry.item), at }
      return here.report({ key: entry.key, state: 'paused', position: time, problem }, true)
    }
    const words = wordsOf(why ?? new ApiError(code, message))
    if (++this.#failures < 4 && this.solo.next) {
      toast(t('player.skipped', { title: titleOf(entry.item), why: words.message }))
      await this.solo.advance(true)
    } else {
      this.trouble = words
    }
  }
}

function takeVolume({ volume, muted }: Order): void {
  if (Math.abs(settings.volume * 100 - volume) > 0.5 || settings.muted !== !!muted)
    void change({ volume: volume / 100, muted: !!muted })
}

function remember(session: string): void {
  try {
    localStorage.setItem(sessionKey, session)
  } catch {
    // Storage is off: the next visit begins with nothing.
  }
}

/** The session that was last played in this browser. */
export function remembered(): string {
  try {
    return localStorage.getItem(sessionKey) ?? ''
  } catch {
    return ''
  }
}

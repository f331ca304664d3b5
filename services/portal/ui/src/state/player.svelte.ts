import { untrack } from 'svelte'
import * as api from '../api/cast'
import type { Change, Control, Edit, Entry, Renderer, Repeat } from '../api/cast'
import { ApiError } from '../api/client'
import type { Item } from '../api/types'
import { t } from '../i18n/index.svelte'
import { coverOf } from '../lib/covers'
import { Playhead } from '../lib/playhead'
import { atHome, handheld, hereName } from '../lib/self'
import { titleOf, type Words, wordsOf } from '../lib/words'
import { cast, type Heard, timerOf, type Wish } from './cast.svelte'
import { here } from './here.svelte'
import { once, OwnPage, remembered } from './own.svelte'
import { QueueWindow } from './queue.svelte'
import { go, route } from './router.svelte'
import { change, settings } from './settings.svelte'
import { moved } from './solo.svelte'
import { toast } from './toasts.svelte'
import { playsIn, playsWith, promised, type Wanted } from './wanted'

type Loudness = Pick<Change, 'volume' | 'muted'>

/** The place that is this page, whatever its ID. */
export const Here = 'here'

const tick = 250 // ms between two looks at a clock

/**
 * What the buttons act on: the session of the place that the person has chosen. Where that is this page, it also makes
 * the sound, at once and before the device has answered; where the device does not answer, on its own.
 */
class Player {
  /** This page as a place. */
  readonly own = new OwnPage()
  readonly list = new QueueWindow()

  /** The sheet of places is open. */
  choosing = $state(false)
  #shown = $state(0) // the time, of what plays elsewhere
  #clock = $state(performance.now())
  #promised = $state.raw<Heard | null>(null) // a session that was asked for elsewhere
  #left = remembered() // the session that was played here on the last visit
  #head = new Playhead()
  #louder = 1 // the volume before it was muted by taking it to nothing

  // Where

  /** The place that is acted on: "here", or a renderer's ID. */
  readonly place = $derived.by((): string => {
    if (!cast.up) return Here
    const known = (id: string) => cast.renderers.some((each) => each.id === id)
    if (settings.place === Here || (settings.place && known(settings.place))) return settings.place
    const tv = cast.renderers.find(({ kind }) => kind === 'tv')
    return settings.place === null && tv && !tv.problem && handheld && atHome() ? tv.id : Here
  })
  readonly local = $derived(this.place === Here)
  readonly renderer = $derived<Renderer | null>(
    cast.renderers.find(({ id }) => id === (this.local ? here.id : this.place)) ?? null,
  )
  readonly placeName = $derived(this.local ? hereName() : (this.renderer?.name ?? ''))

  /** There is a choice of places, so that the chosen one is always named. */
  readonly namesPlace = $derived(cast.up && cast.renderers.length > 1)

  // What

  /** The session the device has for the place, as the person wants it to be. */
  readonly #told = $derived.by((): Heard | null => {
    if (!cast.up || (this.local && this.own.handing)) return null
    const id = this.local ? here.id : this.place
    const found = cast.sessions.find((session) => session.renderer === id && session.entry)
    if (this.#promised && this.#promised.renderer === id) return this.#promised
    if (found || !this.local || this.own.solo.entry) return found ?? null
    return cast.sessions.find((session) => session.id === this.#left && !cast.reaches(session)) ?? null
  })

  readonly session = $derived(this.#told ?? (this.local ? this.own.solo.session : null))
  readonly item = $derived(this.session?.entry?.item)
  readonly cover = $derived(this.item ? coverOf(this.item) : undefined)
  readonly film = $derived(this.item?.kind === 'film')

  /** This page makes the sound of the session, rather than the device or a film that lies over the page. */
  readonly #sounds = $derived(this.local && !!this.own.output.entry && !this.film)

  readonly playing = $derived(this.#sounds ? this.own.output.playing : playsIn(this.session?.state))
  readonly waiting = $derived(this.#sounds ? this.own.output.waiting : this.session?.state === 'loading')
  readonly duration = $derived(
    (this.#sounds ? this.own.output.duration : 0) || this.session?.duration || this.item?.duration || 0,
  )
  readonly time = $derived(this.#sounds ? this.own.output.time : Math.min(this.#shown, this.duration || Infinity))
  readonly volume = $derived(this.local ? settings.volume : (this.session?.volume ?? 0) / 100)
  readonly muted = $derived((this.local ? settings.muted : !!this.session?.muted) || this.volume === 0)
  readonly canVolume = $derived(this.local || !this.renderer || this.renderer.volume)
  readonly repeat = $derived<Repeat>(this.session?.repeat ?? 'off')
  readonly shuffled = $derived(!!this.session?.shuffle)
  readonly speed = $derived(this.session?.speed ?? 1)
  readonly hasNext = $derived(!!this.session && (this.session.index + 1 < this.session.total || this.repeat !== 'off'))
  readonly upcoming = $derived<Entry[]>(
    this.#told ? this.list.upcoming : this.own.solo.entries.slice(this.own.solo.index + 1),
  )
  readonly after = $derived(this.#told ? this.list.after : this.upcoming.length)
  readonly streams = $derived(this.session?.streams ?? this.item?.streams ?? [])

  /** Why nothing is heard although something should be. */
  readonly problem = $derived.by((): Words | null => {
    if (this.local && this.own.trouble) return this.own.trouble
    const session = this.#told
    if (!session?.problem || (playsIn(session.state) && !playsWith(session.problem.code))) return null
    return wordsOf(new ApiError(session.problem.code, session.problem.text, session.problem.hint))
  })

  /** Seconds until it pauses by itself; 0: it does not. */
  readonly sleepLeft = $derived.by(() => {
    const session = this.session
    if (!session?.sleep) return 0
    const now = this.#told ? Date.parse(session.now) + (this.#clock - this.#told.heard) : Date.now() + this.#clock * 0
    return Math.max(0, (Date.parse(session.sleep) - now) / 1000)
  })

  /** Takes the page's audio elements. The returned function lets go of them. */
  attach(one: HTMLAudioElement, two: HTMLAudioElement): () => void {
    const release = this.own.attach(one, two)
    const leave = () => this.#leave()
    addEventListener('pagehide', leave)
    const timer = setInterval(() => this.#look(), tick)
    return () => {
      clearInterval(timer)
      removeEventListener('pagehide', leave)
      release()
    }
  }

  /** Keeps itself to what the device says; App's effect, so it runs again whenever any of that changed. */
  watch(): void {
    const told = this.#told
    untrack(() => this.list.follow(told))
    if (told) {
      const rate = told.state === 'playing' ? told.speed : 0
      this.#head.set(`${told.id} ${told.entry?.key}`, told.position, rate, told.heard)
      this.#shown = this.#head.at()
    }
    this.own.output.adjust(settings.volume, settings.muted, this.local ? this.speed : 1)
    const next = told ? here.order?.next : this.own.solo.next
    if (this.#sounds) this.own.output.prepare((this.own.output.playing && next) || null)
    untrack(() => {
      this.#problems()
      this.own.standIn(this.list.upcoming)
    })
  }

  // Beginning

  /** Plays something at the place. */
  async play(wanted: Wanted): Promise<void> {
    const { what, items, start = 0, index = start, shuffle, position } = wanted
    const item = items[start]
    if (!item) return
    this.own.forgive()
    if (this.local && item.kind === 'film') return void go(`/film/${item.id}/play`)
    if (this.local) {
      this.own.solo.play(items, start, wanted)
      if (position) this.own.output.seek(position)
      return this.own.hand({ ...what, index, shuffle, position })
    }
    this.#promised = promised(this.place, item, this.session)
    try {
      cast.take(await api.play({ renderer: this.place, ...what, index, shuffle, position, once: once() }))
      if (item.kind === 'film') go('#now')
    } catch (err) {
      this.#refused(err)
    }
    this.#promised = null
  }

  /** Puts something into the queue: right after what plays, or at its end. */
  async add(where: 'next' | 'add', wanted: Wanted, name: string): Promise<void> {
    if (!this.session) return this.play(wanted)
    const text = t(where === 'next' ? 'queue.added' : 'queue.addedLast', { title: name })
    if (!this.#told) {
      this.own.solo.add(wanted.items, where === 'next')
      return toast(text)
    }
    if (await this.#edit({ do: where, ...wanted.what })) toast(text)
  }

  /** Makes a film that this page has opened a session of the device, so that it can be moved to another place. */
  async openFilm(film: Item, position: number): Promise<void> {
    this.own.leave()
    if (!cast.up) return
    await api
      .play({ renderer: here.id, items: [film.id], position, once: once() })
      .then((session) => cast.take(session))
      .catch((err: unknown) => cast.lost(err))
  }

  // Moving

  /** Chooses a place. What plays goes on there; if nothing does, the remote is for what plays there. */
  async goTo(to: string): Promise<void> {
    const [from, session, told] = [this.place, this.session, this.#told]
    this.choosing = false
    if (to === from) return
    const id = to === Here ? here.id : to
    const there = cast.sessions.some((each) => each.renderer === id && playsIn(each.state))
    const takes = session && (this.playing || !there) && session.state !== 'stopped'
    const [time, playing, item] = [this.time, this.playing, this.item]
    void change({ place: to })
    if (!takes || !session) return
    if (session.entry?.link && to !== 'tv') return void toast(t('sharing.tvOnly'))
    try {
      if (told) {
        cast.wish(told.id, { renderer: id, position: time })
        if (to === Here && item?.kind === 'music' && playing) this.own.begin(item, time)
        cast.take(await api.move(told.id, id))
      } else {
        const items = this.own.solo.entries.map((entry) => entry.item.id)
        const { index } = this.own.solo
        this.#promised = promised(to, item!, session)
        cast.take(await api.play({ renderer: id, items, index, position: time, paused: !playing, once: once() }))
        this.own.leave()
      }
      if (item?.kind !== 'film') return
      if (to === Here) go(`/film/${item.id}/play`)
      else if (route.path.endsWith('/play')) go(`/film/${item.id}#now`, { replace: true })
    } catch (err) {
      void change({ place: from })
      if (told) cast.unwish(told.id)
      this.#refused(err)
    } finally {
      this.#promised = null
    }
  }

  /** Takes the remote of another session. */
  control(session: Heard): void {
    this.choosing = false
    void change({ place: session.renderer === here.id ? Here : session.renderer })
  }

  // Buttons

  toggle(): void {
    const session = this.session
    if (!session) return
    if (this.local && this.film) return void go(`/film/${this.item!.id}/play`)
    const play = !this.playing
    this.own.forgive()
    if (!this.#told) {
      this.own.solo.control({ do: play ? 'play' : 'pause' })
      if (play) void this.own.handSolo()
      return
    }
    const time = this.time
    if (this.local) {
      this.own.press('play', 'entry')
      if (!play) this.own.output.pause()
      else if (this.own.output.entry) this.own.output.play()
      else this.own.begin(session.entry!.item, time)
    }
    if (this.local && this.#told.renderer !== here.id) return void this.takeOver(this.#told)
    void this.#control({ do: play ? 'play' : 'pause' }, { state: play ? 'playing' : 'paused', position: time })
  }

  /** Goes on here with a session whose own place is gone. */
  async takeOver(session: Heard): Promise<void> {
    this.choosing = false
    if (!this.local) void change({ place: Here })
    try {
      cast.take(await api.move(session.id, here.id))
      cast.take(await api.control(session.id, { do: 'play' }))
    } catch (err) {
      this.#refused(err)
    }
  }

  pause(): void {
    if (this.playing) this.toggle()
  }

  next(): void {
    const session = this.session
    if (!session) return
    if (!this.#told) return this.own.solo.control({ do: 'next' })
    const entry = this.upcoming[0] ?? (this.repeat === 'all' ? session.next : undefined)
    if (!entry) return
    this.#jump({ do: 'next', key: session.entry?.key }, entry, session.index + 1)
  }

  previous(): void {
    const session = this.session
    if (!session) return
    if (!this.#told) return this.own.solo.control({ do: 'previous' })
    if (this.time > 3 || session.index <= 0) return this.seek(0)
    void this.#control({ do: 'previous', key: session.entry?.key }, { state: 'loading', position: 0 })
  }

  jump(entry: Entry): void {
    if (!this.#told) return this.own.solo.control({ do: 'jump', key: entry.key })
    this.#jump({ do: 'jump', key: entry.key }, entry, this.session!.index + 1 + this.upcoming.indexOf(entry))
  }

  /** Goes to a place, in seconds. */
  seek(to: number): void {
    const at = Math.max(0, Math.min(to, this.duration))
    if (!this.#told) return this.own.solo.control({ do: 'seek', to: at })
    if (this.local && !this.film) {
      this.own.output.seek(at)
      this.own.press('seek')
    }
    void this.#control({ do: 'seek', to: at, key: this.session?.entry?.key }, { position: at })
  }

  /** Sets the volume, 0 to 1. */
  setVolume(to: number): void {
    const volume = Math.max(0, Math.min(1, to))
    if (this.local) {
      void change({ volume, muted: false })
      this.own.press('volume')
    }
    this.#louden({ volume: Math.round(volume * 100), muted: false })
  }

  mute(): void {
    if (this.volume > 0 && !this.muted) this.#louder = this.volume
    if (this.volume === 0) return this.setVolume(this.#louder)
    const muted = !this.muted
    if (this.local) void change({ muted })
    this.own.press('volume')
    this.#louden({ muted })
  }

  cycleRepeat(): void {
    const order: Repeat[] = ['off', 'all', 'one']
    void this.change({ repeat: order[(order.indexOf(this.repeat) + 1) % 3] })
  }

  /** Changes a session's ways. */
  async change(what: Change): Promise<void> {
    if (!this.#told) return this.own.solo.change(what)
    const { sleep, ...rest } = what
    const wish: Wish = { ...rest }
    if (sleep !== undefined) wish.sleep = sleep ? timerOf(this.#told, sleep) : undefined
    await this.#ask(this.#told.id, (id) => api.change(id, what), wish)
  }

  /** Ends the session. Its queue is forgotten unless that is undone. */
  async stop(): Promise<void> {
    const [told, { item, upcoming, time, place }] = [this.#told, this]
    if (!item) return
    const items = [item, ...upcoming.map((entry) => entry.item)]
    if (this.local) this.own.leave()
    if (told) {
      try {
        await api.stop(told.id)
        cast.forget(told.id)
      } catch (err) {
        return this.#refused(err)
      }
    }
    const again = { what: { items: items.map(({ id }) => id) }, items, position: time }
    const undo = () => this.place === place && void this.play(again)
    toast(t('player.stopped'), { label: t('action.undo'), run: undo })
  }

  // The queue

  /** Puts an entry before another one; without one, at the end. */
  async move(key: string, before: string | undefined): Promise<void> {
    if (!this.#told) return this.own.solo.move(key, before)
    await this.#edit({ do: 'move', keys: [key], before }, (entries) => moved(entries, key, before))
  }

  async remove(entry: Entry): Promise<void> {
    const [told, { upcoming }] = [this.#told, this]
    const before = upcoming[upcoming.indexOf(entry) + 1]?.key
    const entries = this.own.solo.entries
    const undo = () => (told ? void this.#putBack([entry], before) : this.own.solo.restore(entries))
    if (told) void this.#edit({ do: 'remove', keys: [entry.key] }, (all) => all.filter(({ key }) => key !== entry.key))
    else this.own.solo.remove(entry.key)
    toast(t('queue.removed', { title: titleOf(entry.item) }), { label: t('action.undo'), run: undo })
  }

  /** Takes everything out but what plays. */
  async clear(): Promise<void> {
    const [told, { upcoming, entries }] = [this.#told, { upcoming: this.upcoming, entries: this.own.solo.entries }]
    const undo = () => (told ? void this.#putBack(upcoming, undefined) : this.own.solo.restore(entries))
    if (told) void this.#edit({ do: 'clear' }, (all) => all.filter(({ key }) => key === told.entry?.key))
    else for (const { key } of upcoming) this.own.solo.remove(key)
    toast(t('queue.cleared'), { label: t('action.undo'), run: undo })
  }

  async #putBack(entries: Entry[], before: string | undefined): Promise<void> {
    const told = this.#told
    if (!told) return
    try {
      const links = entries.flatMap(({ link }) => link ?? [])
      const items = entries.filter(({ link }) => !link).map(({ item }) => item.id)
      let session: api.Session = told
      if (items.length) session = await api.edit(told.id, { do: 'add', items })
      if (links.length) session = await api.edit(told.id, { do: 'add', links })
      if (before) {
        const added = await api.queue(told.id, Math.max(0, session.total - entries.length), entries.length)
        const keys = (added.entries ?? []).map(({ key }) => key)
        cast.take(await api.edit(told.id, { do: 'move', keys, before }))
      } else cast.take(session)
    } catch (err) {
      this.#refused(err)
    }
  }

  async #edit(what: Edit, apply?: (entries: Entry[]) => Entry[]): Promise<boolean> {
    const id = this.#told?.id
    if (!id) return false
    try {
      const entries = this.list.entries
      await this.list.edit(apply?.(entries) ?? entries, async () => cast.take(await api.edit(id, what)))
      return true
    } catch (err) {
      this.#refused(err)
      return false
    }
  }

  // Asking the device

  #jump(what: Control, entry: Entry, index: number): void {
    if (this.local && entry.item.kind === 'music') this.own.begin(entry.item)
    const { item } = entry
    void this.#control(what, { entry, next: undefined, index, position: 0, duration: item.duration, state: 'loading' })
  }

  async #control(what: Control, wish: Wish): Promise<void> {
    if (this.#told) await this.#ask(this.#told.id, (id) => api.control(id, { ...what, once: once() }), wish)
  }

  async #ask(id: string, run: (id: string) => Promise<api.Session>, wish: Wish): Promise<void> {
    if (!id) return // it is only promised yet
    cast.wish(id, wish)
    try {
      cast.take(await run(id))
    } catch (err) {
      cast.unwish(id)
      this.#refused(err)
    }
  }

  #loud: { what: Loudness; busy: boolean } = { what: {}, busy: false }
  /** Sends the volume, at most one request at a time: a slider gives many. */
  #louden(what: Loudness): void {
    const told = this.#told
    if (!told?.id) return
    cast.wish(told.id, what)
    this.#loud.what = what
    if (this.#loud.busy) return
    this.#loud.busy = true
    const send = async (): Promise<void> => {
      const sent = this.#loud.what
      await this.#ask(told.id, (id) => api.change(id, sent), sent)
      if (this.#loud.what !== sent) await send()
    }
    void send().finally(() => (this.#loud.busy = false))
  }

  #refused(err: unknown): void {
    cast.lost(err)
    const { message, hint } = wordsOf(err)
    toast([message, hint].filter(Boolean).join('. '))
  }

  #said = '' // the last problem that was told
  #problems(): void {
    const session = this.#told
    const problem = session?.problem
    if (!session || !problem || this.#said === problem.at) return
    const old = Date.parse(session.now) - Date.parse(problem.at) > 10_000
    this.#said = problem.at
    if (old || !problem.title || !playsIn(session.state)) return
    const words = wordsOf(new ApiError(problem.code, problem.text, problem.hint))
    toast(t('player.skipped', { title: problem.title, why: words.message }))
  }

  #look(): void {
    if (this.#sounds && this.own.output.playing) this.own.report(false)
    if (document.visibilityState !== 'visible') return
    this.#clock = performance.now()
    if (!this.#sounds && this.#told) this.#shown = this.#head.at()
  }

  #leave(): void {
    const told = this.local ? this.#told : null
    if (told && this.own.output.playing) api.pauseAtOnce(told.id)
    if (this.local && !this.film)
      this.own.solo.keep(
        told ? [told.entry!, ...this.list.upcoming] : this.own.solo.entries.slice(this.own.solo.index),
        this.time,
      )
  }
}

export const player = new Player()

import type { Change, Control, Entry, Repeat, Session } from '../api/cast'
import type { Item } from '../api/types'
import type { Output } from './output.svelte'
import { settings } from './settings.svelte'

/** Returns the songs that follow; none: the list has ended. */
export type More = () => Promise<Item[]>

const restartAfter = 3 // seconds into a song, "previous" begins it again
const storageKey = 'manofwar.queue'

let last = 0
/** An entry of a queue that is this page's own. */
export const own = (item: Item): Entry => ({ key: `own-${++last}`, item })
export const isOwn = (entry: Entry | null | undefined) => !!entry?.key.startsWith('own-')

/** A session of this page alone: for when the device's cast service is not reachable, and until it has taken over. */
export class Solo {
  entries = $state.raw<Entry[]>([])
  index = $state(0)
  repeat = $state<Repeat>('off')
  shuffle = $state(false)
  sleep = $state.raw<Date | null>(null)
  sleepEnd = $state(false)
  speed = $state(1)

  #plain: Entry[] | null = null // the order before it was shuffled
  #more: More | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(readonly output: Output) {}

  readonly entry = $derived(this.entries[this.index])
  readonly next = $derived(
    this.repeat === 'one'
      ? this.entry
      : (this.entries[this.index + 1] ?? (this.repeat === 'all' ? this.entries[0] : undefined)),
  )

  /** It as a session of the device would be. Where it is and whether it plays, the output knows better. */
  readonly session = $derived.by((): Session | null =>
    this.entry
      ? {
          id: '',
          renderer: '',
          state: this.output.playing ? 'playing' : 'paused',
          entry: this.entry,
          next: this.next,
          index: this.index,
          total: this.entries.length,
          epoch: '',
          sequence: 0,
          revision: 0,
          position: 0,
          at: '',
          now: '',
          duration: this.entry.item.duration,
          speed: this.speed,
          volume: settings.volume * 100,
          muted: settings.muted,
          repeat: this.repeat,
          shuffle: this.shuffle,
          sleep: this.sleep?.toISOString(),
          sleepEnd: this.sleepEnd,
          audio: 0,
          subtitle: -1,
        }
      : null,
  )

  play(items: Item[], start: number, { more, shuffle = false }: { more?: More; shuffle?: boolean }): void {
    this.entries = items.map(own)
    this.index = start
    this.shuffle = false
    this.#plain = null
    this.#more = more
    if (shuffle) this.#mix(true)
    this.#load()
  }

  /** Takes over a queue that was the device's, without a pause in what is heard. */
  adopt(entries: Entry[], session: Pick<Session, 'repeat' | 'speed' | 'sleepEnd'>): void {
    this.entries = entries
    this.index = 0
    Object.assign(this, { repeat: session.repeat, speed: session.speed, shuffle: false, sleepEnd: !!session.sleepEnd })
  }

  add(items: Item[], next: boolean): void {
    this.entries = this.entries.toSpliced(next ? this.index + 1 : this.entries.length, 0, ...items.map(own))
  }

  move(key: string, before: string | undefined): void {
    this.#reorder((entries) => moved(entries, key, before))
  }

  remove(key: string): void {
    this.#reorder((entries) => entries.filter((entry) => entry.key !== key || entry === this.entry))
  }

  /** Puts back what was there: an undo. */
  restore(entries: Entry[]): void {
    this.#reorder(() => entries)
  }

  /** Empties it. */
  clear(): void {
    clearTimeout(this.#timer)
    this.entries = []
    this.index = 0
    this.sleep = this.#plain = null
    this.sleepEnd = false
    this.#more = undefined
  }

  control({ do: what, to = 0, key }: Control): void {
    if (what === 'play' && !this.output.entry) this.#load(this.output.time)
    else if (what === 'play') this.output.play()
    else if (what === 'pause') this.output.pause()
    else if (what === 'seek') this.output.seek(to)
    else if (what === 'jump') this.#go(this.entries.findIndex((entry) => entry.key === key))
    else if (what === 'next') void this.advance(true)
    else if (this.output.time > restartAfter || !this.index) this.output.seek(0)
    else this.#go(this.index - 1)
  }

  change({ repeat, shuffle, speed, sleep, sleepEnd }: Change): void {
    if (repeat) this.repeat = repeat
    if (speed) this.speed = speed
    if (sleepEnd !== undefined) this.sleepEnd = sleepEnd
    if (shuffle !== undefined && shuffle !== this.shuffle) this.#mix(shuffle)
    if (sleep === undefined) return
    clearTimeout(this.#timer)
    this.sleep = sleep ? new Date(Date.now() + sleep * 1000) : null
    if (sleep) this.#timer = setTimeout(() => ((this.sleep = null), this.output.pause()), sleep * 1000)
  }

  /** Goes on: because the song is over, or because a person asked. */
  async advance(asked = false): Promise<void> {
    const again = this.repeat === 'one' && !asked
    const stops = this.sleepEnd && !asked
    if (again) return void this.output.load(this.entry!, 0, !stops)
    if (this.index + 1 >= this.entries.length) await this.#extend()
    const next = this.index + 1 < this.entries.length ? this.index + 1 : this.repeat === 'off' ? -1 : 0
    if (next < 0) return this.output.pause()
    this.sleepEnd = false
    this.#go(next, !stops)
  }

  /** Remembers it for the next visit: where it is and what follows. */
  keep(entries: Entry[], time: number): void {
    try {
      const queue = entries.slice(0, 100).map(({ item }) => ({ item })) // enough for an evening
      if (queue.length) localStorage.setItem(storageKey, JSON.stringify({ queue, time }))
      else localStorage.removeItem(storageKey)
    } catch {
      // Storage is full or off: the next visit begins with nothing in the queue.
    }
  }

  /** Takes the queue of the last visit, at rest. */
  recall(): void {
    try {
      const text = localStorage.getItem(storageKey)
      const kept = JSON.parse(text ?? 'null') as { queue: { item: Item }[]; time: number } | null
      if (!kept?.queue.length) return
      this.entries = kept.queue.map(({ item }) => own(item))
      this.index = 0
      this.output.load(this.entries[0]!, kept.time, false)
    } catch {
      localStorage.removeItem(storageKey)
    }
  }

  #go(index: number, play = true): void {
    if (index < 0) return
    this.index = index
    this.#load(0, play)
  }

  #load(at = 0, play = true): void {
    if (!this.entry) return
    this.output.load(this.entry, at, play)
    void this.#extend()
  }

  async #extend(): Promise<void> {
    const more = this.#more
    if (!more || this.index < this.entries.length - 5) return
    this.#more = undefined // one request at a time
    try {
      const items = await more()
      this.entries = [...this.entries, ...items.map(own)]
      if (items.length) this.#more = more
    } catch {
      this.#more = more // the next song asks again
    }
  }

  #mix(on: boolean): void {
    const plain = this.#plain
    this.shuffle = on
    this.#plain = on ? this.entries : null
    if (on) this.#reorder((entries) => [...entries.slice(0, this.index + 1), ...mixed(entries.slice(this.index + 1))])
    else if (plain) this.#reorder((entries) => plain.filter((entry) => entries.includes(entry)))
  }

  /** Changes the order, and stays with what is played. */
  #reorder(change: (entries: Entry[]) => Entry[]): void {
    const current = this.entry
    this.entries = change(this.entries)
    this.index = Math.max(0, this.entries.indexOf(current!))
  }
}

/** A list with the entry of a key put before another; without one, at its end. */
export function moved(entries: Entry[], key: string, before: string | undefined): Entry[] {
  const entry = entries.find((each) => each.key === key)
  const rest = entries.filter((each) => each !== entry)
  const at = before ? rest.findIndex((each) => each.key === before) : rest.length
  return entry && at >= 0 ? rest.toSpliced(at, 0, entry) : entries
}

function mixed<T>(list: T[]): T[] {
  const all = [...list]
  for (let i = all.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1))
    ;[all[i], all[j]] = [all[j]!, all[i]!]
  }
  return all
}

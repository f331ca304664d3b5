import { coverURL, fileURL, whyNot, ApiError } from '../api/client'
import type { Item } from '../api/types'
import { t } from '../i18n/index.svelte'
import { titleOf, type Words, wordsOf } from '../lib/words'
import { live } from './live.svelte'
import { change, settings } from './settings.svelte'
import { toast } from './toasts.svelte'

/** A song in the queue, with the item whose picture stands for it. */
export interface Track {
  item: Item
  coverOf?: string
}

export const trackOf = (item: Item, coverOf?: string): Track => ({ item, coverOf: item.cover ? item.id : coverOf })

/** Returns the songs that follow the last of the queue; none: the list has ended. */
type More = (after: number) => Promise<Track[]>

const restartAfter = 3 // seconds into a song, "previous" begins it again
const storageKey = 'manofwar.queue'

/** Plays music in this browser: a queue, the place in it, and one audio element that App puts into the page. */
class Player {
  queue = $state.raw<Track[]>([])
  index = $state(0)
  playing = $state(false)
  waiting = $state(false)
  time = $state(0)
  duration = $state(0)
  repeat = $state(false)
  /** Why nothing is heard although something should be. Cleared by whatever is done next. */
  problem = $state<Words | null>(null)

  readonly track = $derived(this.queue[this.index])
  readonly hasNext = $derived(this.index + 1 < this.queue.length || this.repeat)

  #audio: HTMLAudioElement | null = null
  #more: More | undefined
  #resume = 0 // where the current song begins, in seconds
  #failures = 0 // songs in a row that did not play
  #waitsFor: 'disk' | 'device' | null = null

  /** Takes the page's audio element, and the queue of the last visit. The returned function lets go of both. */
  attach(audio: HTMLAudioElement): () => void {
    this.#audio = audio
    audio.volume = settings.volume
    const listeners: [keyof HTMLMediaElementEventMap, () => void][] = [
      ['play', () => (this.playing = true)],
      ['pause', () => (this.playing = false)],
      ['waiting', () => (this.waiting = true)],
      ['playing', () => ((this.waiting = false), (this.#failures = 0))],
      ['timeupdate', () => this.#tick()],
      ['durationchange', () => Number.isFinite(audio.duration) && (this.duration = audio.duration)],
      ['ended', () => void this.#ended()],
      ['error', () => void this.#failed()],
    ]
    for (const [name, listener] of listeners) audio.addEventListener(name, listener)
    const keep = () => this.#keep()
    addEventListener('pagehide', keep)
    this.#restore()
    this.claimKeys()
    return () => {
      for (const [name, listener] of listeners) audio.removeEventListener(name, listener)
      removeEventListener('pagehide', keep)
      this.#audio = null
    }
  }

  /** Plays a list from one of its songs on; more is asked for what follows when its end comes near. */
  play(tracks: Track[], start = 0, more?: More): void {
    this.queue = tracks
    this.#more = more
    this.#failures = 0
    this.#start(start)
  }

  /** Puts songs right after the current one. */
  playNext(tracks: Track[]): void {
    if (!this.track) return this.play(tracks)
    this.queue = this.queue.toSpliced(this.index + 1, 0, ...tracks)
  }

  jump(index: number): void {
    this.#failures = 0
    this.#start(index)
  }

  toggle(): void {
    const audio = this.#audio
    if (!audio || !this.track) return
    if (!audio.paused) return audio.pause()
    if (!audio.src || audio.error) return this.#start(this.index, this.time)
    this.problem = null
    void audio.play().catch(() => undefined) // the error event says why
  }

  pause(): void {
    this.#audio?.pause()
  }

  next(): void {
    this.#failures = 0
    void this.#advance()
  }

  previous(): void {
    if (this.time > restartAfter || this.index === 0) this.seek(0)
    else this.jump(this.index - 1)
  }

  seek(seconds: number): void {
    this.time = Math.max(0, Math.min(seconds, this.duration))
    if (this.#audio?.src && !this.#audio.error) this.#audio.currentTime = this.time
    this.#position()
  }

  setVolume(volume: number): void {
    const value = Math.max(0, Math.min(1, volume))
    if (this.#audio) this.#audio.volume = value
    void change({ volume: value })
  }

  /** Mixes what has not been played yet. */
  shuffle(): void {
    const before = this.queue
    const rest = before.slice(this.index + 1)
    for (let i = rest.length - 1; i > 0; i--) {
      const j = Math.floor(Math.random() * (i + 1))
      ;[rest[i], rest[j]] = [rest[j]!, rest[i]!]
    }
    this.queue = [...before.slice(0, this.index + 1), ...rest]
    toast(t('queue.shuffled'), { label: t('action.undo'), run: () => (this.queue = before) })
  }

  remove(index: number): void {
    if (index === this.index) return
    const [before, place] = [this.queue, this.index]
    this.queue = before.toSpliced(index, 1)
    if (index < place) this.index--
    const undo = () => ((this.queue = before), (this.index = place))
    toast(t('queue.removed', { title: titleOf(before[index]!.item) }), { label: t('action.undo'), run: undo })
  }

  /** Stops, and empties the queue. */
  clear(): void {
    this.#audio?.pause()
    this.#audio?.removeAttribute('src')
    this.queue = []
    this.problem = null
    this.#more = undefined
    this.index = this.time = this.duration = 0
    if ('mediaSession' in navigator) navigator.mediaSession.metadata = null
  }

  /** Goes on by itself when what was missing is back. App calls it whenever the device has news. */
  recover(): void {
    const root = live.status?.library?.roots?.find((each) => each.id === this.track?.item.root)
    const back = this.#waitsFor === 'disk' ? root && !root.away : this.#waitsFor && live.link === 'open'
    if (back) this.#start(this.index, this.time)
  }

  #start(index: number, at = 0): void {
    const audio = this.#audio
    const track = this.queue[index]
    if (!audio || !track) return
    this.index = index
    this.problem = null
    this.#waitsFor = null
    this.#resume = at
    this.time = at
    this.duration = track.item.duration ?? 0
    this.waiting = true
    audio.src = fileURL(track.item.id)
    if (at > 0) audio.addEventListener('loadedmetadata', () => (audio.currentTime = this.#resume), { once: true })
    void audio.play().catch(() => (this.waiting = false))
    this.#announce(track)
    void this.#extend()
  }

  async #extend(): Promise<void> {
    const more = this.#more
    if (!more || this.index < this.queue.length - 5) return
    this.#more = undefined // one request at a time
    try {
      const tracks = await more(this.queue.length)
      this.queue = [...this.queue, ...tracks]
      if (tracks.length) this.#more = more
    } catch {
      this.#more = more // the next song asks again
    }
  }

  async #advance(): Promise<void> {
    if (this.index + 1 >= this.queue.length) await this.#extend()
    if (this.index + 1 < this.queue.length) this.#start(this.index + 1)
    else if (this.repeat && this.queue.length) this.#start(0)
    else {
      this.#audio?.pause()
      this.playing = this.waiting = false
    }
  }

  async #ended(): Promise<void> {
    await this.#advance()
  }

  #tick(): void {
    if (!this.#audio) return
    this.time = this.#audio.currentTime
    this.#position()
  }

  /** Finds out why a song does not play: waits for what can come back, says and skips the rest. */
  async #failed(): Promise<void> {
    const track = this.track
    if (!this.#audio?.src || !track) return
    const reached = this.time
    this.playing = this.waiting = false
    const why = await whyNot(fileURL(track.item.id))
    if (this.track !== track) return
    this.time = reached
    if (why?.code === 'away' || why?.code === 'unreachable') {
      this.#waitsFor = why.code === 'away' ? 'disk' : 'device'
      this.problem = wordsOf(why)
      return
    }
    const words = wordsOf(why ?? new ApiError('undecodable', t('error.undecodable')))
    if (++this.#failures < 4 && this.hasNext) {
      toast(t('player.skipped', { title: titleOf(track.item), why: words.message }))
      await this.#advance()
    } else {
      this.problem = words
    }
  }

  #announce({ item, coverOf }: Track): void {
    if (!('mediaSession' in navigator)) return
    navigator.mediaSession.metadata = new MediaMetadata({
      title: titleOf(item),
      artist: item.artists?.join(', ') ?? '',
      album: item.album ?? '',
      artwork: coverOf ? [{ src: coverURL(coverOf, 600), sizes: '600x600' }] : [],
    })
  }

  /** Makes the keyboard's and the headset's media keys mean the music, and not a film that was seen. */
  claimKeys(): void {
    if (!('mediaSession' in navigator)) return
    const handle = (action: MediaSessionAction, handler: MediaSessionActionHandler) => {
      try {
        navigator.mediaSession.setActionHandler(action, handler)
      } catch {
        // This browser does not know the action.
      }
    }
    handle('play', () => this.toggle())
    handle('pause', () => this.pause())
    handle('nexttrack', () => this.next())
    handle('previoustrack', () => this.previous())
    handle('seekbackward', () => this.seek(this.time - 10))
    handle('seekforward', () => this.seek(this.time + 10))
    handle('seekto', ({ seekTime }) => seekTime !== undefined && this.seek(seekTime))
  }

  #position(): void {
    if (!('mediaSession' in navigator) || !(this.duration > 0)) return
    const position = Math.min(this.time, this.duration)
    navigator.mediaSession.setPositionState?.({ duration: this.duration, position, playbackRate: 1 })
  }

  #keep(): void {
    try {
      const queue = this.queue.slice(this.index, this.index + 100) // enough for an evening
      const text = JSON.stringify({ queue, time: this.time })
      if (queue.length) localStorage.setItem(storageKey, text)
      else localStorage.removeItem(storageKey)
    } catch {
      // Storage is full or off: the next visit begins with nothing in the queue.
    }
  }

  #restore(): void {
    try {
      const kept = JSON.parse(localStorage.getItem(storageKey) ?? 'null') as { queue: Track[]; time: number } | null
      if (!kept?.queue.length) return
      this.queue = kept.queue
      this.time = kept.time
      this.duration = kept.queue[0]!.item.duration ?? 0
    } catch {
      localStorage.removeItem(storageKey)
    }
  }
}

export const player = new Player()

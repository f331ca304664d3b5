import type { Entry } from '../api/cast'
import { type ApiError, fileURL, whyNot } from '../api/client'

/** What an output tells whoever drives it. */
export interface Driver {
  /** Something a person or another page would notice has changed. */
  changed: () => void
  ended: () => void
  /** The browser lets it make a sound only after a touch. */
  blocked: () => void
  /** It does not go on. Null: the server would serve it, so it is this browser that cannot. */
  failed: (why: ApiError | null) => void
}

/**
 * Plays songs in this page, one entry of a queue at a time. Two audio elements of App's take turns: while one is heard
 * the other has fetched what comes next, so that one song follows the other at once. The one that is heard has the ID
 * "audio".
 */
export class Output {
  entry = $state.raw<Entry | null>(null)
  playing = $state(false)
  waiting = $state(false)
  time = $state(0)
  duration = $state(0)

  #on: HTMLAudioElement | null = null
  #spare: HTMLAudioElement | null = null
  #ready: Entry | null = null // that the spare element has
  #from: number | null = null // where to go once it is loaded, in seconds
  #turn = 0 // how often something was loaded
  #driver: Driver | null = null

  /** Takes the page's two audio elements. The returned function lets go of them. */
  attach(one: HTMLAudioElement, two: HTMLAudioElement, driver: Driver): () => void {
    ;[this.#on, this.#spare, this.#driver] = [one, two, driver]
    const heard = {
      play: () => ((this.playing = true), driver.changed()),
      // Not where it is over, or where something else has begun meanwhile.
      pause: (audio: HTMLAudioElement) =>
        audio.paused && !audio.ended && audio.getAttribute('src') && ((this.playing = false), driver.changed()),
      waiting: () => ((this.waiting = true), driver.changed()),
      playing: () => ((this.waiting = false), driver.changed()),
      timeupdate: (audio: HTMLAudioElement) => (this.time = audio.currentTime),
      seeked: () => driver.changed(),
      durationchange: (audio: HTMLAudioElement) => Number.isFinite(audio.duration) && (this.duration = audio.duration),
      ended: () => driver.ended(),
      error: () => void this.#failed(),
    } satisfies Record<string, (audio: HTMLAudioElement) => unknown>
    const gone = new AbortController()
    for (const audio of [one, two]) {
      for (const [name, take] of Object.entries(heard)) {
        audio.addEventListener(name, () => audio === this.#on && take(audio), { signal: gone.signal })
      }
    }
    return () => {
      gone.abort()
      this.silence()
      this.#on = this.#spare = this.#driver = null
    }
  }

  /** Plays an entry from a place on, or holds it there until play is called. */
  load(entry: Entry, at = 0, play = true): void {
    if (!this.#on) return
    const fetched = this.#ready?.item.id === entry.item.id
    this.#turn++
    this.#on.pause()
    this.entry = entry
    this.time = at
    this.duration = entry.item.duration ?? 0
    this.#from = at
    this.#ready = null
    if (fetched) this.#swap()
    else this.#on.removeAttribute('src')
    this.playing = this.waiting = play
    if (play) this.#start()
  }

  /** Gives the entry that is played the key by which the device knows it. */
  adopt(entry: Entry): void {
    this.entry = entry
  }

  /** Fetches what comes next while this one is played. Null: nothing is known to. */
  prepare(next: Entry | null): void {
    if (!this.#spare || this.#ready?.item.id === next?.item.id) return
    this.#ready = next?.item.kind === 'music' && next.item.id !== this.entry?.item.id ? next : null
    if (this.#ready) this.#spare.src = fileURL(this.#ready.item.id)
    else this.#spare.removeAttribute('src')
  }

  play(): void {
    const audio = this.#on
    if (!audio || !this.entry) return
    if (!audio.getAttribute('src') || audio.error) this.#from = this.time
    this.playing = true
    this.#start()
  }

  pause(): void {
    this.#on?.pause()
    this.playing = this.waiting = false
  }

  /** Goes to a place, in seconds. */
  seek(to: number): void {
    this.time = Math.max(0, Math.min(to, this.duration))
    if (this.#on && this.#on.readyState >= HTMLMediaElement.HAVE_METADATA && !this.#on.error)
      this.#on.currentTime = this.time
    else this.#from = this.time
  }

  /** Sets the volume, 0 to 1, and the speed. */
  adjust(volume: number, muted: boolean, speed: number): void {
    for (const audio of [this.#on, this.#spare]) {
      if (!audio) continue
      audio.volume = volume
      audio.muted = muted
      if (audio.playbackRate !== speed) audio.playbackRate = audio.defaultPlaybackRate = speed
    }
  }

  silence(): void {
    this.#turn++
    this.#on?.pause()
    this.#on?.removeAttribute('src')
    this.#spare?.removeAttribute('src')
    this.#ready = this.entry = null
    this.playing = this.waiting = false
    this.time = this.duration = 0
  }

  #swap(): void {
    ;[this.#on, this.#spare] = [this.#spare, this.#on]
    this.#spare!.removeAttribute('src')
    this.#spare!.id = ''
    this.#on!.id = 'audio'
  }

  #start(): void {
    const audio = this.#on!
    if (!audio.getAttribute('src') || audio.error) audio.src = fileURL(this.entry!.item.id)
    const begin = () => {
      if (this.#from !== null && Math.abs(audio.currentTime - this.#from) > 0.05) audio.currentTime = this.#from
      this.#from = null
    }
    if (audio.readyState >= HTMLMediaElement.HAVE_METADATA) begin()
    else audio.onloadedmetadata = () => audio === this.#on && begin()
    void audio.play().catch((err: unknown) => {
      if (audio !== this.#on || !(err instanceof DOMException) || err.name !== 'NotAllowedError') return // an error has its event
      // The browser wants a touch first, of each element by itself.
      this.playing = this.waiting = false
      this.#driver?.blocked()
    })
  }

  async #failed(): Promise<void> {
    const [entry, turn] = [this.entry, this.#turn]
    const reached = Math.max(this.time, this.#from ?? 0)
    if (!entry || !this.#on?.getAttribute('src')) return
    this.playing = this.waiting = false
    const why = await whyNot(fileURL(entry.item.id))
    if (this.#turn !== turn) return // something else is played by now
    this.time = reached
    this.#driver?.failed(why)
  }
}

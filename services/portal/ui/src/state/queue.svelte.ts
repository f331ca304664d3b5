import * as api from '../api/cast'
import type { Entry, Session } from '../api/cast'

const page = 200 // entries asked for at once
const ahead = 30 // entries before the end of what is known at which more is fetched

/** What comes after the entry that a session plays: fetched as far as somebody looks, and kept true. */
export class QueueWindow {
  /** From the entry that is played on, or none yet. */
  entries = $state.raw<Entry[]>([])
  /** Entries of the whole queue after the current one. */
  after = $state(0)
  loaded = $state(false)
  error = $state.raw<unknown>(null)

  #told: Session | null = null // as last followed
  #session = ''
  #start = 0 // where the first of entries is in the whole queue
  #revision = -1
  #current = '' // key
  #request: AbortController | undefined
  #editing = 0
  #held = false

  /** Follows a session: called whenever something about it changed. */
  follow(session: Session | null): void {
    this.#told = session
    if (session?.id !== this.#session) {
      this.#session = session?.id ?? ''
      this.#revision = -1
      this.entries = []
      this.loaded = false
    }
    this.after = session ? Math.max(0, session.total - session.index - 1) : 0
    this.#current = session?.entry?.key ?? ''
    if (!session?.id || this.#editing || this.#held) return // one that was only promised has no queue yet
    const known = this.entries.some(({ key }) => key === this.#current)
    if (session.revision !== this.#revision || (!known && !this.#request)) {
      this.#revision = session.revision
      this.#start = -1 // nothing follows on
      void this.#fetch(session.index, Math.max(page, Math.min(500, this.entries.length)))
    } else if (this.upcoming.length < ahead && this.upcoming.length < this.after) void this.more()
  }

  /** The entries after the current one, as far as they are known. */
  get upcoming(): Entry[] {
    const at = this.entries.findIndex(({ key }) => key === this.#current)
    return this.entries.slice(at + 1)
  }

  /** Fetches what follows what is known. */
  async more(): Promise<void> {
    if (!this.loaded || this.#start < 0 || this.upcoming.length >= this.after || this.#request) return
    await this.#fetch(this.#start + this.entries.length, page)
  }

  /** Changes the list at once, then the device's, and reads it again. */
  async edit(entries: Entry[], run: () => Promise<void>): Promise<void> {
    this.#request?.abort()
    const before = this.entries
    this.after += entries.length - before.length
    this.entries = entries
    this.#editing++
    try {
      await run()
    } catch (err) {
      this.entries = before
      throw err
    } finally {
      this.#editing--
      this.#revision = -1
      this.follow(this.#told) // nothing else may follow: what is newer than the answer was here before it
    }
  }

  /** Keeps the list as it is while a row is being dragged. */
  hold(on: boolean): void {
    this.#held = on
    if (!on) this.follow(this.#told)
  }

  async #fetch(offset: number, limit: number): Promise<void> {
    this.#request?.abort()
    const request = (this.#request = new AbortController())
    const before = this.#start >= 0 && this.#start + this.entries.length === offset ? this.entries : []
    try {
      const found = (await api.queue(this.#session, offset, limit, request.signal)).entries ?? []
      if (request.signal.aborted) return
      if (!before.length) this.#start = offset
      this.entries = [...before, ...found]
      this.loaded = true
      this.error = null
    } catch (err) {
      if (!request.signal.aborted) this.error = err
    } finally {
      if (this.#request === request) this.#request = undefined
    }
  }
}

import { SvelteMap } from 'svelte/reactivity'
import type { Page } from '../api/types'

type Fetch<T> = (offset: number, limit: number, signal: AbortSignal) => Promise<Page<T>>

/**
 * A list on the server of which only the pages that are looked at are here. The total is known after the first page;
 * a row that has not arrived is undefined. Rows stay visible while a newer state of them is fetched.
 */
export class Paged<T> {
  total = $state<number | null>(null)
  error = $state<unknown>(null)

  readonly #pages = new SvelteMap<number, T[]>()
  readonly #pending = new Map<number, AbortController>()
  #stale = new Set<number>()
  #generation = 0 // rises with every refresh

  constructor(
    readonly fetch: Fetch<T>,
    readonly size = 100,
    readonly keep = 40, // pages: beyond that the farthest are let go
  ) {}

  row(index: number): T | undefined {
    return this.#pages.get(Math.floor(index / this.size))?.[index % this.size]
  }

  /** Sees to it that rows first to last arrive, and gives up on pages that have gone out of sight. */
  show(first: number, last: number): void {
    const from = Math.floor(Math.max(0, first) / this.size)
    const to = Math.floor(Math.max(0, last) / this.size)
    for (const [page, request] of this.#pending) {
      if (page < from - 1 || page > to + 1) {
        request.abort()
        this.#pending.delete(page)
      }
    }
    for (let page = from; page <= to; page++) {
      if ((!this.#pages.has(page) || this.#stale.has(page)) && !this.#pending.has(page)) void this.#load(page)
    }
    this.#trim((from + to) / 2)
  }

  /** Fetches again what is shown, because the server has news or the last attempt did not work. */
  refresh(first = 0, last = this.size - 1): void {
    this.#generation++
    this.#stale = new Set(this.#pages.keys())
    this.error = null
    this.show(first, last)
  }

  async #load(page: number): Promise<void> {
    const request = new AbortController()
    const generation = this.#generation
    this.#pending.set(page, request)
    try {
      const got = await this.fetch(page * this.size, this.size, request.signal)
      this.#pages.set(page, got.rows)
      this.#stale.delete(page)
      this.total = got.total
      this.error = null
    } catch (err) {
      if (!request.signal.aborted) this.error = err
    } finally {
      if (this.#pending.get(page) === request) this.#pending.delete(page)
    }
    if (generation !== this.#generation && !request.signal.aborted) void this.#load(page) // there was news meanwhile
  }

  #trim(centre: number): void {
    if (this.#pages.size <= this.keep) return
    const byDistance = [...this.#pages.keys()].sort((a, b) => Math.abs(b - centre) - Math.abs(a - centre))
    for (const page of byDistance.slice(0, this.#pages.size - this.keep)) this.#pages.delete(page)
  }
}

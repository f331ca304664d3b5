import * as api from '../api/cast'
import type { Order, Report } from '../api/cast'
import { ownName } from '../lib/self'
import { settings } from './settings.svelte'

const storageKey = 'manofwar.page'
const pace = 5000 // ms between two reports of nothing but the time

/**
 * This page as a place to play on. It offers itself by listening to the device's events under an ID that the tab keeps;
 * it hears orders there, and reports what it does.
 */
class Here {
  /** Its ID with the device. */
  id = $state(stored() || invented())
  /** What it has to do; null: it has not been told. */
  order = $state.raw<Order | null>(null)

  #sent = 0 // when something was last reported, by performance.now()
  #line: Report[] = [] // not sent yet
  #sending = false

  /** What is added to the address of the events. */
  get query(): string {
    return '?' + new URLSearchParams({ renderer: this.id, name: settings.name || ownName() })
  }

  /** Makes another ID up: another tab has come with this one. */
  renew(): void {
    this.id = invented()
    this.order = null
  }

  /** Says what this page does: news at once, one word after the other; the time alone now and then. */
  report(what: Report, news: boolean): void {
    if (!news && performance.now() - this.#sent < pace) return
    this.#sent = performance.now()
    const last = this.#line.at(-1)
    if (last && !last.ended && !last.problem) this.#line.pop() // it is older, and nothing hangs on it
    this.#line.push(what)
    if (!this.#sending) void this.#send()
  }

  async #send(): Promise<void> {
    this.#sending = true
    for (let what = this.#line.shift(); what; what = this.#line.shift()) {
      await api.report(this.id, what).catch(() => undefined) // the next one says it all again
    }
    this.#sending = false
  }
}

function invented(): string {
  const id =
    'page-' + [...crypto.getRandomValues(new Uint8Array(12))].map((b) => b.toString(16).padStart(2, '0')).join('')
  try {
    sessionStorage.setItem(storageKey, id)
  } catch {
    // Storage is off: a reload is another page to the device.
  }
  return id
}

function stored(): string {
  try {
    return sessionStorage.getItem(storageKey) ?? ''
  } catch {
    return ''
  }
}

export const here = new Here()

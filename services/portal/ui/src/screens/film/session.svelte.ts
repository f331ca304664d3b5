import * as cast from '../../api/cast'
import { t } from '../../i18n/index.svelte'
import { here } from '../../state/here.svelte'

const own = 1500 // ms for which what was pressed here counts more than an order

/** The device's session of a film on this page: what it orders, and what it is told. Places are in seconds. */
export class FilmSession {
  /** That of the last order; empty: there was none. */
  id = ''
  /** The device has been asked for one. */
  offered = false

  readonly #film: () => string
  /** The device's order that is about this film; null: this page is on its own. */
  readonly order = $derived.by(() => (here.order?.entry?.item.id === this.#film() ? here.order : null))

  #followed = '' // the last seek that was followed, with its entry
  #pressed = 0 // until when what was pressed counts, by performance.now()

  constructor(film: () => string) {
    this.#film = film
  }

  /** Tells whether something was pressed here just now. */
  get pressed(): boolean {
    return performance.now() < this.#pressed
  }

  /** Lets what is done here count more than the next orders, which may not know of it yet. */
  hold(): void {
    this.#pressed = performance.now() + own
  }

  /** Tells the device what was pressed here. */
  press(what: 'play' | 'pause' | 'seek', to?: number): void {
    this.hold()
    if (this.order) void cast.control(this.id, { do: what, to }).catch(() => undefined) // the film goes on
  }

  /** Tells it which of the streams is shown as subtitles; -1: none. */
  pickSubtitle(index: number): void {
    this.hold()
    if (this.order) void cast.change(this.id, { subtitle: index }).catch(() => undefined)
  }

  /** Where an order wants the film to be, once; undefined: nowhere, or that has been followed. */
  seekOf({ seek, entry }: cast.Order): number | undefined {
    const name = seek && `${seek.number} ${entry!.key}`
    if (!name || name === this.#followed) return undefined
    this.#followed = name
    return seek.to
  }

  /** Says what the film does, to whoever else looks at its session. News go at once. */
  report(video: HTMLVideoElement, duration: number, waiting: boolean, news: boolean): void {
    const key = this.order?.entry?.key
    if (!key) return
    const seek = this.#followed.endsWith(' ' + key) ? Number(this.#followed.split(' ')[0]) : undefined
    here.report(
      {
        key,
        state: video.ended || video.paused ? 'paused' : waiting ? 'loading' : 'playing',
        position: video.currentTime,
        duration,
        seek,
        ended: video.ended || undefined,
      },
      news,
    )
  }

  /** Says that the browser wants a touch before it plays. */
  reportBlocked(position: number): void {
    const key = this.order?.entry?.key
    if (!key) return
    const problem = { code: 'blocked', text: t('player.blocked'), at: new Date().toISOString() }
    here.report({ key, state: 'paused', position, problem }, true)
  }
}

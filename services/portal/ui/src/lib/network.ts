import type { Link, LinkState, Network, Period } from '../api/types'
import { type Key, t, tOr } from '../i18n/index.svelte'
import { en } from '../i18n/en'
import { moment } from '../i18n/format'

export const isWiFi = (link: Link) => link.kind === 'wifi' || (!link.kind && /^wl/.test(link.name))
const isCable = (link: Link) => link.kind === 'ethernet' || (!link.kind && /^e(n|th)/.test(link.name))

/** What a person calls a link: the WiFi by its name. */
export function nameOf(link: Link): string {
  if (link.wifi) return link.wifi.ssid
  if (link.kind === 'usb') return t('network.usb')
  return isCable(link) ? t('network.cable') : isWiFi(link) ? t('network.wifi') : link.name
}

/** True where it reaches something beyond itself. */
export const reaches = (link: Link) => ['good', 'captive', 'lan-only'].includes(link.state)

const ranks: LinkState[] = ['good', 'captive', 'lan-only', 'associated']

/** Nobody has asked whether there is an internet behind it: the server says nothing of it then. */
const unjudged = (link: Link) => link.state === 'lan-only' && !link.reason

/** The link that reaches furthest; of several the preferred one. Null: none is connected. */
export function bestOf(network: Network): Link | null {
  for (const state of ranks) {
    const found = (network.links ?? []).find((link) => link.state === state)
    if (found) return found
  }
  return null
}

/** The state of the network in a sentence: "Connected to Home, but no internet since 20:41". */
export function verdictOf(network: Network): string {
  const link = bestOf(network)
  if (!link) return network.access_point?.up ? t('verdict.own', { name: network.access_point.ssid }) : t('verdict.down')
  const by = link.kind === 'usb' ? 'usb.' : link.wifi || isWiFi(link) ? '' : 'cable.'
  const state = unjudged(link) ? 'good' : link.state
  return t(`verdict.${by}${state}` as Key, { name: nameOf(link), time: moment(link.since) })
}

const trying = ({ attempt }: Network) => attempt?.state === 'joining' || attempt?.state === 'addressing'

/** What to say in passing when the network has changed; empty: nothing that matters, or what somebody asked for. */
export function changeOf(before: Network, after: Network): string {
  if (trying(before) || trying(after)) return ''
  const [from, to] = [bestOf(before), bestOf(after)].map((link) => (link && reaches(link) ? link : null))
  if (!from && !to) return ''
  if (!to) return t('change.lost', { from: nameOf(from!) })
  if (!from) return t('change.back', { to: nameOf(to) })
  const [a, b] = [nameOf(from), nameOf(to)]
  if (a !== b) {
    const still = (after.links ?? []).find((link) => nameOf(link) === a)
    return still && still.state === from.state ? t('change.moved', { to: b }) : t('change.gone', { from: a, to: b })
  }
  if (from.state === to.state) return ''
  return unjudged(to) || unjudged(from) ? '' : t(`change.${to.state}` as Key, { name: b })
}

/** Bars of a signal in dBm, 1 to 4, by the same steps as the setup pages. */
export const barsOf = (signal: number) => (signal >= -58 ? 4 : signal >= -68 ? 3 : signal >= -77 ? 2 : 1)

/** The server's reason, as a sentence in the reader's language where it is known. */
export function reasonOf(reason: string | undefined): string {
  if (!reason) return ''
  const exact = tOr(`reason.${reason}`, '')
  if (exact) return exact
  for (const key of named) {
    const [before = '', after = ''] = key.slice('reason.'.length).split('{x}')
    const fits = reason.length > before.length + after.length && reason.startsWith(before) && reason.endsWith(after)
    if (fits) return t(key, { x: reason.slice(before.length, reason.length - after.length) })
  }
  return reason.charAt(0).toUpperCase() + reason.slice(1)
}

/** The reasons with a name in them. */
const named = (Object.keys(en) as Key[]).filter((key) => key.startsWith('reason.') && key.includes('{x}'))

/** A part of the last 24 hours: where it begins and how long it is, in parts of the whole. */
export interface Span extends Period {
  start: number
  length: number
  until: Date
}

const day = 86_400_000

/** The periods that lie in the last 24 hours. Before the first one nothing is known. */
export function spansOf(periods: Period[], now: number): Span[] {
  const begin = now - day
  return periods
    .map((period, i) => {
      const from = Math.max(Date.parse(period.from), begin)
      const next = periods[i + 1]
      const until = next ? Math.min(Date.parse(next.from), now) : now
      return { ...period, start: (from - begin) / day, length: (until - from) / day, until: new Date(until) }
    })
    .filter((span) => span.length > 0)
}

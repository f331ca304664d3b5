import { locale, t } from './index.svelte'

/** Writes seconds as a clock does: 3:07, 1:02:09. */
export function clock(seconds: number): string {
  const s = Math.max(0, Math.floor(Number.isFinite(seconds) ? seconds : 0))
  const two = (n: number) => String(n).padStart(2, '0')
  const h = Math.floor(s / 3600)
  return h ? `${h}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}` : `${Math.floor(s / 60)}:${two(s % 60)}`
}

const unit = (value: number, name: string, display: 'short' | 'long') =>
  new Intl.NumberFormat(locale(), { style: 'unit', unit: name, unitDisplay: display }).format(value)

/** Writes seconds in words, in at most two units: "2 hr 5 min", "40 sec". */
export function span(seconds: number, display: 'short' | 'long' = 'short'): string {
  const s = Math.round(seconds)
  if (s < 60) return unit(s, 'second', display)
  const minutes = Math.round(s / 60)
  if (minutes < 60) return unit(minutes, 'minute', display)
  const [h, m] = [Math.floor(minutes / 60), minutes % 60]
  if (h >= 48) return unit(Math.round(h / 24), 'day', display)
  return m ? `${unit(h, 'hour', display)} ${unit(m, 'minute', display)}` : unit(h, 'hour', display)
}

/** Writes a number of bytes as disks are sold: 1 kB is 1,000 bytes. */
export function bytes(n: number): string {
  const names = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte']
  let i = 0
  for (; n >= 1000 && i < names.length - 1; i++) n /= 1000
  const digits = i > 1 && n < 10 ? 1 : 0
  return new Intl.NumberFormat(locale(), { style: 'unit', unit: names[i], maximumFractionDigits: digits }).format(n)
}

export const number = (n: number) => n.toLocaleString(locale())

/** Writes bits per second, such as "320 kbit/s". */
export function bitrate(n: number): string {
  const [value, name] = n >= 1e6 ? [n / 1e6, 'Mbit/s'] : [n / 1e3, 'kbit/s']
  return `${value.toLocaleString(locale(), { maximumFractionDigits: value < 10 ? 1 : 0 })} ${name}`
}

/** Writes how long ago something was: "3 minutes ago", "yesterday", and the date where that is over a month. */
export function ago(time: string | Date, now = Date.now()): string {
  const date = new Date(time)
  const seconds = (date.getTime() - now) / 1000
  const relative = new Intl.RelativeTimeFormat(locale(), { numeric: 'auto' })
  const size = Math.abs(seconds)
  if (size < 45) return t('time.now')
  if (size < 45 * 60) return relative.format(Math.round(seconds / 60), 'minute')
  if (size < 22 * 3600) return relative.format(Math.round(seconds / 3600), 'hour')
  if (size < 30 * 86400) return relative.format(Math.round(seconds / 86400), 'day')
  return date.toLocaleDateString(locale(), { dateStyle: 'long' })
}

/** Writes a time of today as "20:41", any other with its date. */
export function moment(time: string | Date): string {
  const date = new Date(time)
  const today = date.toDateString() === new Date().toDateString()
  return date.toLocaleString(locale(), today ? { timeStyle: 'short' } : { dateStyle: 'medium', timeStyle: 'short' })
}

/** Names a language by its code, in the reader's language. A code that is none comes back as it is. */
export function languageName(code: string): string {
  try {
    return new Intl.DisplayNames(locale(), { type: 'language' }).of(code) ?? code
  } catch {
    return code
  }
}

/** Joins names the short way: "Ada, Bo". */
export const names = (list: readonly string[] | undefined | null) => (list ?? []).join(', ')

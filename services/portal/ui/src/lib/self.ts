import { t } from '../i18n/index.svelte'

/** What this page runs on, as far as the browser tells. */

const agent = navigator.userAgent

// The order matters: most browsers claim to be others too.
const browsers: [RegExp, string][] = [
  [/\bEdgA?\/|\bEdgiOS\//, 'Edge'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\bOPR\/|\bOPX\//, 'Opera'],
  [/\bVivaldi\//, 'Vivaldi'],
  [/\bFirefox\/|\bFxiOS\//, 'Firefox'],
  [/\bChrome\/|\bCriOS\/|\bHeadlessChrome\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
]
const systems: [RegExp, string][] = [
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b|\bMacintosh\b/, 'Mac'],
  [/\bLinux\b/, 'Linux'],
]

// An iPad says that it is a Mac, with a screen that is touched.
const iPad = /\bMacintosh\b/.test(agent) && navigator.maxTouchPoints > 1
const first = (list: [RegExp, string][]) => list.find(([pattern]) => pattern.test(agent))?.[1]

/** The browser's name for a person, such as "Chrome on Android". */
export function ownName(): string {
  const [browser, system] = [first(browsers), iPad ? 'iPad' : first(systems)]
  return browser && system ? t('place.browser', { browser, system }) : (browser ?? system ?? t('place.here'))
}

/** Something held in the hand, which is a remote rather than a loudspeaker. */
export const handheld = iPad || /\biPhone\b|\bAndroid\b|\bMobile\b/.test(agent)

/** What it is called by who holds it: "This phone". */
export function hereName(): string {
  if (iPad || /\biPad\b/.test(agent) || (/\bAndroid\b/.test(agent) && !/\bMobile\b/.test(agent)))
    return t('place.tablet')
  return t(handheld ? 'place.phone' : 'place.computer')
}

/** Whether the page's address is one of the same house, rather than one reached from afar. */
export function atHome(host = location.hostname): boolean {
  if (!host.includes('.') && !host.includes(':')) return true
  if (/\.(local|lan|home|internal|localdomain|box|arpa)$/.test(host)) return true
  return /^(10\.|127\.|169\.254\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|\[?f[cde])/.test(host)
}

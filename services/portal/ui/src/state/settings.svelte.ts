import { type Language, languages, preferredLanguage, setLanguage } from '../i18n/index.svelte'

export type Theme = 'system' | 'dark' | 'light'

interface Settings {
  theme: Theme
  language: Language | 'system'
  /** Single-key shortcuts may be turned off: they get in the way of speech input (WCAG 2.1.4). */
  shortcuts: boolean
  /** 0 to 1. */
  volume: number
  muted: boolean
  /** Where to play: "here", or a renderer's ID; none: not chosen yet. */
  place: string | null
  /** What this browser is called in the list of places; empty: by its kind. */
  name: string
  /** Shows what plays elsewhere on this device's lock screen. */
  lockScreen: boolean
}

const storageKey = 'manofwar.settings' // public/theme.js reads it too
const defaults: Settings = {
  theme: 'system',
  language: 'system',
  shortcuts: true,
  volume: 1,
  muted: false,
  place: null,
  name: '',
  lockScreen: false,
}

function stored(): Partial<Settings> {
  try {
    return JSON.parse(localStorage.getItem(storageKey) ?? '{}') as Partial<Settings>
  } catch {
    return {}
  }
}

/** What this browser's person prefers. It stays in this browser. */
export const settings = $state<Settings>({ ...defaults, ...stored() })

/** Changes some of the settings, applies and keeps them. */
export async function change(some: Partial<Settings>): Promise<void> {
  Object.assign(settings, some)
  try {
    localStorage.setItem(storageKey, JSON.stringify(settings))
  } catch {
    // Storage is full or off: they last as long as the page.
  }
  if ('theme' in some) applyTheme()
  if ('language' in some) await applyLanguage()
}

export async function applyLanguage(): Promise<void> {
  const wanted = settings.language
  await setLanguage(wanted !== 'system' && wanted in languages ? wanted : preferredLanguage())
}

const systemLight = matchMedia('(prefers-color-scheme: light)')

/** Puts the theme on the page, as public/theme.js did before it was shown. */
export function applyTheme(): void {
  const system = systemLight.matches ? 'light' : 'dark'
  document.documentElement.dataset.theme = settings.theme === 'system' ? system : settings.theme
}

systemLight.addEventListener('change', applyTheme)

/**
 * Sets larger type on a screen across the room: ?tv in the address (?tv=0 takes it back), or a wide screen that is
 * pointed at with a remote. It lasts for the tab.
 */
export function applyDistance(): void {
  const asked = new URLSearchParams(location.search).get('tv')
  try {
    if (asked !== null) sessionStorage.setItem('manofwar.tv', asked === '0' ? '0' : '1')
    const kept = sessionStorage.getItem('manofwar.tv')
    const far = kept ? kept === '1' : matchMedia('(min-width: 1700px) and (pointer: coarse)').matches
    document.documentElement.toggleAttribute('data-tv', far)
  } catch {
    document.documentElement.toggleAttribute('data-tv', asked !== null && asked !== '0')
  }
}

export const isTV = () => document.documentElement.hasAttribute('data-tv')
